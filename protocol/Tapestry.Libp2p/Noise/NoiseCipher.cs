using System.Buffers.Binary;
using System.Diagnostics;
using Tapestry.Crypto;

namespace Tapestry.Libp2p.Noise;

/// <summary>A key and the counter of its nonces: one direction of a Noise channel, or the handshake's own encryption.</summary>
/// <remarks>noiseprotocol.org, revision 34, section 5.1 (CipherState) and 12.3 (nonce: four zero bytes, then the counter, little-endian).</remarks>
public sealed class NoiseCipher : IDisposable
{
    /// <summary>How much longer a ciphertext is than its plaintext, in bytes.</summary>
    public const int TagLength = ChaCha20Poly1305Key.TagLength;

    private readonly ChaCha20Poly1305Key _key;
    private ulong _nonce;

    /// <summary>A cipher that takes a copy of 32 key bytes and starts at nonce 0.</summary>
    public NoiseCipher(ReadOnlySpan<byte> key) => _key = new ChaCha20Poly1305Key(key);

    /// <summary>Encrypts with the next nonce.</summary>
    /// <param name="associatedData">Authenticated but not sent; empty on a channel.</param>
    /// <param name="plaintext">Any length; may lie at the start of <paramref name="sealedText"/>.</param>
    /// <param name="sealedText">Receives ciphertext and tag: exactly 16 bytes longer.</param>
    public void Encrypt(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext, Span<byte> sealedText)
    {
        Span<byte> nonce = stackalloc byte[ChaCha20Poly1305Key.NonceLength];
        WriteNonce(nonce);
        _key.Encrypt(nonce, plaintext, associatedData, sealedText);
        _nonce++;
    }

    /// <summary>Decrypts with the next nonce.</summary>
    /// <param name="associatedData">The same as at the encryption.</param>
    /// <param name="sealedText">Ciphertext and tag, as received.</param>
    /// <param name="plaintext">Receives exactly 16 bytes less; may lie at the start of <paramref name="sealedText"/>.</param>
    /// <returns>False when it does not authenticate; then the channel is of no more use.</returns>
    public bool TryDecrypt(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> sealedText, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[ChaCha20Poly1305Key.NonceLength];
        WriteNonce(nonce);
        if (!_key.TryDecrypt(nonce, sealedText, associatedData, plaintext))
        {
            return false;
        }

        _nonce++;
        return true;
    }

    /// <summary>Frees the key.</summary>
    public void Dispose() => _key.Dispose();

    private void WriteNonce(Span<byte> nonce)
    {
        // 2^64 - 1 is reserved. At 65,519 bytes a message, reaching it takes longer than any connection lives.
        Debug.Assert(_nonce < ulong.MaxValue);
        nonce[..4].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce[4..], _nonce);
    }
}
