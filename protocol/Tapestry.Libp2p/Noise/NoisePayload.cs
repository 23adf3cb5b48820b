using System.Text;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p.Noise;

/// <summary>What a handshake message carries in libp2p: the identity key, its signature of the Noise static key, and the muxers.</summary>
/// <remarks>
/// libp2p/specs, noise/README.md, "The libp2p Handshake Payload". Of the extensions (field 4) the muxers are read, anything
/// else is passed over.
/// </remarks>
internal static class NoisePayload
{
    /// <summary>The longest payload that is read, in bytes: an RSA key of 8192 bits, its signature, and room for extensions.</summary>
    internal const int MaximumLength = 4096;

    /// <summary>The most muxers that are read of a remote: more than there are.</summary>
    internal const int MaximumMuxers = 16;

    private const int IdentityKeyField = 1;
    private const int IdentitySignatureField = 2;
    private const int ExtensionsField = 4;
    private const int StreamMuxersField = 2;

    private static ReadOnlySpan<byte> SignaturePrefix => "noise-libp2p-static-key:"u8;

    internal static byte[] Write(Libp2pIdentity identity, ReadOnlySpan<byte> staticKey, IReadOnlyList<string> muxers)
    {
        ProtobufWriter extensions = new();
        foreach (string muxer in muxers)
        {
            extensions.WriteText(StreamMuxersField, muxer);
        }

        ProtobufWriter writer = new();
        writer.WriteBytes(IdentityKeyField, identity.PublicKey.Encoded);
        writer.WriteBytes(IdentitySignatureField, identity.Sign([.. SignaturePrefix, .. staticKey]).ToArray());
        writer.WriteBytes(ExtensionsField, extensions.Written);
        return writer.ToArray();
    }

    /// <summary>Reads a payload and checks that its identity signed the static key that the handshake proved.</summary>
    /// <param name="payload">The payload, decrypted.</param>
    /// <param name="staticKey">The remote's Noise key.</param>
    /// <param name="peer">The peer that this proves.</param>
    /// <param name="muxers">The muxers that the remote names, the preferred first; empty when it names none.</param>
    internal static Libp2pFault Verify(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> staticKey, out PeerId? peer, out IReadOnlyList<string> muxers)
    {
        peer = null;
        muxers = [];
        ReadOnlySpan<byte> keyBytes = default;
        ReadOnlySpan<byte> signature = default;
        ReadOnlySpan<byte> extensions = default;
        ProtobufReader reader = new(payload);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case IdentityKeyField:
                    keyBytes = reader.ReadBytes(MaximumLength);
                    break;
                case IdentitySignatureField:
                    signature = reader.ReadBytes(IdentityKey.MaximumSignatureLength);
                    break;
                case ExtensionsField:
                    extensions = reader.ReadBytes(MaximumLength);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        if (reader.Malformed || !IdentityKey.TryRead(keyBytes, out IdentityKey? identity) || !TryReadMuxers(extensions, out muxers))
        {
            return Libp2pFault.Malformed;
        }

        if (!identity.IsUsable)
        {
            return Libp2pFault.IdentityKeyRefused;
        }

        if (!identity.Verify([.. SignaturePrefix, .. staticKey], signature))
        {
            return Libp2pFault.NoiseIdentitySignature;
        }

        peer = PeerId.From(identity);
        return Libp2pFault.None;
    }

    private static bool TryReadMuxers(ReadOnlySpan<byte> extensions, out IReadOnlyList<string> muxers)
    {
        List<string> read = [];
        muxers = read;
        ProtobufReader reader = new(extensions);
        while (reader.TryReadTag())
        {
            if (reader.Field == StreamMuxersField && read.Count < MaximumMuxers)
            {
                read.Add(Encoding.UTF8.GetString(reader.ReadBytes(MultistreamSelect.MaximumMessageLength)));
            }
            else
            {
                reader.SkipValue();
            }
        }

        return !reader.Malformed;
    }
}
