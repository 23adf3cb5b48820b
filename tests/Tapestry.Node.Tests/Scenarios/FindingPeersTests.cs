using System.Globalization;
using System.Text.RegularExpressions;
using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Members that find each other: the daemon's own network parts and storage, over real connections on loopback.</summary>
public sealed class FindingPeersTests : IAsyncLifetime, IDisposable
{
    private const int Members = 4;

    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(2));
    private readonly TemporaryFolder _folder = new();
    private readonly SigningKey[] _peerKeys = [.. Enumerable.Range(11, Members).Select(Key)];
    private readonly Genesis _genesis;
    private readonly Node?[] _nodes = new Node?[Members];

    public FindingPeersTests() => _genesis = Network("finding");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (Node? node in _nodes.Where(node => node is not null))
        {
            await node!.DisposeAsync();
        }

        _folder.Dispose();
    }

    public void Dispose() => _late.Dispose();

    [Fact]
    public async Task Each_that_knows_only_the_first_finds_all_others()
    {
        Start(0, "");
        string list = _nodes[0]!.Host.ListenAddresses[0].ToString();
        Start(1, list);
        Start(2, list);
        Start(3, list);

        await UntilAllAreLinkedAsync(0, 1, 2, 3);

        // Whoever is linked may still be about to tell its signed addresses.
        await UntilAsync(() => _nodes[3]!.Board.Report().Members.All(member => member.Source is "list" or "signed"));
        _nodes[3]!.Board.Report().Members.Select(member => (member.Name, member.Source))
            .Should().BeEquivalentTo([("m0", "list"), ("m1", "signed"), ("m2", "signed")]);
    }

    [Fact]
    public async Task What_fails_in_a_handler_by_a_mistake_of_ours_is_on_the_board_and_in_the_log()
    {
        Start(0, "");
        Start(1, _nodes[0]!.Host.ListenAddresses[0].ToString());
        await UntilAllAreLinkedAsync(0, 1);
        _nodes[0]!.Host.Handle("/mistaken/1", (_, _, _) => throw new InvalidOperationException("ours"));

        // Open before the handler fails, or already reset: either way the peer has reached it.
        await _nodes[1]!.Host.OpenStreamAsync(_nodes[0]!.Host.PeerId, "/mistaken/1", _late.Token)
            .ContinueWith(opened => opened.Exception is null, TaskScheduler.Default);

        await UntilAsync(() => _nodes[0]!.Log.Any(line => line.StartsWith("Serving /mistaken/1 to m1 failed", StringComparison.Ordinal)));
        _nodes[0]!.Board.Report().Faults.Should().Contain("this member: serving /mistaken/1 failed", 1);
    }

    [Fact]
    public async Task After_a_restart_they_find_each_other_without_the_first_and_without_a_list()
    {
        Start(0, "");
        string list = _nodes[0]!.Host.ListenAddresses[0].ToString();
        Start(1, list);
        Start(2, list);
        Start(3, list);
        await UntilAllAreLinkedAsync(0, 1, 2, 3);
        await UntilAsync(() => Enumerable.Range(1, 3).All(index => KnowsAddressesOfAll(_nodes[index]!)));

        int[] ports = [.. Enumerable.Range(0, Members).Select(index => PortOf(_nodes[index]!))];
        await StopAsync(0);
        await StopAsync(1);
        await StopAsync(2);
        await StopAsync(3);
        Start(1, "this line is no address", ports[1]);
        Start(2, "\0", ports[2]);
        Start(3, "/ip4/192.0.2.1", ports[3]);

        await UntilAllAreLinkedAsync(1, 2, 3);
    }

    [Fact]
    public async Task A_member_that_moves_is_found_again_by_those_that_it_cannot_know_of()
    {
        Start(0, "");
        string list = _nodes[0]!.Host.ListenAddresses[0].ToString();
        Start(1, list);
        Start(2, list);
        await UntilAllAreLinkedAsync(0, 1, 2);
        await UntilAsync(() => RecordOf(_nodes[2]!, 1) is not null);
        Multiaddr before = AddressOf(_nodes[2]!, 1);

        await StopAsync(1);
        Start(1, list);

        await UntilAllAreLinkedAsync(0, 1, 2);
        await UntilAsync(() => AddressOf(_nodes[2]!, 1) != before);
    }

    [Fact]
    public async Task Members_that_nobody_can_dial_find_each_other_through_one_that_can_be_dialled()
    {
        Start(0, "");
        string list = _nodes[0]!.Host.ListenAddresses[0].ToString();
        Start(1, list, listens: false);
        Start(2, list, listens: false);

        await UntilAllAreLinkedAsync(0, 1, 2);

        PeerConnection between = _nodes[1]!.Host.FindConnection(_nodes[2]!.Host.PeerId)!;
        between.IsRelayed.Should().BeTrue();
        between.Limit.Should().BeNull("members relay for members as long and as much as they want");

        // The other may have been the first to have a place at the relay.
        await UntilAsync(() => _nodes[1]!.Host.AnnouncedAddresses.Any(address => address.IsCircuit));
        _nodes[1]!.Host.AnnouncedAddresses.Should().ContainSingle().Which.IsCircuit.Should().BeTrue();
    }

    [Fact]
    public async Task A_member_of_another_network_is_greeted_again_after_minutes()
    {
        Start(0, "");
        string list = _nodes[0]!.Host.ListenAddresses[0].ToString();
        Start(1, list, genesis: Network("another"));

        await UntilAsync(() => Pause(_nodes[0]!, "m1") is not null && Pause(_nodes[1]!, "m0") is not null);

        Pause(_nodes[0]!, "m1").Should().BeInRange(300_000, 600_000);
        Pause(_nodes[1]!, "m0").Should().BeInRange(300_000, 600_000);
    }

    [Fact]
    public void Without_a_usable_list_and_without_anything_remembered_the_list_is_what_is_wrong()
    {
        Action start = () => Start(1, "this line is no address");
        start.Should().Throw<Tapestry.Cli.CliException>().Which.Code.Should().Be("peers-malformed");
    }

    [Fact]
    public async Task Records_of_strangers_are_not_told_and_count_against_who_tells_them()
    {
        Start(0, "");
        using Libp2pIdentity stranger = new(Key(99));
        SignedPeerRecord record = SignedPeerRecord.Sign(stranger, 1, [Multiaddr.Parse("/ip4/192.0.2.1/tcp/1")]);
        await using Libp2pHost liar = Plain(_peerKeys[1]);
        liar.HandleFrames(TapestryProtocols.Peers, PeerQuestion.BytesMax, async (_, _, answer, ended) =>
        {
            await answer.WriteAsync(record.Envelope.Encoded, ended);
            return true;
        });
        await _nodes[0]!.Host.DialAsync(liar.ListenAddresses[0], _late.Token);

        await _nodes[0]!.Exchange.AskAsync(liar.PeerId, _late.Token);

        _nodes[0]!.Board.Report().Faults.Keys.Should().Equal("m1: BadBody");
        _nodes[0]!.Host.AddressBook.RecordOf(stranger.PeerId).Should().BeNull();
    }

    [Theory]
    [InlineData(1)] // cut short
    [InlineData(2)] // one byte is another
    [InlineData(3)] // more frames than there are members
    public async Task An_answer_that_is_none_ends_the_exchange_and_counts(int wrong)
    {
        Start(0, "");
        using Libp2pIdentity other = new(_peerKeys[2]);
        byte[] record = SignedPeerRecord.Sign(other, 1, [Multiaddr.Parse("/ip4/192.0.2.1/tcp/1")]).Envelope.Encoded.ToArray();
        byte[] frame = wrong switch { 1 => record[..^1], 2 => [.. record[..^1], (byte)(record[^1] ^ 1)], _ => record };
        await using Libp2pHost liar = Plain(_peerKeys[1]);
        liar.HandleFrames(TapestryProtocols.Peers, PeerQuestion.BytesMax, async (_, _, answer, ended) =>
        {
            for (int count = 0; count < 100; count++)
            {
                await answer.WriteAsync(frame, ended);
            }

            return true;
        });
        await _nodes[0]!.Host.DialAsync(liar.ListenAddresses[0], _late.Token);

        await _nodes[0]!.Exchange.AskAsync(liar.PeerId, _late.Token);

        _nodes[0]!.Board.Report().Faults.Keys.Should().Equal("m1: BadBody");
    }

    [Fact]
    public async Task A_flood_of_questions_is_answered_at_its_bound_and_counted()
    {
        Start(0, "");
        await using Libp2pHost asker = Plain(_peerKeys[1]);
        await asker.DialAsync(_nodes[0]!.Host.ListenAddresses[0], _late.Token);
        int refused = 0;
        for (int question = 0; question < 130; question++)
        {
            try
            {
                await foreach (ReadOnlyMemory<byte> _ in asker.RequestFramesAsync(
                    _nodes[0]!.Host.PeerId, TapestryProtocols.Peers, ReadOnlyMemory<byte>.Empty, new RequestLimits(8192, TimeSpan.FromSeconds(20)), _late.Token))
                {
                }
            }
            catch (Libp2pException error) when (error.Fault == Libp2pFault.StreamReset)
            {
                refused++;
            }
        }

        refused.Should().BePositive();
        _nodes[0]!.Board.Report().Faults.Should().ContainKey("m1: RateLimit").WhoseValue.Should().Be(refused);
    }

    [Fact]
    public async Task A_question_that_is_none_is_refused()
    {
        Start(0, "");
        await using Libp2pHost asker = Plain(_peerKeys[1]);
        await asker.DialAsync(_nodes[0]!.Host.ListenAddresses[0], _late.Token);

        Func<Task> ask = () => asker.RequestAsync(
            _nodes[0]!.Host.PeerId, TapestryProtocols.Peers, new byte[41], new RequestLimits(8192, TimeSpan.FromSeconds(20)), _late.Token);

        (await ask.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.StreamReset);
    }

    /// <summary>How long the link to a member of another network rests, in milliseconds.</summary>
    private static long? Pause(Node node, string member) => node.Log
        .Select(line => Regex.Match(line, $"^Cannot reach {member}: WrongGenesis; trying again in ([0-9]+) ms$"))
        .Where(match => match.Success)
        .Select(match => (long?)long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
        .FirstOrDefault();

    private static SigningKey Key(int number)
    {
        byte[] seed = new byte[SigningKey.SeedLength];
        seed[0] = (byte)number;
        return SigningKey.FromSeed(seed);
    }

    private static Libp2pHost Plain(SigningKey key)
    {
        Libp2pHost host = new(new Libp2pIdentity(key), new Libp2pHostOptions { ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
        host.Start();
        return host;
    }

    private static int PortOf(Node node)
    {
        node.Host.ListenAddresses[0].TryGetTcp(out _, out ushort port);
        return port;
    }

    private Genesis Network(string name)
    {
        Member[] members =
        [
            .. Enumerable.Range(0, Members).Select(index => new Member(
                new MemberId(Key(1 + index).PublicKey), $"m{index}", _peerKeys[index].PublicKey, Key(21 + index).PublicKey)),
        ];
        return NewGenesis.Create(name, PlanPresets.ByName["tiny"], members, Members, noFaultTolerance: false, TimeProvider.System);
    }

    private void Start(int index, string list, int port = 0, bool listens = true, Genesis? genesis = null)
    {
        string peers = _folder.At($"peers{index}.txt");
        File.WriteAllText(peers, list);
        Member self = _genesis.Members.Single(member => member.Name == $"m{index}");
        while (_nodes[index] is null)
        {
            try
            {
                _nodes[index] = Node.Start(genesis ?? _genesis, self, _peerKeys[index], _folder.At($"records{index}"), peers, port, listens);
            }
            catch (Tapestry.Cli.CliException error) when (error.Code == "port-in-use" && !_late.IsCancellationRequested)
            {
                // A port that was given back may be anybody's for a while.
                Thread.Sleep(100);
            }
        }
    }

    private async Task StopAsync(int index)
    {
        await _nodes[index]!.DisposeAsync();
        _nodes[index] = null;
    }

    private bool KnowsAddressesOfAll(Node node) =>
        Enumerable.Range(0, Members).All(index => RecordOf(node, index) is not null);

    private SignedPeerRecord? RecordOf(Node node, int index) => node.Host.AddressBook.RecordOf(PeerId.From(_peerKeys[index].PublicKey));

    private Multiaddr AddressOf(Node node, int index) => RecordOf(node, index)!.Record.Addresses[0];

    private Task UntilAllAreLinkedAsync(params int[] indices) =>
        UntilAsync(() => indices.All(index => _nodes[index]!.Board.Report().Connected.Count == indices.Length - 1));

    private async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            await Task.Delay(20, _late.Token);
        }
    }

    /// <summary>What of a daemon finds peers, over its own records and peer list.</summary>
    private sealed class Node : IAsyncDisposable
    {
        private readonly CapturedLog _log;
        private readonly RecordStore _records;
        private readonly NetworkService _service;

        private Node(RecordStore records, NetworkService service, Libp2pHost host, PeerExchange exchange, StatusBoard board, CapturedLog log)
        {
            _log = log;
            _records = records;
            _service = service;
            Host = host;
            Exchange = exchange;
            Board = board;
        }

        public Libp2pHost Host { get; }

        public PeerExchange Exchange { get; }

        public StatusBoard Board { get; }

        public IEnumerable<string> Log => _log.Lines;

        public static Node Start(Genesis genesis, Member self, SigningKey key, string recordsFolder, string peersPath, int port, bool listens)
        {
            RecordStore records = RecordStore.Open(recordsFolder);
            try
            {
                PeerList list = PeerList.Read(peersPath, isNeeded: !PeerRecordTable.HasOthers(records, PeerId.From(self.PeerKey)));
                CapturedLog log = new();
                Traffic traffic = new();
                StatusBoard board = new(genesis, self, traffic, new MonotonicClock(TimeProvider.System));
                Neighbours neighbours = new(genesis, self.Id);
                LinkSettings settings = new(
                    Greeting.Of(genesis), 16, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), board, traffic, TimeProvider.System, log);
                Libp2pHost host = new(new Libp2pIdentity(key), new Libp2pHostOptions
                {
                    ListenAddresses = listens ? [Multiaddr.Parse($"/ip4/127.0.0.1/tcp/{port}")] : [],
                    Admits = NetworkService.Admission(neighbours, settings),
                    AddressBook = NetworkService.AddressBookOptions(neighbours, records, settings),
                });
                MessageIntake intake = new(neighbours, new MessageGate(genesis.FormCommittee(), _ => TriageDecision.Drop, (_, _) => true, settings), settings);
                host.Handle(TapestryProtocols.Message, (stream, _, ended) => intake.ServeAsync(stream, ended));
                PeerExchange exchange = new(host, genesis, neighbours, settings);
                MemberRelay relay = new(host, genesis, neighbours, listens ? Reach.Direct : Reach.Relayed, settings);
                NetworkService service = new(host, genesis, neighbours, list, exchange, relay, settings);
                service.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
                return new Node(records, service, host, exchange, board, log);
            }
            catch
            {
                records.Dispose();
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _service.StopAsync(CancellationToken.None);
            _service.Dispose();
            await Host.DisposeAsync();
            _records.Dispose();
        }
    }
}
