using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>What waits for one peer, and what becomes of more.</summary>
public sealed class GossipOutboxTests
{
    private static readonly GossipLimits Limits = new();
    private static readonly GossipRpc Told = new() { Have = [new GossipHave(LoneRouter.Topic, [LoneRouter.Id(1)])] };
    private static readonly GossipRpc Grafted = new() { Graft = [LoneRouter.Topic] };

    private TimeSpan _now;

    [Fact]
    public void Idontwant_of_any_number_of_messages_never_fills_the_queue_of_control_and_goes_first()
    {
        GossipOutbox outbox = NewOutbox();
        outbox.Add(Grafted).Should().Be(OutboxFate.Queued);
        for (int number = 0; number < 10_000; number++)
        {
            outbox.Add(Declined(number)).Should().Be(number < Limits.QueueDoNotWantIdsPerPeer ? OutboxFate.Queued : OutboxFate.Dropped);
        }

        _now += TimeSpan.FromMinutes(1);
        outbox.Add(Grafted).Should().Be(OutboxFate.Queued);
        List<GossipRpc> sent = Drain(outbox);
        sent[..^2].Should().OnlyContain(rpc => rpc.DoNotWant.Count <= 10, "go-libp2p hears no more of one RPC");
        sent.SelectMany(rpc => rpc.DoNotWant).Should().Equal(Enumerable.Range(0, Limits.QueueDoNotWantIdsPerPeer).Select(LoneRouter.Id));
        sent[^2..].Should().Equal(Grafted, Grafted);
    }

    [Fact]
    public void A_peer_that_takes_nothing_for_ten_seconds_does_not_read_and_that_is_said_once_a_stream()
    {
        GossipOutbox outbox = Full();
        outbox.Flushing(_now);
        _now += Limits.NotReadingTime - TimeSpan.FromTicks(1);
        outbox.Add(Told).Should().Be(OutboxFate.Dropped);
        _now += TimeSpan.FromTicks(1);
        outbox.Add(Told).Should().Be(OutboxFate.NotReading);
        outbox.Add(Grafted).Should().Be(OutboxFate.Dropped, "the stream is being reset");

        outbox.Clear();
        outbox.Add(Grafted).Should().Be(OutboxFate.Queued);
    }

    [Fact]
    public void A_burst_to_a_peer_that_reads_is_dropped_where_it_can_be_done_without()
    {
        GossipOutbox outbox = Full();
        _now += TimeSpan.FromMinutes(1);
        outbox.Add(Told).Should().Be(OutboxFate.Dropped);
        outbox.Add(Declined(1)).Should().Be(OutboxFate.Queued);
        outbox.Add(Grafted).Should().Be(OutboxFate.OutOfStep, "else it would believe something else of us for ever");
        outbox.Add(Grafted).Should().Be(OutboxFate.Dropped);
    }

    [Fact]
    public void Control_in_pieces_is_read_by_whoever_has_our_bounds()
    {
        GossipHave have = new(new string('t', Limits.TopicBytes), [.. Enumerable.Range(0, 5000).Select(LongId)]);
        ExchangedPeer peer = new(LoneRouter.Peer(1), new byte[Limits.PeerRecordBytes]);
        GossipPrune prune = new(LoneRouter.Topic, [.. Enumerable.Repeat(peer, 16)], TimeSpan.FromSeconds(60));
        ControlPacker packer = new(Limits);
        for (int number = 0; number < 20; number++)
        {
            packer.Add(LoneRouter.Topic);
            packer.Add(prune);
        }

        packer.Add(have);
        packer.Add(have);
        IReadOnlyList<GossipRpc> packed = packer.Take();
        packed.Should().HaveCountLessThan(10);
        List<GossipRpc> read = [.. packed.Select(Read)];
        read.Sum(rpc => rpc.Graft.Count).Should().Be(20);
        read.Sum(rpc => rpc.Prune.Count).Should().Be(20);
        read.SelectMany(rpc => rpc.Have).Should().HaveCount(2).And.OnlyContain(read => read.Ids.SequenceEqual(have.Ids));
    }

    [Fact]
    public void Limits_that_our_own_rpcs_would_break_are_refused()
    {
        Action tooFew = () => _ = new LoneRouter(limits: Limits with { EntriesPerRpc = 5000 });
        Action tooShort = () => _ = new LoneRouter(limits: Limits with { RpcBytes = 512 * 1024 });
        tooFew.Should().Throw<ArgumentException>().WithMessage("*EntriesPerRpc = 5000*");
        tooShort.Should().Throw<ArgumentException>().WithMessage("*RpcBytes*");
    }

    private static GossipRpc Declined(int number) => new() { DoNotWant = [LoneRouter.Id(number)] };

    private static GossipId LongId(int number) => new([.. BitConverter.GetBytes(number), .. new byte[Limits.MessageIdBytes - 4]]);

    private static GossipRpc Read(GossipRpc rpc)
    {
        GossipRpcReader.TryRead(GossipRpcWriter.Encode(rpc), Limits, out GossipRpc? read).Should().Be(GossipFault.None);
        return read!;
    }

    private static List<GossipRpc> Drain(GossipOutbox outbox)
    {
        List<GossipRpc> sent = [];
        bool madeRoom = false;
        while (outbox.TryTake(out GossipRpc? rpc, ref madeRoom))
        {
            sent.Add(rpc!);
        }

        return sent;
    }

    private GossipOutbox NewOutbox() => new(Limits, () => _now) { RoomMade = static () => { }, Sent = static _ => { } };

    private GossipOutbox Full()
    {
        GossipOutbox outbox = NewOutbox();
        for (int number = 0; number < Limits.QueueControlPerPeer; number++)
        {
            outbox.Add(Told).Should().Be(OutboxFate.Queued);
        }

        return outbox;
    }
}
