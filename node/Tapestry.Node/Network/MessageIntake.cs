using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>Takes the message streams that members open to us: greets, bounds, and hands what they say to the gate.</summary>
/// <param name="neighbours">Who may speak.</param>
/// <param name="gate">Takes the messages.</param>
/// <param name="settings">What links share.</param>
internal sealed class MessageIntake(Neighbours neighbours, MessageGate gate, LinkSettings settings)
{
    /// <summary>How many refused messages end a stream: enough for an honest mismatch of versions to show in the log, too few for a flood.</summary>
    private const int RefusedMax = 16;

    /// <summary>Serves one incoming stream to its end.</summary>
    public async Task ServeAsync(Libp2pStream stream, CancellationToken stopping)
    {
        if (!neighbours.TryGetMember(stream.Remote, out Member? member))
        {
            settings.RefuseStranger(stream.Remote);
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
            gate.Refuse(member, MessageFault.Malformed);
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
            refused += gate.Take(member, bytes) is MessageFate.Refused or MessageFate.Unknown ? 1 : 0;
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
            gate.Refuse(member, error.Fault == Libp2pFault.TooLarge ? MessageFault.TooLarge : MessageFault.Malformed);
            throw;
        }
    }
}
