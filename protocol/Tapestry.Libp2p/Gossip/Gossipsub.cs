using System.Collections.Concurrent;
using System.Text;

namespace Tapestry.Libp2p.Gossip;

/// <summary>Publish and subscribe among the peers of a host, by gossipsub 1.0 to 1.2 with signed messages.</summary>
/// <remarks>
/// specs/50-network.md, "Gossip". The rules are <see cref="GossipRouter"/>, which every task enters under one lock and only for
/// moments: a task a peer reads, checks signatures and asks the application; another sends; one keeps the heartbeat.
/// All members may be called from any thread.
/// </remarks>
public sealed partial class Gossipsub : IAsyncDisposable
{
    // Dials at once to peers that others recommend, as go-libp2p-pubsub has it; more are left out.
    private const int DialsMax = 8;

    // Long enough for what is queued to be read, and short for a peer that does not read. By the system's clock: whoever stops waits for it.
    private static readonly TimeSpan EndingTime = TimeSpan.FromSeconds(2);

    private static readonly string[] ProtocolIds = ["/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0"];

    private static readonly List<GossipEffect> NothingLater = [];

    private readonly Libp2pHost _host;
    private readonly GossipOptions _options;
    private readonly GossipLimits _limits;
    private readonly Lock _sync = new();
    private readonly GossipRouter _router;
    private readonly AuthorKeys _authorKeys;
    private readonly OwnSequence _sequence;
    private readonly ConcurrentDictionary<string, GossipValidator> _validators = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<PeerId, GossipLink> _links = [];
    private readonly RunningTasks _tasks = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly long _startedAt;
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _dropped;
    private long _sentBytes;
    private long _receivedBytes;
    private int _dials;
    private int _stopRequested;

    /// <summary>Starts gossiping with every peer of the host that does, now and later.</summary>
    /// <param name="host">The host; stays the caller's, who stops it after this.</param>
    /// <param name="options">How to gossip.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public Gossipsub(Libp2pHost host, GossipOptions options)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        _host = host;
        _options = options;
        _limits = host.Options.Limits.Gossip;
        _authorKeys = new AuthorKeys(_limits.RememberedAuthors);
        _startedAt = host.Options.Time.GetTimestamp();
        _router = new GossipRouter(host.PeerId, options, _limits, options.Seed ?? Random.Shared.Next(), RecordOf);
        _sequence = new OwnSequence(host.Options.Time.GetUtcNow(), options.SequenceStore);
        foreach (string protocolId in ProtocolIds)
        {
            host.Handle(protocolId, ReadAsync);
        }

        host.ConnectionOpened += OnOpened;
        host.ConnectionClosed += OnClosed;
        foreach (PeerConnection connection in host.Connections)
        {
            OnOpened(connection);
        }

        _tasks.Start(BeatAsync);
    }

    /// <summary>A peer misbehaved, and has been scored for it. For logs; must not block or throw.</summary>
    public event Action<PeerId, GossipFault>? Blamed;

    /// <summary>A validator threw, which is no fault of a peer: its message was ignored.</summary>
    public event Action<string, Exception>? ValidatorFailed;

    /// <summary>Messages that were not sent to a peer because its queue was full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Bytes sent to all peers, control included.</summary>
    public long SentBytes => Interlocked.Read(ref _sentBytes);

    /// <summary>Bytes received from all peers, control included.</summary>
    public long ReceivedBytes => Interlocked.Read(ref _receivedBytes);

    private TimeSpan Now => _host.Options.Time.GetElapsedTime(_startedAt);

    /// <summary>Enters a topic.</summary>
    /// <param name="topic">Its name, at most <see cref="GossipLimits.TopicBytes"/> of UTF-8.</param>
    /// <param name="validate">Judges and takes what others say in it; replaces the one before.</param>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public void Subscribe(string topic, GossipValidator validate)
    {
        RequireTopic(topic);
        ArgumentNullException.ThrowIfNull(validate);
        _validators[topic] = validate;
        Step(static (router, name, now) => router.Join(name, now), topic);
    }

    /// <summary>Leaves a topic. What is being judged is judged to its end.</summary>
    public void Unsubscribe(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        Step(static (router, name, now) => router.Leave(name, now), topic);
        _validators.TryRemove(topic, out _);
    }

    /// <summary>Signs a message and sends it to the peers of a topic, which we need not be in. Waits until half of them have room for it, and while we have said <see cref="GossipParameters.MessagesPerAuthor"/> in a heartbeat.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="data">What to say, at most <see cref="GossipLimits.MessageDataBytes"/>; copied.</param>
    /// <param name="cancelled">Ends the wait; the message is then not sent.</param>
    /// <returns>To how many peers it goes at once; with none, it is offered to whoever comes in the next seconds.</returns>
    /// <remarks>A peer without room does not get it now, and can ask for it: so a slow or hostile minority slows nobody down.</remarks>
    /// <exception cref="ArgumentException">The name is empty or too long, or the data too large.</exception>
    public async ValueTask<int> PublishAsync(string topic, ReadOnlyMemory<byte> data, CancellationToken cancelled)
    {
        RequireTopic(topic);
        if (data.Length > _limits.MessageDataBytes)
        {
            throw new ArgumentException($"{data.Length} bytes of data are more than {nameof(GossipLimits.MessageDataBytes)} = {_limits.MessageDataBytes}; send what is larger on a stream.", nameof(data));
        }

        ulong sequence = _sequence.Next();
        GossipMessage message = new(SignedMessage.Sign(_host.Identity, topic, data.Span, sequence), _host.PeerId, sequence, _host.PeerId);
        while (true)
        {
            cancelled.ThrowIfCancellationRequested();
            Task room = _room.Task;
            int? sent = TryPublish(message);
            if (sent is not null)
            {
                return sent.Value;
            }

            await room.WaitAsync(cancelled);
        }
    }

    /// <summary>What we think of a peer; 0 of one that we do not know.</summary>
    public double ScoreOf(PeerId peer)
    {
        lock (_sync)
        {
            return _router.ScoreOf(peer);
        }
    }

    /// <summary>The connected peers that are in a topic.</summary>
    public IReadOnlyList<PeerId> PeersOf(string topic)
    {
        lock (_sync)
        {
            return _router.PeersOf(topic);
        }
    }

    /// <summary>The peers that we exchange every message of a topic with.</summary>
    public IReadOnlyList<PeerId> MeshOf(string topic)
    {
        lock (_sync)
        {
            return _router.MeshOf(topic);
        }
    }

    /// <summary>Stops gossiping, once peers have read what was published or 2 s have passed, and waits for every task; the host's connections stay.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopRequested, 1) == 1)
        {
            return;
        }

        _host.ConnectionOpened -= OnOpened;
        _host.ConnectionClosed -= OnClosed;
        await _stopping.CancelAsync();
        await _tasks.DrainAsync();
        _stopping.Dispose();
    }

    private int? TryPublish(GossipMessage message)
    {
        List<GossipEffect> later;
        int sent;
        lock (_sync)
        {
            if (!_router.MayPublish)
            {
                return null;
            }

            IReadOnlyList<PeerId> audience = _router.AudienceOf(message.Topic, Now);
            int roomy = 0;
            foreach (PeerId peer in audience)
            {
                roomy += _links.TryGetValue(peer, out GossipLink? link) && link.Outbox.HasRoom ? 1 : 0;
            }

            if (2 * roomy < audience.Count)
            {
                return null;
            }

            sent = _router.Publish(message, Now);
            later = Deliver();
        }

        Report(later);
        return sent;
    }

    private void Step<T>(Action<GossipRouter, T, TimeSpan> step, T argument)
    {
        List<GossipEffect> later;
        lock (_sync)
        {
            step(_router, argument, Now);
            later = Deliver();
        }

        Report(later);
    }

    /// <summary>Queues what is to be sent; the rest is left for <see cref="Report"/>, outside the lock.</summary>
    private List<GossipEffect> Deliver()
    {
        List<GossipEffect>? later = null;
        for (IReadOnlyList<GossipEffect> effects = _router.TakeEffects(); effects.Count > 0; effects = _router.TakeEffects())
        {
            foreach (GossipEffect effect in effects)
            {
                if (effect is GossipEffect.Send send)
                {
                    Queue(send);
                }
                else
                {
                    (later ??= []).Add(effect);
                }
            }
        }

        return later ?? NothingLater;
    }

    private void Queue(GossipEffect.Send send)
    {
        if (!_links.TryGetValue(send.To, out GossipLink? link))
        {
            return;
        }

        OutboxFate fate = link.Outbox.Add(send.Rpc);
        if (fate == OutboxFate.Queued)
        {
            return;
        }

        Interlocked.Add(ref _dropped, send.Rpc.Messages.Count);
        _router.NotSent(send.To, send.Rpc);
        if (fate == OutboxFate.NotReading)
        {
            _router.Blame(send.To, GossipFault.NotReading);
        }

        if (fate != OutboxFate.Dropped)
        {
            link.ResetOutbound();
        }
    }

    private void Report(List<GossipEffect> effects)
    {
        foreach (GossipEffect effect in effects)
        {
            if (effect is GossipEffect.Blame blame)
            {
                Blamed?.Invoke(blame.Peer, blame.Fault);
            }
            else if (effect is GossipEffect.Meet meet)
            {
                Meet(meet);
            }
        }
    }

    private ReadOnlyMemory<byte>? RecordOf(PeerId peer) => _host.AddressBook.RecordOf(peer)?.Envelope.Encoded;

    /// <summary>Takes the record of a recommended peer, if it is one, and dials whom we know how to reach.</summary>
    private void Meet(GossipEffect.Meet meet)
    {
        PeerId peer = meet.Peer.Peer;
        if (!meet.Peer.SignedRecord.IsEmpty)
        {
            RecordFault fault = SignedPeerRecord.TryOpen(meet.Peer.SignedRecord.Span, out SignedPeerRecord? record);
            if (fault != RecordFault.None || record!.Peer != peer)
            {
                Step(static (router, by, _) => router.Blame(by, GossipFault.PeerRecordInvalid), meet.RecommendedBy!);
                return;
            }

            _host.AddressBook.Accept(record);
        }

        if (_host.Options.Admits(peer) && _host.AddressBook.AddressesOf(peer).Count > 0)
        {
            _tasks.Start(() => DialAsync(peer));
        }
    }

    private async Task DialAsync(PeerId peer)
    {
        try
        {
            if (Interlocked.Increment(ref _dials) <= DialsMax)
            {
                await _host.DialAsync(peer, _stopping.Token);
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The recommendation was of no use now; the address book remembers.
        }
        finally
        {
            Interlocked.Decrement(ref _dials);
        }
    }

    private void CountSent(int bytes) => Interlocked.Add(ref _sentBytes, bytes);

    private void MadeRoom()
    {
        TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _room, next).TrySetResult();
    }

    private void RequireTopic(string topic)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        if (Encoding.UTF8.GetByteCount(topic) > _limits.TopicBytes)
        {
            throw new ArgumentException($"The topic's name is longer than {nameof(GossipLimits.TopicBytes)} = {_limits.TopicBytes} bytes.", nameof(topic));
        }
    }
}
