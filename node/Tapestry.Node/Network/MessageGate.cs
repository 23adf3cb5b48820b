using Tapestry.Crypto;
using Tapestry.Node.Daemon;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>The one way from a member's bytes to the loop: bounds, triage, signatures, and room in the inbox.</summary>
/// <remarks>Runs on the task that received the bytes, off the loop; a message that triage drops costs no signature check.</remarks>
/// <param name="committee">Whose certificates count.</param>
/// <param name="triage">Answers before any signature is checked.</param>
/// <param name="accept">Takes a verified message; false when the loop is behind and it was dropped.</param>
/// <param name="settings">What links share.</param>
internal sealed class MessageGate(
    Committee committee, Func<MessageHeader, TriageDecision> triage, Func<MemberId, PeerMessage, bool> accept, LinkSettings settings)
{
    private readonly TakenMessages _taken = new();
    private long _dropped;

    /// <summary>Takes what a member said on its own stream, also again: the rules repeat there what they got no answer to.</summary>
    public MessageFate Take(Member from, ReadOnlySpan<byte> bytes) => Take(from, bytes, byGossip: false);

    /// <summary>Takes what a member said to everyone, once: there, everything is said for the first time.</summary>
    public MessageFate TakeGossip(Member from, ReadOnlySpan<byte> bytes) => Take(from, bytes, byGossip: true);

    private MessageFate Take(Member from, ReadOnlySpan<byte> bytes, bool byGossip)
    {
        MessageFault fault = MessageHeader.TryRead(bytes, out MessageHeader? header);
        if (fault == MessageFault.None && byGossip && !IsForEveryone(header!.Type))
        {
            fault = MessageFault.Malformed;
        }

        if (fault == MessageFault.None && triage(header!) == TriageDecision.Drop)
        {
            return MessageFate.NotWanted;
        }

        Digest said = fault == MessageFault.None && byGossip ? TakenMessages.NameOf(header!.Type, bytes) : default;
        if (fault == MessageFault.None && byGossip && _taken.Contains(said))
        {
            return MessageFate.Repeated;
        }

        PeerMessage? message = null;
        if (fault == MessageFault.None)
        {
            fault = PeerMessage.TryVerify(bytes, committee, out message);
        }

        if (fault != MessageFault.None)
        {
            // Of a later version, whoever passed it on may know it, and who wrote it has done nothing wrong.
            if (byGossip && fault == MessageFault.UnknownType)
            {
                return MessageFate.Unknown;
            }

            Refuse(from, fault);
            return fault == MessageFault.UnknownType ? MessageFate.Unknown : MessageFate.Refused;
        }

        if (!accept(from.Id, message!))
        {
            long times = Interlocked.Increment(ref _dropped);
            if (StatusBoard.IsToldOf(times))
            {
                DaemonLog.InboxFull(settings.Logger, from.Name, times);
            }

            return MessageFate.NoRoom;
        }

        // Another copy may have been under way at the same time: only one of them counts as news.
        return byGossip && !_taken.TryAdd(from.Id, said) ? MessageFate.Repeated : MessageFate.Taken;
    }

    /// <summary>Counts and logs a fault of a member's bytes.</summary>
    public void Refuse(Member from, MessageFault fault)
    {
        NetworkLog.MessageRefused(settings.Logger, from.Name, fault);
        settings.Board.Count(from.Id, fault switch
        {
            MessageFault.TooLarge => MemberFault.TooLarge,
            MessageFault.BadSignature or MessageFault.BadCertificate => MemberFault.BadSignature,
            _ => MemberFault.Malformed,
        });
    }

    /// <summary>What the rules publish. Receipts, settlements and questions concern a few, and go on streams.</summary>
    private static bool IsForEveryone(MessageType type) => type is
        MessageType.Manifest or MessageType.Propose or MessageType.Notarize or MessageType.Nullify or MessageType.Finalize or MessageType.Certificate;
}

/// <summary>What became of a message.</summary>
internal enum MessageFate : byte
{
    /// <summary>The loop has it.</summary>
    Taken,

    /// <summary>Triage dropped it: of another round, or too late.</summary>
    NotWanted,

    /// <summary>Gossip brought it before.</summary>
    Repeated,

    /// <summary>The loop is behind, or behind with this member; the rules ask again.</summary>
    NoRoom,

    /// <summary>A type that this version does not know.</summary>
    Unknown,

    /// <summary>Not a message, or a signature does not hold: a fault of whoever sent it.</summary>
    Refused,
}
