namespace Tapestry.Libp2p.Gossip;

/// <summary>The rules of gossipsub 1.0 to 1.2 as a state machine: events in, effects out. No clock, no tasks, no locks, no I/O.</summary>
/// <remarks>
/// <para>libp2p/specs, pubsub/gossipsub; specs/50-network.md, "Gossip". The caller brings the time, which never goes back, and calls
/// <see cref="Heartbeat"/> once an interval. The same calls with the same seed give the same effects.</para>
/// <para>A message goes through three calls: <see cref="Receive"/> returns those worth checking, <see cref="Verified"/> or
/// <see cref="Refused"/> says whether the signature holds, and <see cref="Judged"/> what the application thinks. Only then is it forwarded.</para>
/// </remarks>
internal sealed partial class GossipRouter
{
    private readonly PeerId _self;
    private readonly GossipOptions _options;
    private readonly GossipParameters _parameters;
    private readonly GossipScoring _scoring;
    private readonly GossipLimits _limits;
    private readonly Random _random;
    private readonly Func<PeerId, ReadOnlyMemory<byte>?> _recordOf;
    private readonly PeerScores _scores;
    private readonly SeenMessages _seen;
    private readonly MessageCache _cache;
    private readonly GossipPromises _promises;
    private readonly Dictionary<PeerId, RouterPeer> _peers = [];
    private readonly List<RouterPeer> _inOrder = [];
    private readonly SortedDictionary<string, RouterTopic> _topics = new(StringComparer.Ordinal);
    private List<GossipEffect> _effects = [];
    private long _heartbeat;
    private TimeSpan? _lastDecay;

    /// <summary>A router without peers and topics.</summary>
    /// <param name="self">Who we are.</param>
    /// <param name="options">Its numbers.</param>
    /// <param name="limits">Its bounds.</param>
    /// <param name="seed">Decides every draw.</param>
    /// <param name="recordOf">The signed record of a peer, to recommend it with; null for none.</param>
    /// <exception cref="ArgumentException">Numbers contradict each other.</exception>
    internal GossipRouter(PeerId self, GossipOptions options, GossipLimits limits, int seed, Func<PeerId, ReadOnlyMemory<byte>?> recordOf)
    {
        options.Parameters.Validate();
        limits.Validate(options.Parameters);
        _self = self;
        _options = options;
        _parameters = options.Parameters;
        _scoring = options.Scoring;
        _limits = limits;
        _random = new Random(seed);
        _recordOf = recordOf;
        _scores = new PeerScores(_scoring, limits.RememberedPeers);
        _seen = new SeenMessages(_parameters.SeenTime, limits);
        _cache = new MessageCache(_parameters, limits.CacheBytes);
        _promises = new GossipPromises(_parameters.PromiseTime);
    }

    /// <summary>What is to be done because of the calls since the last time, in order.</summary>
    internal IReadOnlyList<GossipEffect> TakeEffects()
    {
        if (_effects.Count == 0)
        {
            return [];
        }

        List<GossipEffect> taken = _effects;
        _effects = [];
        return taken;
    }

    /// <summary>A peer that gossips is connected, perhaps another way than before; it cannot be sent anything before <see cref="Reached"/>.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="isOutbound">Whether we dialled it.</param>
    /// <param name="ip">Its IP address, for P6; null for none that counts, as loopback.</param>
    internal void Connected(PeerId peer, bool isOutbound, string? ip)
    {
        if (!_peers.TryGetValue(peer, out RouterPeer? connected))
        {
            connected = new RouterPeer(peer, _options.ExplicitPeers.Contains(peer));
            _peers.Add(peer, connected);
            _inOrder.Add(connected);
        }

        connected.IsOutbound = isOutbound;
        _scores.Add(peer, ip);
    }

    /// <summary>Whether a peer is connected and gossips.</summary>
    internal bool Knows(PeerId peer) => _peers.ContainsKey(peer);

    /// <summary>What was to be sent to a peer is not: what it was asked for in there, it does not owe.</summary>
    internal void NotSent(PeerId to, GossipRpc rpc)
    {
        foreach (GossipId id in rpc.Want)
        {
            _promises.Forgive(to, id);
            if (_peers.TryGetValue(to, out RouterPeer? peer))
            {
                peer.TakeAnswer(id);
            }
        }
    }

    /// <summary>A stream to the peer is open: it learns our topics, and can be taken into meshes.</summary>
    internal void Reached(PeerId peer, GossipVersion version, TimeSpan now)
    {
        if (!_peers.TryGetValue(peer, out RouterPeer? reached))
        {
            return;
        }

        reached.Version = version;
        foreach (string topic in reached.Topics)
        {
            Welcome(_topics[topic], reached, now);
        }

        List<GossipSubscription> ours = [];
        foreach (RouterTopic topic in _topics.Values)
        {
            if (topic.IsJoined)
            {
                ours.Add(new GossipSubscription(topic.Name, true));
            }
        }

        if (ours.Count > 0)
        {
            Send(reached, new GossipRpc { Subscriptions = ours });
        }

        SendGathered();
    }

    /// <summary>The stream to the peer has ended; its topics are kept for the next one.</summary>
    internal void Lost(PeerId peer)
    {
        if (!_peers.TryGetValue(peer, out RouterPeer? lost))
        {
            return;
        }

        lost.Version = GossipVersion.None;
        _ = lost.TakeGathered(_limits);
        foreach (RouterTopic topic in _topics.Values)
        {
            topic.Fanout.Remove(lost);
            topic.Newcomers.RemoveAll(newcomer => newcomer.Peer == lost);
            if (topic.Mesh.Remove(lost))
            {
                _scores.Prune(peer, topic.Name);
            }
        }
    }

    /// <summary>The peer has gone.</summary>
    internal void Disconnected(PeerId peer, TimeSpan now)
    {
        Lost(peer);
        if (_peers.Remove(peer, out RouterPeer? gone))
        {
            _inOrder.Remove(gone);
            foreach (string topic in gone.Topics)
            {
                _topics[topic].Peers.Remove(gone);
                ForgetIfUnused(_topics[topic]);
            }

            _scores.Remove(peer, now);
        }
    }

    /// <summary>The peer did what only the caller can see: an RPC that cannot be read, a record that is not one, a queue that is not read.</summary>
    internal void Blame(PeerId peer, GossipFault fault)
    {
        if (_peers.TryGetValue(peer, out RouterPeer? blamed))
        {
            Misbehaved(blamed, fault);
        }
    }

    /// <summary>The score of a peer.</summary>
    internal double ScoreOf(PeerId peer) => _scores.Of(peer);

    /// <summary>The peers of our mesh in a topic.</summary>
    internal IReadOnlyList<PeerId> MeshOf(string topic) =>
        _topics.TryGetValue(topic, out RouterTopic? known) ? [.. known.Mesh.Select(peer => peer.Id)] : [];

    /// <summary>The connected peers that are in a topic.</summary>
    internal IReadOnlyList<PeerId> PeersOf(string topic) =>
        _topics.TryGetValue(topic, out RouterTopic? known) ? [.. known.Peers.Select(peer => peer.Id)] : [];

    private RouterTopic TopicOf(string name)
    {
        if (!_topics.TryGetValue(name, out RouterTopic? topic))
        {
            topic = new RouterTopic(name);
            _topics.Add(name, topic);
        }

        return topic;
    }

    // Topics that only peers name go with them, or they could name new ones for ever.
    private void ForgetIfUnused(RouterTopic topic)
    {
        if (topic is { IsJoined: false, LeftAt: null, FanoutUntil: null, Peers.Count: 0, Backoffs.Count: 0 })
        {
            _topics.Remove(topic.Name);
        }
    }

    private double Score(RouterPeer peer) => _scores.Of(peer.Id);

    private void Send(RouterPeer to, GossipRpc rpc)
    {
        if (to.IsReachable)
        {
            _effects.Add(new GossipEffect.Send(to.Id, rpc));
        }
    }

    /// <summary>A fault that P7 counts, or that has no score effect.</summary>
    private void Misbehaved(RouterPeer peer, GossipFault fault)
    {
        const double Habit = 0.1;
        _scores.Penalise(peer.Id, fault switch
        {
            GossipFault.Replayed or GossipFault.UnwantedTopic or GossipFault.IdontwantFlood or GossipFault.GraftUnknownTopic => Habit,
            _ => 1,
        });
        _effects.Add(new GossipEffect.Blame(peer.Id, fault));
    }

    /// <summary>A fault that P4 counts.</summary>
    private void SentInvalid(PeerId peer, string topic, GossipFault fault)
    {
        _scores.AddInvalid(peer, topic);
        _effects.Add(new GossipEffect.Blame(peer, fault));
    }

    /// <summary>Up to <paramref name="count"/> of the peers, drawn by lot.</summary>
    private List<RouterPeer> Draw(List<RouterPeer> pool, int count)
    {
        int drawn = Math.Min(count, pool.Count);
        for (int index = 0; index < drawn; index++)
        {
            int other = _random.Next(index, pool.Count);
            (pool[index], pool[other]) = (pool[other], pool[index]);
        }

        return pool.GetRange(0, Math.Max(0, drawn));
    }
}
