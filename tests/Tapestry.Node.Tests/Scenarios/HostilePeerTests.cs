using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Tapestry.Protocol;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>A member against whatever may be at the other end: the daemon's own network parts over real connections.</summary>
public sealed class HostilePeerTests : IAsyncLifetime, IDisposable
{
    private const int ChunkBytes = 1024;

    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(2));
    private readonly TemporaryFolder _folder = new();
    private readonly SigningKey[] _memberKeys = [.. Enumerable.Range(1, 4).Select(Key)];
    private readonly SigningKey[] _peerKeys = [.. Enumerable.Range(11, 4).Select(Key)];
    private readonly ConcurrentQueue<PeerMessage> _accepted = [];
    private readonly Genesis _genesis;
    private readonly Member[] _members;
    private readonly Libp2pHost _ours;
    private readonly Libp2pHost _theirs;
    private readonly StatusBoard _board;
    private readonly Neighbours _neighbours;
    private readonly BlobStore _blobs;
    private readonly Traffic _traffic = new();

    public HostilePeerTests()
    {
        _members =
        [
            .. Enumerable.Range(0, 4).Select(index => new Member(
                new MemberId(_memberKeys[index].PublicKey), $"m{index}", _peerKeys[index].PublicKey, Key(21 + index).PublicKey)),
        ];
        _genesis = NewGenesis.Create("hostile", PlanPresets.ByName["tiny"], _members, 4, noFaultTolerance: false, TimeProvider.System);
        _board = new StatusBoard(_genesis, _members[0], _traffic, new MonotonicClock(TimeProvider.System));
        _neighbours = new Neighbours(_genesis, _members[0].Id);
        LinkSettings settings = new(
            Greeting.Of(_genesis), 16, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), _board, _traffic, TimeProvider.System, NullLogger.Instance);
        _ours = Host(_peerKeys[0], NetworkService.Admission(_neighbours, settings));
        _theirs = Host(_peerKeys[1], _ => true);
        MessageIntake intake = new(_neighbours, new MessageGate(_genesis.FormCommittee(), _ => TriageDecision.Verify, Accept, settings), settings);
        _ours.Handle(TapestryProtocols.Message, (stream, _, ended) => intake.ServeAsync(stream, ended));
        _blobs = BlobStore.Open(_folder.At("blobs"), ChunkBytes);
    }

    public Task InitializeAsync()
    {
        _ours.Start();
        _theirs.Start();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _ours.DisposeAsync();
        await _theirs.DisposeAsync();
        _blobs.Dispose();
        _folder.Dispose();
    }

    public void Dispose() => _late.Dispose();

    [Fact]
    public async Task Strangers_get_no_connection_and_are_counted_as_one_however_many_keys_they_make()
    {
        foreach (int key in (int[])[97, 98, 99])
        {
            await using Libp2pHost stranger = Host(Key(key), _ => true);
            stranger.Start();

            Func<Task> dial = async () =>
            {
                await stranger.DialAsync(_ours.ListenAddresses[0], _late.Token);
                await using Libp2pStream stream = await stranger.OpenStreamAsync(_ours.PeerId, TapestryProtocols.Message, _late.Token);
                await LengthPrefix.ReadAsync(stream.Input, 1, _late.Token);
            };

            await dial.Should().ThrowAsync<Libp2pException>();
        }

        _board.Report().Faults.Should().Equal(new Dictionary<string, long> { ["strangers: Stranger"] = 3 });
    }

    [Fact]
    public async Task Mistakes_of_ours_and_refused_streams_and_callers_are_counted_under_few_names_and_logged_ever_more_rarely()
    {
        CapturedLog log = new();
        LinkSettings settings = new(
            Greeting.Of(_genesis), 16, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), _board, _traffic, TimeProvider.System, log);
        new HostWatch(_neighbours, settings).Watch(_ours);
        _ours.Handle("/mistaken/1", (_, _, _) => throw new InvalidOperationException("ours"));
        _ours.Handle("/strict/1", (_, _, _) => throw new Libp2pException(Libp2pFault.Malformed, "theirs"));
        await _theirs.DialAsync(_ours.ListenAddresses[0], _late.Token);

        for (int time = 0; time < 5; time++)
        {
            await OpenAndLoseAsync("/mistaken/1");
            await OpenAndLoseAsync("/strict/1");
        }

        await CallWithGarbageAsync();

        Dictionary<string, long> expected = new() { ["this member: serving /mistaken/1 failed"] = 5, ["m1: Malformed"] = 5, ["callers: Malformed"] = 1 };
        await UntilAsync(() => _board.Report().Faults.Values.Sum() == 11);
        _board.Report().Faults.Should().Equal(expected);

        // What is counted is logged a moment later.
        await UntilAsync(() => log.Lines.Count() >= 7);
        log.Lines.Should().HaveCount(7, "the first, second and fourth time of two things, and the first of a third");
        log.Lines.Should().Contain(line => line.Contains("serving /mistaken/1 to m1", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_greeting_of_another_network_is_answered_with_ours_and_ends_the_stream()
    {
        await using Libp2pStream stream = await OpenAsync();
        Greeting other = new(Digest.Of([1]), _genesis.Plan.Digest);

        Greeting? answer = await GreetAsync(stream, other);

        answer.Should().Be(Greeting.Of(_genesis));
        (await LengthPrefix.ReadAsync(stream.Input, 1, _late.Token)).Should().BeNull();
        _board.Report().Faults.Keys.Should().Contain("m1: WrongGenesis");
    }

    [Fact]
    public async Task A_greeting_of_another_plan_is_a_fault_of_its_own()
    {
        await using Libp2pStream stream = await OpenAsync();

        await GreetAsync(stream, new Greeting(_genesis.Digest, Digest.Of([1])));

        (await LengthPrefix.ReadAsync(stream.Input, 1, _late.Token)).Should().BeNull();
        _board.Report().Faults.Keys.Should().Contain("m1: WrongPlan");
    }

    [Fact]
    public async Task An_oversized_frame_is_refused_before_it_is_read()
    {
        await using Libp2pStream stream = await OpenAsync();
        await GreetAsync(stream, Greeting.Of(_genesis));

        // Only the length: nothing of the message itself is ever sent.
        stream.Output.Advance(Varint.Write(stream.Output.GetSpan(Varint.MaximumLength), Limits.MessageBytes + 1));
        await stream.Output.FlushAsync(_late.Token);

        await UntilAsync(() => _board.Report().Faults.ContainsKey("m1: TooLarge"));
        _accepted.Should().BeEmpty();
    }

    [Fact]
    public async Task Bytes_that_are_no_message_and_signatures_that_do_not_hold_are_counted_and_the_next_message_still_counts()
    {
        SignedStatement good = Manifest(_genesis.InitialBase);
        SignedStatement forged = good with { Author = _members[2].Id };
        await using Libp2pStream stream = await OpenAsync();
        await GreetAsync(stream, Greeting.Of(_genesis));

        LengthPrefix.Write(stream.Output, "garbage"u8);
        LengthPrefix.Write(stream.Output, new PeerMessage.Signed(forged).Encode().Span);
        LengthPrefix.Write(stream.Output, new PeerMessage.Signed(good).Encode().Span);
        await stream.Output.FlushAsync(_late.Token);

        await UntilAsync(() => !_accepted.IsEmpty);
        _accepted.Single().Should().Be(new PeerMessage.Signed(good));
        _board.Report().Faults.Keys.Should().BeEquivalentTo("m1: Malformed", "m1: BadSignature");
    }

    [Fact]
    public void A_manifest_for_another_base_is_reported_by_the_rules()
    {
        Partner partner = Partner.Restore(_genesis, _memberKeys[0], new NoRecords());
        partner.Step(new PartnerEvent.Started(), new Instant(0, 0));

        Step step = partner.Step(
            new PartnerEvent.MessageReceived(_members[1].Id, new PeerMessage.Signed(Manifest(Digest.Of([7])))), new Instant(1, 1));

        step.Effects.Should().Contain(new Effect.Report(_members[1].Id, MemberFault.WrongBase));
    }

    [Fact]
    public async Task A_shard_that_holds_no_number_is_its_authors_fault()
    {
        // Every scale byte of MXINT8 set to 0xFF: not a number, by the format.
        BaseLayout layout = BaseLayout.Of(_genesis.Plan);
        RootLists lists = new(_folder.At("lists"));
        Rounds.BaseFiles bases = new(_blobs, lists, _genesis);
        Questions questions = new(_ours, _neighbours, _board, _traffic, TimeSpan.FromSeconds(20), NullLogger<Questions>.Instance);
        SwarmOptions options = new(0, 0, new SwarmLimits(), TimeProvider.System);
        using BlobSwarm swarm = new(_ours, _blobs, options, _traffic);
        MemberBlobs members = new(swarm, _neighbours, _board, NullLogger<MemberBlobs>.Instance);
        Rounds.SliceWorker worker = new(_genesis, bases, _blobs, lists, members, questions, _board, _neighbours);
        List<Digest> roots = [];
        for (int slice = 0; slice < layout.SliceCount; slice++)
        {
            byte[] shard = new byte[layout.ShardBytes(slice, Codec.MxInt8)];
            shard.AsSpan().Fill(0xFF);
            using BlobWriter writer = _blobs.Create(1, layout.ShardChunkBytes(Codec.MxInt8));
            writer.Append(shard);
            roots.Add(writer.Commit());
        }

        Statement.Manifest manifest = new(
            _genesis.InitialBase, Codec.MxInt8, 128, 5, 4, 1, Sequence<Digest>.Empty, roots.ToSequence());
        EffectOutcome outcome = await worker.CheckShardsAsync(new Effect.CheckShards(new EffectId(1), manifest, [_members[1].Id]), _late.Token);

        outcome.Should().Be(new EffectOutcome.Failed(EffectFault.BadEncoding, _members[1].Id));
    }

    [Fact]
    public void What_gossip_brought_before_is_ignored_before_any_signature_is_checked_and_a_stream_may_repeat_it()
    {
        int taken = 0;
        bool hasRoom = false;
        LinkSettings settings = new(
            Greeting.Of(_genesis), 16, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), _board, _traffic, TimeProvider.System, NullLogger.Instance);
        MessageGate gate = new(_genesis.FormCommittee(), _ => TriageDecision.Verify, Take, settings);
        byte[] manifest = new PeerMessage.Signed(Manifest(_genesis.InitialBase)).Encode().ToArray();
        byte[] forged = [.. manifest[..^1], (byte)(manifest[^1] ^ 1)];

        gate.TakeGossip(_members[1], manifest).Should().Be(MessageFate.NoRoom);
        hasRoom = true;
        gate.TakeGossip(_members[1], forged).Should().Be(MessageFate.Refused, "nothing is known that was not taken");
        gate.TakeGossip(_members[1], manifest).Should().Be(MessageFate.Taken);
        gate.TakeGossip(_members[1], manifest).Should().Be(MessageFate.Repeated);
        gate.TakeGossip(_members[2], manifest).Should().Be(MessageFate.Repeated, "whoever says it again");
        gate.TakeGossip(_members[1], forged).Should().Be(MessageFate.Repeated, "no signature is looked at");
        taken.Should().Be(1);
        gate.Take(_members[1], manifest).Should().Be(MessageFate.Taken);
        gate.Take(_members[1], manifest).Should().Be(MessageFate.Taken);
        gate.Take(_members[1], forged).Should().Be(MessageFate.Refused);

        bool Take(MemberId from, PeerMessage message)
        {
            taken += hasRoom ? 1 : 0;
            return hasRoom;
        }
    }

    private static SigningKey Key(int number)
    {
        byte[] seed = new byte[SigningKey.SeedLength];
        seed[0] = (byte)number;
        return SigningKey.FromSeed(seed);
    }

    private static Libp2pHost Host(SigningKey key, Predicate<PeerId> admits) => new(
        new Libp2pIdentity(key), new Libp2pHostOptions { ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")], Admits = admits });

    private static int Port(Libp2pHost host) =>
        host.ListenAddresses[0].TryGetTcp(out _, out ushort port) ? port : throw new InvalidOperationException("The host does not listen.");

    private bool Accept(MemberId from, PeerMessage message)
    {
        from.Should().Be(_members[1].Id);
        _accepted.Enqueue(message);
        return true;
    }

    private SignedStatement Manifest(Digest @base)
    {
        Instance place = new(_genesis.Digest, _genesis.Plan.Digest, 1, 0, 0, AgreementKind.None, Digest.Zero);
        Statement.Manifest manifest = new(
            @base, Codec.MxInt8, 128, 5, 4, 1, Sequence<Digest>.Empty,
            Enumerable.Range(0, _genesis.Plan.Exchange.Slices).Select(slice => Digest.Of([(byte)slice])).ToSequence());
        return SignedStatement.Sign(place, _members[1].Id, manifest, _memberKeys[1]);
    }

    private async Task<Libp2pStream> OpenAsync()
    {
        await _theirs.DialAsync(_ours.ListenAddresses[0], _late.Token);
        return await _theirs.OpenStreamAsync(_ours.PeerId, TapestryProtocols.Message, _late.Token);
    }

    private async Task OpenAndLoseAsync(string protocol)
    {
        Func<Task> open = async () =>
        {
            await using Libp2pStream stream = await _theirs.OpenStreamAsync(_ours.PeerId, protocol, _late.Token);
            await LengthPrefix.ReadAsync(stream.Input, 1, _late.Token);
        };
        await open.Should().ThrowAsync<Libp2pException>();
    }

    private async Task CallWithGarbageAsync()
    {
        using TcpClient caller = new();
        await caller.ConnectAsync(IPAddress.Loopback, Port(_ours), _late.Token);
        await caller.GetStream().WriteAsync("\u0004none"u8.ToArray(), _late.Token);
        await UntilAsync(() => _board.Report().Faults.Keys.Any(fault => fault.StartsWith("callers: ", StringComparison.Ordinal)));
    }

    private async Task<Greeting?> GreetAsync(Libp2pStream stream, Greeting greeting)
    {
        LengthPrefix.Write(stream.Output, greeting.ToArray());
        await stream.Output.FlushAsync(_late.Token);
        byte[]? answer = await LengthPrefix.ReadAsync(stream.Input, Greeting.Bytes, _late.Token);
        return answer is not null && Greeting.TryRead(answer, out Greeting theirs) ? theirs : null;
    }

    private async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(5, _late.Token);
        }
    }

    private sealed class NoRecords : IRecordReader
    {
        public ByteString? Read(Table table, ReadOnlySpan<byte> key) => null;

        public IEnumerable<KeyValuePair<ByteString, ByteString>> ReadAll(Table table) => [];
    }
}
