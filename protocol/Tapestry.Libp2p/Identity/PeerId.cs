using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Tapestry.Crypto;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>The name of a peer: a multihash of its identity key, which for Ed25519 contains the key itself.</summary>
/// <remarks>libp2p/specs, peer-ids/peer-ids.md. Compared, ordered and hashed by its bytes; printed in base58btc (<c>12D3Koo…</c>, <c>Qm…</c>).</remarks>
public sealed class PeerId : IEquatable<PeerId>, IComparable<PeerId>
{
    /// <summary>The most bytes that a peer id takes: code, length, and an identity key of 42 bytes.</summary>
    public const int MaximumLength = 2 + MaximumInlineLength;

    // Encoded keys up to this length are held in the id itself; longer ones are hashed (peer-ids.md, "Peer Ids").
    private const int MaximumInlineLength = 42;
    private const byte IdentityCode = 0x00;
    private const byte Sha256Code = 0x12;
    private const byte CidVersion = 0x01;
    private const byte Libp2pKeyCodec = 0x72;

    private readonly byte[] _multihash;

    private PeerId(byte[] multihash) => _multihash = multihash;

    /// <summary>The multihash: code, length, digest or encoded key.</summary>
    public ReadOnlySpan<byte> Bytes => _multihash;

    /// <summary>The peer id of an identity key.</summary>
    public static PeerId From(IdentityKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Encoded.Length <= MaximumInlineLength
            ? new PeerId([IdentityCode, (byte)key.Encoded.Length, .. key.Encoded])
            : new PeerId([Sha256Code, SHA256.HashSizeInBytes, .. SHA256.HashData(key.Encoded)]);
    }

    /// <summary>The peer id of an Ed25519 public key.</summary>
    public static PeerId From(PublicKey key) => From(IdentityKey.From(key));

    /// <summary>Reads a multihash.</summary>
    /// <returns>False unless it is a SHA-256, or the identity hash of a well-formed identity key, of exactly these bytes.</returns>
    public static bool TryRead(ReadOnlySpan<byte> multihash, [NotNullWhen(true)] out PeerId? peer)
    {
        peer = null;
        if (multihash.Length is < 2 or > MaximumLength || multihash[1] != multihash.Length - 2)
        {
            return false;
        }

        bool known = multihash[0] switch
        {
            Sha256Code => multihash[1] == SHA256.HashSizeInBytes,
            IdentityCode => IdentityKey.TryRead(multihash[2..], out IdentityKey? key) && multihash[2..].SequenceEqual(key.Encoded),
            _ => false,
        };
        peer = known ? new PeerId(multihash.ToArray()) : null;
        return known;
    }

    /// <summary>Parses base58btc of the multihash, or a version 1 CID of codec libp2p-key in base32 ('b') or base58btc ('z').</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out PeerId? peer)
    {
        peer = null;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        if (text[0] == '1' || text.StartsWith("Qm", StringComparison.Ordinal))
        {
            return Base58.TryDecode(text, out byte[]? multihash) && TryRead(multihash, out peer);
        }

        byte[]? cid = null;
        bool decoded = text[0] switch
        {
            'b' => Base32.TryDecode(text.AsSpan(1), out cid),
            'z' => Base58.TryDecode(text.AsSpan(1), out cid),
            _ => false,
        };
        return decoded && cid is [CidVersion, Libp2pKeyCodec, ..] && TryRead(cid.AsSpan(2), out peer);
    }

    /// <summary>Parses like <see cref="TryParse"/>.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is not a peer id.</exception>
    public static PeerId Parse(string text) => TryParse(text, out PeerId? peer)
        ? peer
        : throw new FormatException($"'{text}' is not a peer id: expected 12D3Koo… or Qm… in base58btc, or a CID that starts with b or z.");

    /// <summary>The identity key, where the id contains it.</summary>
    public bool TryGetIdentityKey([NotNullWhen(true)] out IdentityKey? key)
    {
        key = null;
        return _multihash[0] == IdentityCode && IdentityKey.TryRead(_multihash.AsSpan(2), out key);
    }

    /// <summary>The Ed25519 key, where the id contains one.</summary>
    public bool TryGetEd25519(out PublicKey key)
    {
        key = default;
        return TryGetIdentityKey(out IdentityKey? identity) && identity.TryGetEd25519(out key);
    }

    /// <summary>The CID form: base32, prefix 'b'.</summary>
    public string ToCid() => "b" + Base32.Encode([CidVersion, Libp2pKeyCodec, .. _multihash]);

    /// <summary>base58btc of the multihash.</summary>
    public override string ToString() => Base58.Encode(_multihash);

    /// <summary>The last 8 characters, for people: the first ones are the same in every Ed25519 peer id.</summary>
    public string ToShortString() => ToString()[^8..];

    /// <inheritdoc/>
    public bool Equals([NotNullWhen(true)] PeerId? other) => other is not null && _multihash.AsSpan().SequenceEqual(other._multihash);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => Equals(obj as PeerId);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(_multihash);
        return hash.ToHashCode();
    }

    /// <summary>Compares as byte strings.</summary>
    public int CompareTo(PeerId? other) => other is null ? 1 : _multihash.AsSpan().SequenceCompareTo(other._multihash);

    /// <summary>Byte equality.</summary>
    public static bool operator ==(PeerId? left, PeerId? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Byte inequality.</summary>
    public static bool operator !=(PeerId? left, PeerId? right) => !(left == right);
}
