using Tapestry.Crypto;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p.Noise;

/// <summary>What a handshake message carries in libp2p: the identity key, and its signature of the Noise static key.</summary>
/// <remarks>
/// libp2p/specs, noise/README.md, "The libp2p Handshake Payload". The extensions (field 4) are passed over and not sent:
/// whoever offers muxers there and is not answered negotiates them by multistream-select.
/// </remarks>
internal static class NoisePayload
{
    /// <summary>The longest payload that is read, in bytes: an RSA key of 8192 bits, its signature, and room for extensions.</summary>
    internal const int MaximumLength = 4096;

    private const int IdentityKeyField = 1;
    private const int IdentitySignatureField = 2;
    private const int MaximumSignatureLength = 1024;

    private static ReadOnlySpan<byte> SignaturePrefix => "noise-libp2p-static-key:"u8;

    internal static byte[] Write(Libp2pIdentity identity, ReadOnlySpan<byte> staticKey)
    {
        ProtobufWriter writer = new();
        writer.WriteBytes(IdentityKeyField, identity.PublicKey.Encoded);
        writer.WriteBytes(IdentitySignatureField, identity.Sign([.. SignaturePrefix, .. staticKey]).ToArray());
        return writer.ToArray();
    }

    /// <summary>Reads a payload and checks that its identity signed the static key that the handshake proved.</summary>
    internal static Libp2pFault Verify(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> staticKey, out PeerId? peer)
    {
        peer = null;
        ReadOnlySpan<byte> keyBytes = default;
        ReadOnlySpan<byte> signature = default;
        ProtobufReader reader = new(payload);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case IdentityKeyField:
                    keyBytes = reader.ReadBytes(MaximumLength);
                    break;
                case IdentitySignatureField:
                    signature = reader.ReadBytes(MaximumSignatureLength);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        if (reader.Malformed || !IdentityKey.TryRead(keyBytes, out IdentityKey? identity))
        {
            return Libp2pFault.Malformed;
        }

        if (!identity.TryGetEd25519(out PublicKey key))
        {
            return Libp2pFault.NoiseIdentityKeyType;
        }

        if (signature.Length != Signature.Length
            || !Ed25519.Verify(key, [.. SignaturePrefix, .. staticKey], new Signature(signature)))
        {
            return Libp2pFault.NoiseIdentitySignature;
        }

        peer = PeerId.From(identity);
        return Libp2pFault.None;
    }
}
