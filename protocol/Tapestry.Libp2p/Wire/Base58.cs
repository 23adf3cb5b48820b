using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Libp2p.Wire;

/// <summary>base58btc: digits and letters without 0, O, I and l; leading zero bytes become leading '1's.</summary>
/// <remarks>draft-msporny-base58-03. Quadratic in the length, so inputs are bounded: peer ids are at most 44 bytes.</remarks>
public static class Base58
{
    /// <summary>The longest text that is decoded, in characters.</summary>
    public const int MaximumTextLength = 128;

    private const string Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    /// <summary>Encodes <paramref name="bytes"/>.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        // Digits in base 58, least significant first. 138/100 is a little more than log 256 / log 58.
        Span<byte> digits = new byte[(bytes.Length * 138 / 100) + 1];
        int count = 0;
        foreach (byte value in bytes)
        {
            int carry = value;
            for (int index = 0; index < count || carry > 0; index++)
            {
                carry += (index < count ? digits[index] : 0) << 8;
                digits[index] = (byte)(carry % 58);
                carry /= 58;
                count = Math.Max(count, index + 1);
            }
        }

        int zeros = bytes.Length - bytes.TrimStart((byte)0).Length;
        char[] text = new char[zeros + count];
        text.AsSpan(0, zeros).Fill(Alphabet[0]);
        for (int index = 0; index < count; index++)
        {
            text[zeros + index] = Alphabet[digits[count - 1 - index]];
        }

        return new string(text);
    }

    /// <summary>Decodes <paramref name="text"/>.</summary>
    /// <returns>False when it is longer than <see cref="MaximumTextLength"/> or holds a character outside the alphabet.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Length > MaximumTextLength)
        {
            return false;
        }

        // Bytes, least significant first; 58 < 256, so there are never more bytes than digits.
        Span<byte> values = stackalloc byte[MaximumTextLength];
        int count = 0;
        foreach (char character in text)
        {
            int carry = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (carry < 0)
            {
                return false;
            }

            for (int index = 0; index < count || carry > 0; index++)
            {
                carry += index < count ? values[index] * 58 : 0;
                values[index] = (byte)(carry & 0xFF);
                carry >>= 8;
                count = Math.Max(count, index + 1);
            }
        }

        int zeros = text.Length - text.TrimStart(Alphabet[0]).Length;
        bytes = new byte[zeros + count];
        values[..count].CopyTo(bytes.AsSpan(zeros));
        bytes.AsSpan(zeros).Reverse();
        return true;
    }
}
