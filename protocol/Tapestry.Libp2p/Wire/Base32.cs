using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Libp2p.Wire;

/// <summary>Base 32 of RFC 4648, lower case, without padding: the multibase with prefix 'b', which CIDs use.</summary>
public static class Base32
{
    /// <summary>The longest text that is decoded, in characters.</summary>
    public const int MaximumTextLength = 128;

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>Encodes <paramref name="bytes"/>.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        char[] text = new char[((bytes.Length * 8) + 4) / 5];
        int pending = 0;
        int pendingBits = 0;
        int written = 0;
        foreach (byte value in bytes)
        {
            pending = ((pending & 0x1F) << 8) | value;
            pendingBits += 8;
            while (pendingBits >= 5)
            {
                pendingBits -= 5;
                text[written++] = Alphabet[(pending >> pendingBits) & 0x1F];
            }
        }

        if (pendingBits > 0)
        {
            text[written] = Alphabet[(pending << (5 - pendingBits)) & 0x1F];
        }

        return new string(text);
    }

    /// <summary>Decodes <paramref name="text"/>.</summary>
    /// <returns>False when it is too long, holds a character outside the alphabet, or is not the one encoding of its bytes.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Length > MaximumTextLength)
        {
            return false;
        }

        byte[] decoded = new byte[text.Length * 5 / 8];
        int pending = 0;
        int pendingBits = 0;
        int written = 0;
        foreach (char character in text)
        {
            int digit = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (digit < 0)
            {
                return false;
            }

            pending = ((pending & 0xFF) << 5) | digit;
            pendingBits += 5;
            if (pendingBits >= 8)
            {
                pendingBits -= 8;
                decoded[written++] = (byte)((pending >> pendingBits) & 0xFF);
            }
        }

        // What is left over is padding: less than one digit, all zero, or another text would mean the same bytes.
        if (pendingBits >= 5 || (pending & ((1 << pendingBits) - 1)) != 0)
        {
            return false;
        }

        bytes = decoded;
        return true;
    }
}
