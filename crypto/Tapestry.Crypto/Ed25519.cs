using Tapestry.Crypto.Native;

namespace Tapestry.Crypto;

/// <summary>Ed25519 verification under one pinned acceptance rule.</summary>
/// <remarks>
/// RFC 8032, section 5.1.7. The rule is libsodium's: S below the group order, R and the key canonical and not of
/// small order, and the cofactorless equation. Every member uses this one rule, or members could disagree on a signature.
/// </remarks>
public static class Ed25519
{
    /// <summary>Whether <paramref name="signature"/> of <paramref name="message"/> verifies under <paramref name="key"/>.</summary>
    /// <returns>False for every malformed key or signature; never throws on what a peer sent.</returns>
    public static bool Verify(PublicKey key, ReadOnlySpan<byte> message, Signature signature)
    {
        Span<byte> keyBytes = stackalloc byte[PublicKey.Length];
        Span<byte> signatureBytes = stackalloc byte[Signature.Length];
        key.CopyTo(keyBytes);
        signature.CopyTo(signatureBytes);
        return Sodium.crypto_sign_ed25519_verify_detached(signatureBytes, message, (ulong)message.Length, keyBytes) == 0;
    }
}
