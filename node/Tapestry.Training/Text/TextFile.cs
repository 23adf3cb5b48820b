using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Tapestry.Training.Text;

/// <summary>One document of a file: where it lies, and how long its text is.</summary>
/// <param name="Offset">First byte in the file.</param>
/// <param name="Length">Bytes in the file.</param>
/// <param name="TextBytes">Bytes of its text as UTF-8; less than <paramref name="Length"/> where JSON escapes it.</param>
internal readonly record struct Document(long Offset, int Length, int TextBytes);

/// <summary>One checked text file and its documents, read in place.</summary>
/// <remarks>Opening reads the file once, to check it and to find the documents; some 30 bytes a document stay in memory.</remarks>
internal sealed class TextFile : IDisposable
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private readonly MappedFile _bytes;
    private readonly bool _json;

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="InputFileException">Empty, without a document, not UTF-8, or not JSON Lines with "text".</exception>
    internal TextFile(string path, DocumentRule rule)
    {
        _bytes = new MappedFile(path);
        try
        {
            long invalid = Utf8Check.FirstInvalid(_bytes);
            if (invalid >= 0)
            {
                throw new InputFileException(path, invalid, "not UTF-8. Convert the file to UTF-8 and try again.");
            }

            _json = rule == DocumentRule.JsonLines
                || (rule == DocumentRule.ByName && path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase));
            Documents = _json ? FindLines() : FindParagraphs(rule == DocumentRule.WholeFile);
            if (Documents.Count == 0)
            {
                throw new InputFileException(path, 0, "the file has no text, only white space. Remove it from the list.");
            }
        }
        catch
        {
            _bytes.Dispose();
            throw;
        }
    }

    internal string Path => _bytes.Path;

    internal IReadOnlyList<Document> Documents { get; }

    /// <summary>Copies the text of <paramref name="document"/> from byte <paramref name="from"/> on.</summary>
    internal void Read(Document document, int from, Span<byte> text)
    {
        ReadOnlySpan<byte> bytes = _bytes.Slice(document.Offset, document.Length);
        if (_json)
        {
            TextMember(bytes, document.Offset).AsSpan(from, text.Length).CopyTo(text);
        }
        else
        {
            bytes.Slice(from, text.Length).CopyTo(text);
        }
    }

    public void Dispose() => _bytes.Dispose();

    private List<Document> FindParagraphs(bool wholeFile)
    {
        List<Document> documents = [];
        long start = -1;
        long end = 0;
        foreach ((long offset, int length) in Lines())
        {
            bool blank = _bytes.Slice(offset, length).IndexOfAnyExcept(" \t\r"u8) < 0;
            if (!blank)
            {
                start = start < 0 ? offset : start;
                end = offset + TrimmedLength(offset, length);
            }
            else if (start >= 0 && !wholeFile)
            {
                documents.Add(Plain(start, end));
                start = -1;
            }
        }

        if (start >= 0)
        {
            documents.Add(Plain(start, end));
        }

        return documents;
    }

    private Document Plain(long start, long end)
    {
        if (end - start > Array.MaxLength)
        {
            throw new InputFileException(Path, start, "a document of more than 2 GiB. Separate documents by blank lines.");
        }

        return new Document(start, (int)(end - start), (int)(end - start));
    }

    private List<Document> FindLines()
    {
        List<Document> documents = [];
        foreach ((long offset, int length) in Lines())
        {
            ReadOnlySpan<byte> line = _bytes.Slice(offset, length);
            if (line.IndexOfAnyExcept(" \t\r"u8) < 0)
            {
                continue;
            }

            int textBytes = TextMember(line, offset).Length;
            if (textBytes > 0)
            {
                documents.Add(new Document(offset, length, textBytes));
            }
        }

        return documents;
    }

    private byte[] TextMember(ReadOnlySpan<byte> line, long offset)
    {
        try
        {
            Utf8JsonReader reader = new(line);
            byte[]? text = null;
            _ = reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new InputFileException(Path, offset, "the line is not a JSON object. Write one object a line.");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isText = reader.ValueTextEquals("text"u8);
                _ = reader.Read();
                if (isText && reader.TokenType == JsonTokenType.String)
                {
                    // GetString refuses escaped lone surrogates, which no UTF-8 can hold.
                    text = Encoding.UTF8.GetBytes(reader.GetString()!);
                }

                reader.Skip();
            }

            _ = reader.Read(); // Anything behind the object is an error here.
            return text ?? throw new InputFileException(Path, offset, "the object has no string member \"text\".");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new InputFileException(Path, offset, $"the line is not valid JSON ({fault.Message}).");
        }
    }

    // Lines without their line feed; the mark that some editors put first is not text.
    private IEnumerable<(long Offset, int Length)> Lines()
    {
        long offset = _bytes.Length >= 3 && _bytes.Slice(0, 3).SequenceEqual(ByteOrderMark) ? 3 : 0;
        while (offset < _bytes.Length)
        {
            int length = LineLength(offset);
            yield return (offset, length);
            offset += length + 1L;
        }
    }

    private int LineLength(long offset)
    {
        long rest = _bytes.Length - offset;
        int window = (int)Math.Min(rest, Array.MaxLength);
        int feed = _bytes.Slice(offset, window).IndexOf((byte)'\n');
        if (feed < 0 && window < rest)
        {
            throw new InputFileException(Path, offset, "a line of more than 2 GiB. Break the text into lines.");
        }

        return feed < 0 ? window : feed;
    }

    private int TrimmedLength(long offset, int length)
    {
        ReadOnlySpan<byte> line = _bytes.Slice(offset, length);
        return line.LastIndexOfAnyExcept(SearchValues.Create(" \t\r"u8)) + 1;
    }
}
