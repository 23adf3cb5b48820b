using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>The kinds of identity key that libp2p knows, by their number on the wire.</summary>
public enum IdentityKeyType : byte
{
    /// <summary>RSA, in DER of PKIX.</summary>
    Rsa = 0,

    /// <summary>Ed25519, 32 bytes.</summary>
    Ed25519 = 1,

    /// <summary>secp256k1, compressed point.</summary>
    Secp256k1 = 2,

    /// <summary>ECDSA on P-256, P-384 or P-521, in DER of PKIX.</summary>
    Ecdsa = 3,
}

/// <summary>A peer's public key in the form that names it: the libp2p <c>PublicKey</c> message.</summary>
/// <remarks>libp2p/specs, peer-ids/peer-ids.md, "Keys". The encoding is deterministic: type, then data, nothing else.</remarks>
public sealed partial class IdentityKey
{
    /// <summary>The longest key that is read, in bytes: room for RSA of 8192 bits.</summary>
    public const int MaximumDataLength = 1100;

    private readonly byte[] _encoded;
    private readonly int _dataLength;

    private IdentityKey(IdentityKeyType type, ReadOnlySpan<byte> data)
    {
        ProtobufWriter writer = new();
        writer.WriteUInt64(1, (ulong)type);
        writer.WriteBytes(2, data);
        _encoded = writer.ToArray();
        _dataLength = data.Length;
        Type = type;
    }

    /// <summary>The kind of key.</summary>
    public IdentityKeyType Type { get; }

    /// <summary>The key itself, in the form of its <see cref="Type"/>.</summary>
    public ReadOnlySpan<byte> Data => _encoded.AsSpan(_encoded.Length - _dataLength);

    /// <summary>The deterministic encoding of the <c>PublicKey</c> message.</summary>
    public ReadOnlySpan<byte> Encoded => _encoded;

    /// <summary>The identity key of an Ed25519 public key.</summary>
    public static IdentityKey From(PublicKey key) => new(IdentityKeyType.Ed25519, key.ToArray());

    /// <summary>Reads a <c>PublicKey</c> message; fields may come in any order, unknown ones are passed over.</summary>
    /// <returns>False when it is malformed, incomplete, of unknown type, or its data cannot be a key of its type.</returns>
    public static bool TryRead(ReadOnlySpan<byte> message, [NotNullWhen(true)] out IdentityKey? key)
    {
        key = null;
        ulong? type = null;
        ReadOnlySpan<byte> data = default;
        ProtobufReader reader = new(message);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case 1:
                    type = reader.ReadUInt64();
                    break;
                case 2:
                    data = reader.ReadBytes(MaximumDataLength);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        if (reader.Malformed || data.IsEmpty || type is null or > (ulong)IdentityKeyType.Ecdsa)
        {
            return false;
        }

        if (type == (ulong)IdentityKeyType.Ed25519 && data.Length != PublicKey.Length)
        {
            return false;
        }

        key = new IdentityKey((IdentityKeyType)type, data);
        return true;
    }

    /// <summary>The Ed25519 key, where this is one.</summary>
    public bool TryGetEd25519(out PublicKey key)
    {
        bool present = Type == IdentityKeyType.Ed25519;
        key = present ? new PublicKey(Data) : default;
        return present;
    }
}
