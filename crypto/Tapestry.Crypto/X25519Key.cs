using System.Security.Cryptography;
using Tapestry.Crypto.Native;

namespace Tapestry.Crypto;

/// <summary>An X25519 private key with its public half, for agreeing on a shared secret.</summary>
/// <remarks>RFC 7748, section 5 and 6.1. The secret is wiped on disposal.</remarks>
public sealed class X25519Key : IDisposable
{
    /// <summary>The length of private keys, public keys and shared secrets, in bytes.</summary>
    public const int Length = 32;

    private readonly byte[] _secret;
    private readonly byte[] _publicKey;

    private X25519Key(byte[] secret, byte[] publicKey)
    {
        _secret = secret;
        _publicKey = publicKey;
    }

    /// <summary>The public half: 32 bytes, valid as long as the key.</summary>
    public ReadOnlySpan<byte> PublicKey => _publicKey;

    /// <summary>Derives the key pair of 32 secret bytes; they are clamped as RFC 7748 says, so any bytes will do.</summary>
    /// <exception cref="ArgumentException"><paramref name="secret"/> is not 32 bytes long.</exception>
    public static X25519Key FromSecret(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != Length)
        {
            throw new ArgumentException($"An X25519 secret has {Length} bytes, not {secret.Length}.", nameof(secret));
        }

        byte[] copy = GC.AllocateArray<byte>(Length, pinned: true);
        secret.CopyTo(copy);
        byte[] publicKey = new byte[Length];
        if (Sodium.crypto_scalarmult_curve25519_base(publicKey, copy) != 0)
        {
            throw new CryptographicException("libsodium refused to derive an X25519 key pair.");
        }

        return new X25519Key(copy, publicKey);
    }

    /// <summary>Computes the secret shared with the holder of <paramref name="publicKey"/>.</summary>
    /// <param name="publicKey">The peer's public key, 32 bytes, as it was received.</param>
    /// <param name="shared">Receives 32 bytes; all zero when the result is false.</param>
    /// <returns>False when the shared secret is all zero, which a peer causes by a point of low order
    /// (RFC 7748, section 6.1), or when <paramref name="publicKey"/> is not 32 bytes long.</returns>
    /// <exception cref="ArgumentException"><paramref name="shared"/> is not 32 bytes long.</exception>
    public bool TryAgree(ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        if (shared.Length != Length)
        {
            throw new ArgumentException($"A shared secret has {Length} bytes, not {shared.Length}.", nameof(shared));
        }

        // libsodium answers -1 for the all-zero result, after a comparison in constant time.
        if (publicKey.Length == Length && Sodium.crypto_scalarmult_curve25519(shared, _secret, publicKey) == 0)
        {
            return true;
        }

        shared.Clear();
        return false;
    }

    /// <summary>Wipes the secret.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);
}
