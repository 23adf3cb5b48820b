using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto.Native;

namespace Tapestry.Crypto;

/// <summary>An Ed25519 public key that was found usable once, so that verifying many signatures under it costs half of <see cref="Ed25519.Verify"/>.</summary>
/// <remarks>The acceptance rule is the same: its first condition is about the key alone, and is checked when this is made.</remarks>
public sealed class VerifyingKey
{
    private readonly byte[] _key;

    private VerifyingKey(byte[] key) => _key = key;

    /// <summary>The key as bytes.</summary>
    public PublicKey PublicKey => new(_key);

    /// <summary>A key to verify with; false when nothing can verify under <paramref name="key"/>.</summary>
    public static bool TryFrom(PublicKey key, [NotNullWhen(true)] out VerifyingKey? verifying)
    {
        verifying = Ed25519.IsUsable(key) ? new VerifyingKey(key.ToArray()) : null;
        return verifying is not null;
    }

    /// <summary>What <see cref="Ed25519.Verify"/> says.</summary>
    public bool Verify(ReadOnlySpan<byte> message, Signature signature)
    {
        Span<byte> bytes = stackalloc byte[Signature.Length];
        signature.CopyTo(bytes);
        return Sodium.crypto_sign_ed25519_verify_detached(bytes, message, (ulong)message.Length, _key) == 0;
    }
}
