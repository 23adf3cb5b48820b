using System.Diagnostics.CodeAnalysis;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Messages;

/// <summary>What triage sees of a message before any signature is checked: nothing here is proven.</summary>
/// <param name="Type">The message type, a known one.</param>
/// <param name="Instance">Where it claims to belong; null for a status or a want.</param>
/// <param name="Author">Who claims to have signed; null for a status, a want or a certificate.</param>
/// <param name="Bytes">The length of the whole message.</param>
public sealed record MessageHeader(MessageType Type, Instance? Instance, MemberId? Author, int Bytes)
{
    /// <summary>Reads only the head of a message; what follows it may still be malformed.</summary>
    public static MessageFault TryRead(ReadOnlySpan<byte> bytes, out MessageHeader? header)
    {
        header = null;
        if (bytes.Length > Limits.MessageBytes)
        {
            return MessageFault.TooLarge;
        }

        CanonicalReader reader = new(bytes);
        if (!PeerMessage.TryReadType(ref reader, out MessageType type, out _))
        {
            return MessageFault.Malformed;
        }

        if (!Enum.IsDefined(type))
        {
            return MessageFault.UnknownType;
        }

        return type == MessageType.Manifest && bytes.Length > Limits.ManifestBytes ? MessageFault.TooLarge
            : TryReadPlace(ref reader, type, bytes.Length, out header) ? MessageFault.None
            : MessageFault.Malformed;
    }

    private static bool TryReadPlace(
        ref CanonicalReader reader, MessageType type, int totalBytes, [NotNullWhen(true)] out MessageHeader? header)
    {
        header = null;
        if (type is MessageType.Status or MessageType.Want)
        {
            header = new MessageHeader(type, null, null, totalBytes);
            return true;
        }

        if (!Instance.TryRead(ref reader, out Instance? instance) || !instance.Admits(type))
        {
            return false;
        }

        if (type == MessageType.Certificate)
        {
            header = new MessageHeader(type, instance, null, totalBytes);
            return true;
        }

        if (!reader.TryReadMember(out MemberId author))
        {
            return false;
        }

        header = new MessageHeader(type, instance, author, totalBytes);
        return true;
    }
}
