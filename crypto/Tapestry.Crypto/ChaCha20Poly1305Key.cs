using System.Security.Cryptography;

namespace Tapestry.Crypto;

/// <summary>A ChaCha20-Poly1305 key: authenticated encryption with nonces from the caller, without allocation.</summary>
/// <remarks>
/// RFC 8439, section 2.8. A nonce used twice under one key gives the plaintexts away and lets anyone forge: callers count.
/// Plaintext and ciphertext may be the same memory but must not overlap otherwise. Not for concurrent use.
/// </remarks>
public sealed class ChaCha20Poly1305Key : IDisposable
{
    /// <summary>The length of a key, in bytes.</summary>
    public const int Length = 32;

    /// <summary>The length of a nonce, in bytes.</summary>
    public const int NonceLength = 12;

    /// <summary>The length of the tag after each ciphertext, in bytes.</summary>
    public const int TagLength = 16;

    private readonly ChaCha20Poly1305 _cipher;

    /// <summary>Takes a copy of 32 key bytes.</summary>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public ChaCha20Poly1305Key(ReadOnlySpan<byte> key)
    {
        if (key.Length != Length)
        {
            throw new ArgumentException($"A ChaCha20-Poly1305 key has {Length} bytes, not {key.Length}.", nameof(key));
        }

        _cipher = new ChaCha20Poly1305(key);
    }

    /// <summary>Encrypts; the tag follows the ciphertext.</summary>
    /// <param name="nonce">12 bytes, never used before with this key.</param>
    /// <param name="plaintext">Any length.</param>
    /// <param name="associatedData">Authenticated but not sent; may be empty.</param>
    /// <param name="sealedText">Receives ciphertext and tag: exactly 16 bytes longer than the plaintext.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedText)
    {
        if (sealedText.Length - TagLength != plaintext.Length)
        {
            throw new ArgumentException(
                $"{plaintext.Length} bytes seal into {TagLength} more, not into {sealedText.Length}.", nameof(sealedText));
        }

        _cipher.Encrypt(nonce, plaintext, sealedText[..plaintext.Length], sealedText[plaintext.Length..], associatedData);
    }

    /// <summary>Decrypts what <see cref="Encrypt"/> made, if nothing was changed on the way.</summary>
    /// <param name="nonce">12 bytes, the ones of the encryption.</param>
    /// <param name="sealedText">Ciphertext and tag, as received.</param>
    /// <param name="associatedData">The same as at the encryption.</param>
    /// <param name="plaintext">Receives the plaintext: exactly 16 bytes shorter than <paramref name="sealedText"/>.</param>
    /// <returns>False when the tag does not hold or the sealed text is shorter than a tag; then no plaintext is given out.</returns>
    /// <exception cref="ArgumentException">The nonce or <paramref name="plaintext"/> has a wrong length.</exception>
    public bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedText, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        if (sealedText.Length < TagLength)
        {
            return false;
        }

        int length = sealedText.Length - TagLength;
        if (plaintext.Length != length)
        {
            throw new ArgumentException($"{sealedText.Length} sealed bytes open into {length}, not {plaintext.Length}.", nameof(plaintext));
        }

        try
        {
            _cipher.Decrypt(nonce, sealedText[..length], sealedText[length..], plaintext, associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>Frees the native cipher and its key.</summary>
    public void Dispose() => _cipher.Dispose();
}
