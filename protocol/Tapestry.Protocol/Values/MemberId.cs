using Tapestry.Crypto;

namespace Tapestry.Protocol;

/// <summary>A registered ledger identity: the member's Ed25519 signing key. Member-id order is the byte order of keys.</summary>
public readonly record struct MemberId(PublicKey Key) : IComparable<MemberId>
{
    /// <inheritdoc/>
    public int CompareTo(MemberId other) => Key.CompareTo(other.Key);

    /// <summary>The first 8 hexadecimal digits of the key.</summary>
    public override string ToString() => Key.ToShortString();
}
