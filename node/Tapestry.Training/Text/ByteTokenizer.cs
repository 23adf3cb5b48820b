using System.Text;

namespace Tapestry.Training.Text;

/// <summary>Bytes as tokens: token b is byte b, followed by four specials.</summary>
/// <remarks>No vocabulary is learned, so no language costs more for having been rare in somebody's corpus.
/// specs/60-training.md, section 4.</remarks>
public static class ByteTokenizer
{
    /// <summary>Rows of the embedding: 256 bytes, three specials, one reserved.</summary>
    public const int Vocabulary = 260;

    /// <summary>Opens every document.</summary>
    public const int BeginOfText = 256;

    /// <summary>Closes every document.</summary>
    public const int EndOfText = 257;

    /// <summary>Fills unused places of a batch; never predicted.</summary>
    public const int Padding = 258;

    /// <summary>The tokens of a text, without specials.</summary>
    public static long[] Encode(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        long[] tokens = new long[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            tokens[i] = bytes[i];
        }

        return tokens;
    }

    /// <summary>The text of tokens; specials are left out and bytes that are not UTF-8 become U+FFFD.</summary>
    public static string Decode(ReadOnlySpan<long> tokens)
    {
        byte[] bytes = new byte[tokens.Length];
        int count = 0;
        foreach (long token in tokens)
        {
            if (token is >= 0 and < 256)
            {
                bytes[count++] = (byte)token;
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, count);
    }
}
