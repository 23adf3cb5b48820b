using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Messages;

public abstract partial record PeerMessage
{
    private const int WantFieldCount = 3;
    private const int StatusFieldCount = 4;
    private const int SignedFieldCount = 5;
    private const int CertificateFieldCount = 6;

    /// <summary>The encoding that travels: an array that opens with the message type.</summary>
    public ByteString Encode() => this switch
    {
        Signed signed => signed.Statement.Encode(),
        Certified certified => certified.Certificate.Encode(),
        Status status => Encoded.Of(status, WriteStatus),
        Want want => Encoded.Of(want, WriteWant),
        _ => throw new InvalidOperationException($"A message of type {GetType().Name} has no encoding."),
    };

    /// <summary>Reads a message and checks every signature in it: the only way to a message that the rules may see.</summary>
    /// <param name="bytes">What a peer sent.</param>
    /// <param name="committee">The committee whose certificates count.</param>
    /// <param name="message">The message, or null with a fault.</param>
    public static MessageFault TryVerify(ReadOnlySpan<byte> bytes, Committee committee, out PeerMessage? message)
    {
        MessageFault fault = TryRead(bytes, out message);
        if (fault == MessageFault.None)
        {
            fault = message switch
            {
                Signed signed when !signed.Statement.Verify() => MessageFault.BadSignature,
                Certified certified when !certified.Certificate.Verify(committee) => MessageFault.BadCertificate,
                _ => MessageFault.None,
            };
        }

        message = fault == MessageFault.None ? message : null;
        return fault;
    }

    /// <summary>Reads a message of at most <see cref="Limits.MessageBytes"/>; signatures are not checked.</summary>
    public static MessageFault TryRead(ReadOnlySpan<byte> bytes, out PeerMessage? message)
    {
        message = null;
        if (bytes.Length > Limits.MessageBytes)
        {
            return MessageFault.TooLarge;
        }

        CanonicalReader reader = new(bytes);
        if (!TryReadType(ref reader, out MessageType type, out int fieldCount))
        {
            return MessageFault.Malformed;
        }

        if (type == MessageType.Manifest && bytes.Length > Limits.ManifestBytes)
        {
            return MessageFault.TooLarge;
        }

        if (!Enum.IsDefined(type))
        {
            return MessageFault.UnknownType;
        }

        bool read = fieldCount == FieldCountOf(type) && type switch
        {
            MessageType.Certificate => TryReadCertificate(ref reader, out message),
            MessageType.Status => TryReadStatus(ref reader, out message),
            MessageType.Want => TryReadWant(ref reader, out message),
            _ => TryReadSigned(ref reader, type, bytes.Length, out message),
        };
        return read ? MessageFault.None : MessageFault.Malformed;
    }

    /// <summary>Reads the head of the array and the type, from which the rest of the fields follow.</summary>
    internal static bool TryReadType(ref CanonicalReader reader, out MessageType type, out int fieldCount)
    {
        type = default;
        if (!reader.TryReadArray(WantFieldCount, CertificateFieldCount, out fieldCount)
            || !reader.TryReadInteger(0, byte.MaxValue, out int number))
        {
            return false;
        }

        type = (MessageType)number;
        return true;
    }

    private static int FieldCountOf(MessageType type) => type switch
    {
        MessageType.Certificate => CertificateFieldCount,
        MessageType.Status => StatusFieldCount,
        MessageType.Want => WantFieldCount,
        _ => SignedFieldCount,
    };

    private static bool TryReadSigned(
        ref CanonicalReader reader, MessageType type, int totalBytes, [NotNullWhen(true)] out PeerMessage? message)
    {
        bool read = SignedStatement.TryReadAfterType(ref reader, type, totalBytes, out SignedStatement? statement);
        message = read ? new Signed(statement!) : null;
        return read;
    }

    private static bool TryReadCertificate(ref CanonicalReader reader, [NotNullWhen(true)] out PeerMessage? message)
    {
        bool read = Certificate.TryReadAfterType(ref reader, out Certificate? certificate);
        message = read ? new Certified(certificate!) : null;
        return read;
    }

    private static void WriteStatus(CanonicalWriter writer, Status status)
    {
        writer.WriteArray(StatusFieldCount);
        writer.WriteInteger((byte)MessageType.Status);
        writer.WriteInteger(status.Round);
        writer.WriteInteger((byte)status.Agreement);
        writer.WriteInteger(status.View);
    }

    private static bool TryReadStatus(ref CanonicalReader reader, [NotNullWhen(true)] out PeerMessage? message)
    {
        message = null;
        if (!reader.TryReadInteger(1, long.MaxValue, out long round)
            || !reader.TryReadInteger((int)AgreementKind.None, (int)AgreementKind.Result, out int agreement)
            || !reader.TryReadInteger(0, int.MaxValue, out int view)
            || !reader.IsAtEnd)
        {
            return false;
        }

        message = new Status(round, (AgreementKind)agreement, view);
        return true;
    }

    private static void WriteWant(CanonicalWriter writer, Want want)
    {
        writer.WriteArray(WantFieldCount);
        writer.WriteInteger((byte)MessageType.Want);
        writer.WriteInteger(want.Round);
        writer.WriteDigests(want.Manifests);
    }

    private static bool TryReadWant(ref CanonicalReader reader, [NotNullWhen(true)] out PeerMessage? message)
    {
        message = null;
        if (!reader.TryReadInteger(1, long.MaxValue, out long round)
            || !reader.TryReadDigests(1, Limits.WantedManifests, out Sequence<Digest>? manifests)
            || !Order.IsStrictlyAscending(manifests, static manifest => manifest)
            || !reader.IsAtEnd)
        {
            return false;
        }

        message = new Want(round, manifests);
        return true;
    }
}
