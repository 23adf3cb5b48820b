namespace Tapestry.Training.Text;

/// <summary>Some documents of one file as one long row of tokens: each is opened, its bytes follow, and it is closed.</summary>
/// <remarks>Nothing is copied: a window is made from the mapped file when it is asked for.</remarks>
public sealed class TokenStream
{
    private readonly TextFile _file;
    private readonly int[] _documents;
    private readonly long[] _starts; // Token index of each document's opening token, and of the end.

    internal TokenStream(TextFile file, int[] documents)
    {
        _file = file;
        _documents = documents;
        _starts = new long[documents.Length + 1];
        for (int i = 0; i < documents.Length; i++)
        {
            int textBytes = file.Documents[documents[i]].TextBytes;
            TextBytes += textBytes;
            _starts[i + 1] = _starts[i] + textBytes + 2;
        }
    }

    /// <summary>The file's path.</summary>
    public string Path => _file.Path;

    /// <summary>Tokens: all bytes, and two specials a document.</summary>
    public long TokenCount => _starts[^1];

    /// <summary>Bytes of text, what bits per byte are counted over.</summary>
    public long TextBytes { get; }

    /// <summary>Which documents of the file these are, 0-based, ascending.</summary>
    public IReadOnlyList<int> Documents => _documents;

    /// <summary>Writes the tokens from <paramref name="position"/> on, going round at the end.</summary>
    /// <param name="position">0 to <see cref="TokenCount"/> - 1.</param>
    /// <param name="tokens">The result; any length.</param>
    /// <exception cref="InvalidOperationException">The stream is empty.</exception>
    public void Read(long position, Span<long> tokens)
    {
        if (TokenCount == 0)
        {
            throw new InvalidOperationException($"{Path}: no documents on this side of the held-out split.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, TokenCount);
        int found = Array.BinarySearch(_starts, position);
        int document = found >= 0 ? found : ~found - 1;
        long from = position - _starts[document];
        int written = 0;
        while (written < tokens.Length)
        {
            written += ReadDocument(_file.Documents[_documents[document]], from, tokens[written..]);
            document = (document + 1) % _documents.Length;
            from = 0;
        }
    }

    // Copies one document's tokens from index `from` on, as many as fit; returns how many.
    private int ReadDocument(Document document, long from, Span<long> tokens)
    {
        int count = (int)Math.Min(document.TextBytes + 2L - from, tokens.Length);
        int written = 0;
        if (from == 0)
        {
            tokens[written++] = ByteTokenizer.BeginOfText;
            from = 1;
        }

        int textBytes = (int)Math.Min(count - written, document.TextBytes + 1L - from);
        if (textBytes > 0)
        {
            byte[] text = new byte[textBytes];
            _file.Read(document, (int)(from - 1), text);
            foreach (byte value in text)
            {
                tokens[written++] = value;
            }
        }

        if (written < count)
        {
            tokens[written++] = ByteTokenizer.EndOfText;
        }

        return written;
    }
}
