using System.Security.Cryptography;
using Tapestry.Crypto.Native;

namespace Tapestry.Crypto;

/// <summary>An Ed25519 private key. Signing is deterministic: equal messages give equal bytes.</summary>
/// <remarks>RFC 8032, section 5.1. The secret is wiped on disposal.</remarks>
public sealed class SigningKey : IDisposable
{
    /// <summary>The length of the seed, in bytes.</summary>
    public const int SeedLength = 32;

    private const int SecretLength = 64;

    private readonly byte[] _secret;

    private SigningKey(byte[] secret, PublicKey publicKey)
    {
        _secret = secret;
        PublicKey = publicKey;
    }

    /// <summary>The public half.</summary>
    public PublicKey PublicKey { get; }

    /// <summary>Derives the key pair of a 32-byte seed.</summary>
    /// <exception cref="ArgumentException"><paramref name="seed"/> is not 32 bytes long.</exception>
    public static SigningKey FromSeed(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != SeedLength)
        {
            throw new ArgumentException($"An Ed25519 seed has {SeedLength} bytes, not {seed.Length}.", nameof(seed));
        }

        byte[] secret = GC.AllocateArray<byte>(SecretLength, pinned: true);
        Span<byte> publicKey = stackalloc byte[PublicKey.Length];
        if (Sodium.crypto_sign_ed25519_seed_keypair(publicKey, secret, seed) != 0)
        {
            throw new CryptographicException("libsodium refused to derive an Ed25519 key pair.");
        }

        return new SigningKey(secret, new PublicKey(publicKey));
    }

    /// <summary>Signs <paramref name="message"/>.</summary>
    /// <exception cref="CryptographicException">libsodium failed, which it does for no input of ours.</exception>
    public Signature Sign(ReadOnlySpan<byte> message)
    {
        Span<byte> signature = stackalloc byte[Signature.Length];
        if (Sodium.crypto_sign_ed25519_detached(signature, out _, message, (ulong)message.Length, _secret) != 0)
        {
            throw new CryptographicException("libsodium refused to sign.");
        }

        return new Signature(signature);
    }

    /// <summary>Wipes the secret.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);
}
