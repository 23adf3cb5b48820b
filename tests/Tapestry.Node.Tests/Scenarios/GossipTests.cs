using System.Collections.Concurrent;
using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Gossip;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>What members say to everyone: the daemon's own gossip over real connections, also with a member that lies.</summary>
public sealed class GossipTests : IAsyncLifetime, IDisposable
{
    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(1));
    private readonly SigningKey[] _memberKeys = [.. Enumerable.Range(1, 4).Select(Key)];
    private readonly SigningKey[] _peerKeys = [.. Enumerable.Range(11, 4).Select(Key)];
    private readonly List<Party> _parties = [];
    private readonly Genesis _genesis;

    public GossipTests() => _genesis = NewGenesis.Create(
        "gossip", PlanPresets.ByName["tiny"],
        [
            .. Enumerable.Range(0, 4).Select(index => new Member(
                new MemberId(_memberKeys[index].PublicKey), $"m{index}", _peerKeys[index].PublicKey, Key(21 + index).PublicKey)),
        ],
        4, noFaultTolerance: false, TimeProvider.System);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (Party party in _parties)
        {
            await party.DisposeAsync();
        }
    }

    public void Dispose() => _late.Dispose();

    [Fact]
    public async Task What_one_member_publishes_every_other_takes_once_and_as_its_word()
    {
        Party[] parties = await MeetAsync(_genesis, 4);
        PeerMessage manifest = Manifest(_genesis, 0);

        parties[0].Gossip.Publish(manifest);

        await UntilAsync(() => parties.Skip(1).All(party => party.Taken.Count == 1));
        foreach (Party party in parties.Skip(1))
        {
            party.Taken.Should().Equal((new MemberId(_memberKeys[0].PublicKey), manifest));
        }

        parties[0].Taken.Should().BeEmpty();
        parties.Sum(party => party.Traffic.ReceivedBytes).Should().BeGreaterThan(3 * manifest.Encode().Length, "what gossip carries counts as traffic");
    }

    [Fact]
    public async Task It_goes_on_to_members_that_are_not_connected_to_its_author()
    {
        Party[] parties = [.. Enumerable.Range(0, 3).Select(index => Start(_genesis, index))];
        await ConnectAsync(parties[0], parties[1]);
        await ConnectAsync(parties[1], parties[2]);
        await UntilAsync(() => parties[1].Topic.Count == 2 && parties[2].Topic.Count == 1);
        PeerMessage manifest = Manifest(_genesis, 0);

        // Said again until the mesh is there, as the rules would.
        await UntilAsync(() =>
        {
            parties[0].Gossip.Publish(manifest);
            return !parties[2].Taken.IsEmpty;
        });

        parties[2].Taken.First().From.Should().Be(new MemberId(_memberKeys[0].PublicKey));
    }

    [Fact]
    public async Task Two_networks_with_the_same_members_never_mix()
    {
        Genesis other = NewGenesis.Create(
            "other", PlanPresets.ByName["tiny"], [.. _genesis.Members], 4, noFaultTolerance: false, TimeProvider.System);
        Party ours = Start(_genesis, 0);
        Party same = Start(_genesis, 1);
        Party theirs = Start(other, 2);
        await ConnectAsync(ours, same);
        await ConnectAsync(ours, theirs);
        await UntilAsync(() => same.Topic.Count == 1);

        ours.Gossip.Publish(Manifest(_genesis, 0));

        await UntilAsync(() => same.Taken.Count == 1);
        theirs.Taken.Should().BeEmpty();
        theirs.Topic.Should().BeEmpty();
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("forged signature")]
    [InlineData("receipt")]
    [InlineData("question")]
    public async Task What_may_not_be_gossiped_is_rejected_counted_and_scored(string crime)
    {
        Party honest = Start(_genesis, 0);
        await using Libp2pHost liar = NewHost(_peerKeys[1], _ => true);
        await using Gossipsub gossip = new(liar, new GossipOptions());
        liar.Start();
        string topic = TapestryProtocols.Topic(_genesis.Digest);
        gossip.Subscribe(topic, (_, _) => ValueTask.FromResult(GossipVerdict.Accept));
        await liar.DialAsync(honest.Host.ListenAddresses[0], _late.Token);
        await UntilAsync(() => gossip.PeersOf(topic).Count == 1 && honest.Topic.Count == 1);

        await gossip.PublishAsync(topic, Bytes(crime).ToArray(), _late.Token);
        await gossip.PublishAsync(topic, Manifest(_genesis, 1).Encode().Memory, _late.Token);

        await UntilAsync(() => honest.Taken.Count == 1 && honest.Board.Report().Faults.ContainsKey("m1: Rejected"));
        honest.Board.Report().Faults.Keys.Should().Contain(crime == "forged signature" ? "m1: BadSignature" : "m1: Malformed");
        honest.Gossip.ScoreOf(liar.PeerId).Should().BeNegative();
    }

    [Theory]
    [InlineData("stream", "m1: Malformed")]
    [InlineData("connect", "m1: PermissionDenied")]
    public async Task What_is_refused_outside_gossip_is_counted_and_scored_in_it(string wanted, string fault)
    {
        Party honest = Start(_genesis, 0);
        await using Libp2pHost asker = NewHost(_peerKeys[1], _ => true);
        await using Gossipsub gossip = new(asker, new GossipOptions());
        asker.Start();
        gossip.Subscribe(TapestryProtocols.Topic(_genesis.Digest), (_, _) => ValueTask.FromResult(GossipVerdict.Accept));
        await asker.DialAsync(honest.Host.ListenAddresses[0], _late.Token);
        await UntilAsync(() => honest.Topic.Count == 1);
        honest.Gossip.ScoreOf(asker.PeerId).Should().BeGreaterThanOrEqualTo(0);

        honest.Host.Handle("/strict/1", (_, _, _) => throw new Libp2pException(Libp2pFault.Malformed, "theirs"));
        HopMessage request = new() { Type = HopMessageType.Connect, Peer = asker.PeerId };
        await AskAsync(asker, honest.Host.PeerId, wanted == "stream" ? "/strict/1" : CircuitRelay.HopId, request.ToArray());

        await UntilAsync(() => honest.Board.Report().Faults.ContainsKey(fault));
        honest.Gossip.ScoreOf(asker.PeerId).Should().BeNegative();
    }

    [Fact]
    public async Task What_triage_drops_or_the_inbox_has_no_room_for_is_nobodys_fault()
    {
        Party[] parties = await MeetAsync(_genesis, 3);
        parties[1].Triage = TriageDecision.Drop;
        parties[2].HasRoom = false;

        parties[0].Gossip.Publish(Manifest(_genesis, 0));

        await UntilAsync(() => parties[1].Asked > 0 && parties[2].Asked > 0);
        parties[1].Taken.Should().BeEmpty();
        parties.Should().OnlyContain(party => party.Board.Report().Faults.Count == 0);
    }

    private static SigningKey Key(int number)
    {
        byte[] seed = new byte[SigningKey.SeedLength];
        BitConverter.TryWriteBytes(seed, number);
        return SigningKey.FromSeed(seed);
    }

    private static Libp2pHost NewHost(SigningKey key, Predicate<PeerId> admits) => new(
        new Libp2pIdentity(key),
        new Libp2pHostOptions
        {
            ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            Admits = admits,
        });

    private async Task AskAsync(Libp2pHost from, PeerId to, string protocol, byte[] request)
    {
        try
        {
            await using Libp2pStream stream = await from.OpenStreamAsync(to, protocol, _late.Token);
            LengthPrefix.Write(stream.Output, request);
            await stream.CompleteWriteAsync(_late.Token);
            await LengthPrefix.ReadAsync(stream.Input, HopMessage.MaximumLength, _late.Token);
        }
        catch (Libp2pException)
        {
            // A refusal may be a reset, at any moment.
        }
    }

    private ByteString Bytes(string crime)
    {
        Instance place = new(_genesis.Digest, _genesis.Plan.Digest, 1, 0, 0, AgreementKind.None, _genesis.FormCommittee().Digest);
        MemberId liar = new(_memberKeys[1].PublicKey);
        return crime switch
        {
            "garbage" => ByteString.CopyFrom("garbage"u8),
            "forged signature" => Forge(Manifest(_genesis, 1)).Encode(),
            "receipt" => new PeerMessage.Signed(
                SignedStatement.Sign(place, liar, new Statement.Receipt(Digest.Of("m"u8), 0, [new SliceSum(0, 1)]), _memberKeys[1])).Encode(),
            _ => new PeerMessage.Status(1, AgreementKind.None, 0).Encode(),
        };
    }

    private PeerMessage.Signed Forge(PeerMessage.Signed signed) => new(signed.Statement with { Author = new MemberId(_memberKeys[2].PublicKey) });

    private PeerMessage.Signed Manifest(Genesis genesis, int member)
    {
        Instance place = new(genesis.Digest, genesis.Plan.Digest, 1, 0, 0, AgreementKind.None, Digest.Zero);
        Statement.Manifest manifest = new(
            genesis.InitialBase, genesis.Plan.Exchange.Up, 1000, 2, 1, 1, [],
            Enumerable.Range(0, genesis.Plan.Exchange.Slices).Select(slice => Digest.Of([(byte)slice])).ToSequence());
        return new PeerMessage.Signed(SignedStatement.Sign(place, new MemberId(_memberKeys[member].PublicKey), manifest, _memberKeys[member]));
    }

    private async Task<Party[]> MeetAsync(Genesis genesis, int count)
    {
        Party[] parties = [.. Enumerable.Range(0, count).Select(index => Start(genesis, index))];
        for (int one = 0; one < count; one++)
        {
            for (int other = one + 1; other < count; other++)
            {
                await ConnectAsync(parties[one], parties[other]);
            }
        }

        await UntilAsync(() => parties.All(party => party.Topic.Count == count - 1));
        return parties;
    }

    private async Task ConnectAsync(Party one, Party other) => await one.Host.DialAsync(other.Host.ListenAddresses[0], _late.Token);

    private Party Start(Genesis genesis, int member)
    {
        Party party = new(genesis, member, new MemberId(_memberKeys[member].PublicKey), _peerKeys[member]);
        _parties.Add(party);
        return party;
    }

    private async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            await Task.Delay(50, _late.Token);
        }
    }

    /// <summary>The parts of a daemon that gossip.</summary>
    private sealed class Party : IAsyncDisposable
    {
        private readonly MemberRelay _relay;
        private int _asked;

        internal Party(Genesis genesis, int member, MemberId self, SigningKey peerKey)
        {
            Board = new StatusBoard(genesis, genesis.Members.First(one => one.Id == self), Traffic, new MonotonicClock(TimeProvider.System));
            Neighbours neighbours = new(genesis, self);
            LinkSettings settings = new(
                Greeting.Of(genesis), 16, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), Board, Traffic, TimeProvider.System, NullLogger.Instance);
            Host = NewHost(peerKey, NetworkService.Admission(neighbours, settings));
            MessageGate gate = new(genesis.FormCommittee(), _ => Decide(), Accept, settings);
            Gossip = new GossipService(Host, genesis, neighbours, gate, settings, ceiling: null);
            _relay = new MemberRelay(Host, genesis, neighbours, Reach.Direct, settings);
            new HostWatch(neighbours, settings).Watch(Host);
            Host.Start();
            Gossip.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        internal Libp2pHost Host { get; }

        internal GossipService Gossip { get; }

        internal StatusBoard Board { get; }

        internal Traffic Traffic { get; } = new();

        internal ConcurrentQueue<(MemberId From, PeerMessage Message)> Taken { get; } = [];

        internal IReadOnlyList<PeerId> Topic => Gossip.Peers;

        internal TriageDecision Triage { get; set; } = TriageDecision.Verify;

        internal bool HasRoom { get; set; } = true;

        internal int Asked => Volatile.Read(ref _asked);

        public async ValueTask DisposeAsync()
        {
            await Gossip.StopAsync(CancellationToken.None);
            await Gossip.DisposeAsync();
            await _relay.DisposeAsync();
            await Host.DisposeAsync();
        }

        private TriageDecision Decide()
        {
            Interlocked.Increment(ref _asked);
            return Triage;
        }

        private bool Accept(MemberId from, PeerMessage message)
        {
            if (HasRoom)
            {
                Taken.Enqueue((from, message));
            }

            return HasRoom;
        }
    }
}
