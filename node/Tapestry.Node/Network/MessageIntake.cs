using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Daemon;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>Takes the message streams that members open to us: greets, bounds, triages, verifies, and hands in what holds.</summary>
/// <remarks>Signatures are checked here, on the stream's own task and off the loop; a message that triage drops costs none.</remarks>
/// <param name="neighbours">Who may speak.</param>
/// <param name="committee">Whose certificates count.</param>
/// <param name="triage">Answers before any signature is checked.</param>
/// <param name="accept">Takes a verified message; false when the loop is behind and it was dropped.</param>
/// <param name="settings">What links share.</param>
internal sealed class MessageIntake(
    Neighbours neighbours, Committee committee, Func<MessageHeader, TriageDecision> triage,
    Func<MemberId, PeerMessage, bool> accept, LinkSettings settings)
{
    /// <summary>How many refused messages end a stream: enough for an honest mismatch of versions to show in the log, too few for a flood.</summary>
    private const int RefusedMax = 16;

    /// <summary>Serves one incoming stream to its end.</summary>
    public async Task ServeAsync(Libp2pStream stream, CancellationToken stopping)
    {
        if (!neighbours.TryGetMember(stream.Remote, out Member? member))
        {
            NetworkLog.Stranger(settings.Logger, stream.Remote.ToString());
            settings.Board.Count($"{stream.Remote.ToShortString()}: {MemberFault.Stranger}");
            stream.Reset();
            return;
        }

        if (await GreetAsync(stream, member, stopping))
        {
            await ReceiveAsync(stream, member, stopping);
        }
    }

    private async Task<bool> GreetAsync(Libp2pStream stream, Member member, CancellationToken stopping)
    {
        byte[]? bytes = await LengthPrefix.ReadAsync(stream.Input, Greeting.Bytes, stopping);
        if (bytes is null || !Greeting.TryRead(bytes, out Greeting theirs))
        {
            Refuse(member, MessageFault.Malformed);
            stream.Reset();
            return false;
        }

        // Answered before it is judged: the other side shall be able to say what is wrong, too.
        LengthPrefix.Write(stream.Output, settings.Greeting.ToArray());
        await stream.Output.FlushAsync(stopping);
        if (settings.Greeting.Compare(theirs) is not MemberFault fault)
        {
            return true;
        }

        settings.RefuseGreeting(member, fault, theirs);
        await stream.CompleteWriteAsync(stopping);
        return false;
    }

    private async Task ReceiveAsync(Libp2pStream stream, Member member, CancellationToken stopping)
    {
        int refused = 0;
        while (refused < RefusedMax && await ReadAsync(stream, member, stopping) is byte[] bytes)
        {
            settings.Traffic.Received(bytes.Length);
            MessageFault fault = MessageHeader.TryRead(bytes, out MessageHeader? header);
            if (fault == MessageFault.None && triage(header!) == TriageDecision.Drop)
            {
                continue;
            }

            PeerMessage? message = null;
            if (fault == MessageFault.None)
            {
                fault = PeerMessage.TryVerify(bytes, committee, out message);
            }

            if (fault != MessageFault.None)
            {
                Refuse(member, fault);
                refused++;
            }
            else if (!accept(member.Id, message!))
            {
                DaemonLog.InboxFull(settings.Logger, member.Name);
            }
        }

        if (refused == RefusedMax)
        {
            stream.Reset();
        }
    }

    private async ValueTask<byte[]?> ReadAsync(Libp2pStream stream, Member member, CancellationToken stopping)
    {
        try
        {
            return await LengthPrefix.ReadAsync(stream.Input, Limits.MessageBytes, stopping);
        }
        catch (Libp2pException error) when (error.Fault is Libp2pFault.TooLarge or Libp2pFault.Malformed)
        {
            Refuse(member, error.Fault == Libp2pFault.TooLarge ? MessageFault.TooLarge : MessageFault.Malformed);
            throw;
        }
    }

    private void Refuse(Member member, MessageFault fault)
    {
        NetworkLog.MessageRefused(settings.Logger, member.Name, fault);
        settings.Board.Count(member.Id, fault switch
        {
            MessageFault.TooLarge => MemberFault.TooLarge,
            MessageFault.BadSignature or MessageFault.BadCertificate => MemberFault.BadSignature,
            _ => MemberFault.Malformed,
        });
    }
}
