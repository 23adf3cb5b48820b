using System.Text;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>A statement that a peer signed and that anybody may pass on: whoever holds one has checked it.</summary>
/// <remarks>
/// libp2p/specs, RFC/0002-signed-envelopes.md: <c>{1: public key, 2: payload type, 3: payload, 5: signature}</c>. The
/// signature covers domain, type and payload, each after its length, so what was signed for one purpose says nothing in another.
/// </remarks>
public sealed class SignedEnvelope
{
    /// <summary>The most bytes of an envelope: what identify, which carries them, allows a whole message.</summary>
    public const int MaximumLength = 8192;

    /// <summary>The most bytes of a payload type; those in use have two.</summary>
    public const int MaximumTypeLength = 64;

    private const int PublicKeyField = 1;
    private const int PayloadTypeField = 2;
    private const int PayloadField = 3;
    private const int SignatureField = 5;

    private readonly byte[] _encoded;
    private readonly byte[] _payload;

    private SignedEnvelope(IdentityKey signer, ReadOnlySpan<byte> payloadType, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> signature)
    {
        // Written anew: fields that we do not know are not signed, and are not passed on.
        ProtobufWriter writer = new();
        writer.WriteBytes(PublicKeyField, signer.Encoded);
        writer.WriteBytes(PayloadTypeField, payloadType);
        writer.WriteBytes(PayloadField, payload);
        writer.WriteBytes(SignatureField, signature);
        _encoded = writer.ToArray();
        _payload = payload.ToArray();
        SignerKey = signer;
        Signer = PeerId.From(signer);
    }

    /// <summary>The key that signed.</summary>
    public IdentityKey SignerKey { get; }

    /// <summary>The peer that signed.</summary>
    public PeerId Signer { get; }

    /// <summary>What was signed.</summary>
    public ReadOnlyMemory<byte> Payload => _payload;

    /// <summary>The envelope's one encoding, to store and to pass on.</summary>
    public ReadOnlyMemory<byte> Encoded => _encoded;

    /// <summary>Signs a payload.</summary>
    /// <param name="identity">Who signs.</param>
    /// <param name="domain">For which purpose; readers must name the same.</param>
    /// <param name="payloadType">What the payload is: by convention a multicodec, at most <see cref="MaximumTypeLength"/> bytes.</param>
    /// <param name="payload">The content.</param>
    /// <exception cref="ArgumentException">The envelope would be longer than <see cref="MaximumLength"/>.</exception>
    public static SignedEnvelope Seal(Libp2pIdentity identity, string domain, ReadOnlySpan<byte> payloadType, ReadOnlySpan<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(identity);
        byte[] signature = identity.Sign(SignedBytes(domain, payloadType, payload)).ToArray();
        SignedEnvelope envelope = new(identity.PublicKey, payloadType, payload, signature);
        return envelope._encoded.Length <= MaximumLength && payloadType.Length <= MaximumTypeLength
            ? envelope
            : throw new ArgumentException($"An envelope of {envelope._encoded.Length} bytes is longer than the {MaximumLength} that peers read.", nameof(payload));
    }

    /// <summary>Reads an envelope and checks its signature.</summary>
    /// <param name="bytes">The encoding; unknown fields are passed over.</param>
    /// <param name="domain">The purpose for which it must have been signed.</param>
    /// <param name="payloadType">What it must hold.</param>
    /// <param name="envelope">The envelope, when there is no fault.</param>
    public static RecordFault TryOpen(
        ReadOnlySpan<byte> bytes, string domain, ReadOnlySpan<byte> payloadType, out SignedEnvelope? envelope)
    {
        envelope = null;
        if (bytes.Length > MaximumLength)
        {
            return RecordFault.TooLarge;
        }

        if (!TryReadFields(bytes, out Fields fields) || !IdentityKey.TryRead(fields.Key, out IdentityKey? signer))
        {
            return RecordFault.Malformed;
        }

        if (!fields.PayloadType.SequenceEqual(payloadType))
        {
            return RecordFault.WrongType;
        }

        if (!signer.Verify(SignedBytes(domain, fields.PayloadType, fields.Payload), fields.Signature))
        {
            return RecordFault.BadSignature;
        }

        envelope = new SignedEnvelope(signer, fields.PayloadType, fields.Payload, fields.Signature);
        return RecordFault.None;
    }

    private static bool TryReadFields(ReadOnlySpan<byte> bytes, out Fields fields)
    {
        fields = default;
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case PublicKeyField:
                    fields.Key = reader.ReadBytes(MaximumLength);
                    break;
                case PayloadTypeField:
                    fields.PayloadType = reader.ReadBytes(MaximumTypeLength);
                    break;
                case PayloadField:
                    fields.Payload = reader.ReadBytes(MaximumLength);
                    break;
                case SignatureField:
                    fields.Signature = reader.ReadBytes(IdentityKey.MaximumSignatureLength);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        return !reader.Malformed && !fields.Signature.IsEmpty;
    }

    private static byte[] SignedBytes(string domain, ReadOnlySpan<byte> payloadType, ReadOnlySpan<byte> payload)
    {
        byte[] domainBytes = Encoding.UTF8.GetBytes(domain);
        byte[] message = new byte[SizeOf(domainBytes) + SizeOf(payloadType) + SizeOf(payload)];
        Span<byte> rest = Append(message, domainBytes);
        rest = Append(rest, payloadType);
        Append(rest, payload);
        return message;

        static int SizeOf(ReadOnlySpan<byte> part) => Varint.LengthOf((ulong)part.Length) + part.Length;

        static Span<byte> Append(Span<byte> destination, ReadOnlySpan<byte> part)
        {
            int length = Varint.Write(destination, (ulong)part.Length);
            part.CopyTo(destination[length..]);
            return destination[(length + part.Length)..];
        }
    }

    private ref struct Fields
    {
        internal ReadOnlySpan<byte> Key;
        internal ReadOnlySpan<byte> PayloadType;
        internal ReadOnlySpan<byte> Payload;
        internal ReadOnlySpan<byte> Signature;
    }
}
