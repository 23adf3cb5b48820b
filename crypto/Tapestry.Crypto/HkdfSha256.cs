using System.Security.Cryptography;

namespace Tapestry.Crypto;

/// <summary>HKDF with SHA-256: keys from a secret, one per purpose.</summary>
/// <remarks>RFC 5869, section 2. All lengths are in bytes. Outputs may not overlap inputs.</remarks>
public static class HkdfSha256
{
    /// <summary>The length of the pseudorandom key between the two steps.</summary>
    public const int KeyLength = 32;

    /// <summary>The longest output of one expansion: 255 blocks.</summary>
    public const int OutputLengthMax = 255 * KeyLength;

    /// <summary>Step 1: condenses input keying material into a pseudorandom key.</summary>
    /// <param name="inputKey">The secret; may be empty, as Noise needs.</param>
    /// <param name="salt">Any length; empty means 32 zero bytes.</param>
    /// <param name="pseudorandomKey">Receives 32 bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="pseudorandomKey"/> is not 32 bytes long.</exception>
    public static void Extract(ReadOnlySpan<byte> inputKey, ReadOnlySpan<byte> salt, Span<byte> pseudorandomKey)
    {
        if (pseudorandomKey.Length != KeyLength)
        {
            throw new ArgumentException($"A pseudorandom key has {KeyLength} bytes, not {pseudorandomKey.Length}.", nameof(pseudorandomKey));
        }

        HKDF.Extract(HashAlgorithmName.SHA256, inputKey, salt, pseudorandomKey);
    }

    /// <summary>Step 2: expands a pseudorandom key into <paramref name="output"/>.</summary>
    /// <param name="pseudorandomKey">At least 32 bytes.</param>
    /// <param name="info">Names the purpose; may be empty.</param>
    /// <param name="output">1 to 8160 bytes, written in full.</param>
    /// <exception cref="ArgumentException">A length is out of range.</exception>
    public static void Expand(ReadOnlySpan<byte> pseudorandomKey, ReadOnlySpan<byte> info, Span<byte> output) =>
        HKDF.Expand(HashAlgorithmName.SHA256, pseudorandomKey, output, info);

    /// <summary>Both steps.</summary>
    /// <param name="inputKey">The secret.</param>
    /// <param name="salt">Any length; empty means 32 zero bytes.</param>
    /// <param name="info">Names the purpose; may be empty.</param>
    /// <param name="output">1 to 8160 bytes, written in full.</param>
    /// <exception cref="ArgumentException">A length is out of range.</exception>
    public static void DeriveKey(ReadOnlySpan<byte> inputKey, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> output) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, inputKey, output, salt, info);
}
