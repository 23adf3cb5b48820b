using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim;

/// <summary>Links with delay, bandwidth, loss, duplication, reordering and partitions.</summary>
/// <remarks>
/// A sender's bytes leave one after another at its uplink's rate; then each message takes its own delay, so later ones may overtake.
/// A delay is uniform between a fifth of the bound and the bound; before the healing some take many times as long.
/// </remarks>
internal sealed class Network(World world)
{
    private const int LongDelayFactor = 30;

    private readonly RandomStream _random = world.Stream(WorldStream.Network);
    private readonly List<bool[]> _partitions = [];

    internal long Messages { get; private set; }

    internal long LostMessages { get; private set; }

    /// <summary>Separates the members into two sides until the returned action is called.</summary>
    internal Action Separate(bool[] side)
    {
        _partitions.Add(side);
        return () => _partitions.Remove(side);
    }

    internal bool AreSeparated(Host one, Host other) => _partitions.Any(side => side[one.Index] != side[other.Index]);

    internal void Send(Host from, Effect.Send send)
    {
        int bytes = send.Message.Encode().Length;
        foreach (MemberId to in send.To)
        {
            Send(from, world.HostOf(to), send.Message, bytes);
        }
    }

    /// <summary>When bytes that a host starts to send now have left it.</summary>
    internal long Upload(Host from, long bytes)
    {
        long start = Math.Max(world.Time.NowUs, from.UplinkFreeUs);
        from.UplinkFreeUs = start + (bytes * 8 / world.Options.UplinkMbps);
        from.SentBytes += bytes;
        return from.UplinkFreeUs - world.Time.NowUs;
    }

    /// <summary>A delay of one message, in microseconds.</summary>
    internal long Delay()
    {
        long bound = world.Options.DelayMs * 1000L;
        long delay = _random.Between(bound / 5, bound);
        return !world.HasHealed && _random.Chance(world.Options.LongDelay) ? delay * LongDelayFactor : delay;
    }

    private void Send(Host from, Host to, PeerMessage message, int bytes)
    {
        Messages++;
        long leavesIn = Upload(from, bytes);
        bool isLossy = !world.HasHealed || world.Options.LossForEver;
        if (AreSeparated(from, to) || IsUnheard(from, message) || (isLossy && _random.Chance(world.Options.Loss)))
        {
            LostMessages++;
            return;
        }

        world.Time.In(leavesIn + Delay(), () => Arrive(from, to, message, bytes));
        if (_random.Chance(world.Options.Duplication))
        {
            world.Time.In(leavesIn + (2 * Delay()), () => Arrive(from, to, message, bytes));
        }
    }

    private bool IsUnheard(Host from, PeerMessage message) => from.Index == world.Options.UnheardDecider && message switch
    {
        PeerMessage.Signed { Statement: { Statement: Statement.Finalize } signed } => signed.Instance.Agreement == AgreementKind.Result,
        PeerMessage.Certified { Certificate: { Kind: VoteKind.Finalize } certificate } =>
            certificate.Instance.Agreement == AgreementKind.Result,
        _ => false,
    };

    private void Arrive(Host from, Host to, PeerMessage message, int bytes)
    {
        if (to.Partner is Partner partner && partner.Triage(HeaderOf(message, bytes)) == TriageDecision.Verify && world.Verifies(message))
        {
            to.Deliver(new PartnerEvent.MessageReceived(from.Id, message));
        }
    }

    private static MessageHeader HeaderOf(PeerMessage message, int bytes) => message switch
    {
        PeerMessage.Signed signed => new MessageHeader(signed.Statement.Type, signed.Statement.Instance, signed.Statement.Author, bytes),
        PeerMessage.Certified certified => new MessageHeader(MessageType.Certificate, certified.Certificate.Instance, null, bytes),
        PeerMessage.Want => new MessageHeader(MessageType.Want, null, null, bytes),
        _ => new MessageHeader(MessageType.Status, null, null, bytes),
    };
}
