using Tapestry.Crypto.Native;

namespace Tapestry.Crypto;

/// <summary>Ed25519 verification under one pinned acceptance rule, the same on every machine.</summary>
/// <remarks>
/// <para>specs/40-ledger.md, section 5. RFC 8032, section 5.1.7, leaves corners open in which real verifiers differ; members that differ could not
/// agree. A signature (R, S) of a message M under a key A is accepted exactly when</para>
/// <list type="number">
/// <item>A is the canonical encoding of a point of the prime-order group, and not the identity;</item>
/// <item>S is below the group order L;</item>
/// <item>R is the canonical encoding of S·B - SHA-512(R, A, M)·A, and not the identity.</item>
/// </list>
/// <para>Keys and signatures made as RFC 8032 says always meet it. Everything that it accepts, every other common rule
/// accepts too (cofactored or cofactorless, strict or lax), because without low-order components they coincide: what our
/// ledger holds, anybody's verifier confirms. libsodium 1.0.18 alone checks less, it lets A have a low-order component,
/// so the first condition is checked here in full; <see cref="Sodium.Initialise"/> refuses a library that answers otherwise.</para>
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
        return Sodium.crypto_sign_ed25519_verify_detached(signatureBytes, message, (ulong)message.Length, keyBytes) == 0
            && Sodium.crypto_core_ed25519_is_valid_point(keyBytes) == 1;
    }

    /// <summary>Whether <paramref name="key"/> meets the first condition: a key under which anything can verify.</summary>
    public static bool IsUsable(PublicKey key)
    {
        Span<byte> keyBytes = stackalloc byte[PublicKey.Length];
        key.CopyTo(keyBytes);
        return Sodium.crypto_core_ed25519_is_valid_point(keyBytes) == 1;
    }
}
