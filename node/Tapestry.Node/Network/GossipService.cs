using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Gossip;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>What everyone is to hear: says and takes manifests, proposals, votes and certificates by gossip.</summary>
/// <remarks>
/// specs/50-network.md, section 11. One topic, named for the network, so that two networks with common peers never mix. Nothing
/// depends on any one message: the rules say it again on streams.
/// </remarks>
internal sealed class GossipService : BackgroundService, IPublisher, IAsyncDisposable
{
    private readonly Channel<ByteString> _queue;
    private readonly Gossipsub _gossip;
    private readonly string _topic;
    private readonly Neighbours _neighbours;
    private readonly MessageGate _gate;
    private readonly LinkSettings _settings;

    /// <summary>Starts to gossip with the peers of a host.</summary>
    /// <param name="host">The libp2p host; not started yet, so that no peer misses our topic.</param>
    /// <param name="genesis">The network.</param>
    /// <param name="neighbours">Who may speak.</param>
    /// <param name="gate">Takes the messages.</param>
    /// <param name="settings">What links share.</param>
    /// <param name="ceiling">Keeps our sequence numbers over a restart; null for the clock alone.</param>
    public GossipService(
        Libp2pHost host, Genesis genesis, Neighbours neighbours, MessageGate gate, LinkSettings settings, IGossipSequenceStore? ceiling)
    {
        _neighbours = neighbours;
        _gate = gate;
        _settings = settings;
        _topic = TapestryProtocols.Topic(genesis.Digest);
        _queue = Channel.CreateBounded<ByteString>(
            new BoundedChannelOptions(settings.QueueMessages) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        _gossip = new Gossipsub(host, new GossipOptions
        {
            SequenceStore = ceiling,
            Scoring = new GossipScoring { ApplicationScore = ScoreElsewhere },
        });
        _gossip.Blamed += OnBlamed;
        _gossip.ValidatorFailed += (_, error) => NetworkLog.GossipFailed(settings.Logger, error);
        _gossip.Subscribe(_topic, (message, _) => ValueTask.FromResult(Judge(message)));
        settings.Traffic.CountAlso(() => (_gossip.SentBytes, _gossip.ReceivedBytes));
    }

    /// <summary>The connected members that listen.</summary>
    public IReadOnlyList<PeerId> Peers => _gossip.PeersOf(_topic);

    /// <summary>What we think of a peer's gossip; 0 of one that we do not know.</summary>
    public double ScoreOf(PeerId peer) => _gossip.ScoreOf(peer);

    /// <summary>Queues a message for everyone; when the network is behind, the oldest is dropped.</summary>
    public void Publish(PeerMessage message) => _queue.Writer.TryWrite(message.Encode());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _gossip.DisposeAsync();
        Dispose();
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _gossip.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (ByteString message in _queue.Reader.ReadAllAsync(stoppingToken))
            {
                int peers = await _gossip.PublishAsync(_topic, message.Memory, stoppingToken);
                NetworkLog.Published(_settings.Logger, message.Length, peers);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The daemon stops; what was said is durable, and said again.
        }
    }

    private GossipVerdict Judge(GossipMessage message)
    {
        // Only members are admitted, so a stranger's word was passed on by a member that should not have.
        if (!_neighbours.TryGetMember(message.Author, out Member? author))
        {
            return GossipVerdict.Reject;
        }

        return _gate.TakeGossip(author, message.Data.Span) switch
        {
            MessageFate.Taken => GossipVerdict.Accept,
            MessageFate.Refused => GossipVerdict.Reject,
            _ => GossipVerdict.Ignore,
        };
    }

    private double ScoreElsewhere(PeerId peer) => _neighbours.TryGetMember(peer, out Member? member) ? _settings.Board.Scores.Of(member.Id) : 0;

    private void OnBlamed(PeerId peer, GossipFault fault)
    {
        string name = _neighbours.NameOf(peer);
        NetworkLog.GossipBlamed(_settings.Logger, name, fault);
        _settings.Board.Count($"{name}: {fault}");
    }
}
