namespace Tapestry.Libp2p.Gossip;

/// <summary>Who advertised what we then asked for: of each request one message, drawn by lot, must come from anybody in time.</summary>
/// <remarks>libp2p/specs, pubsub/gossipsub/gossipsub-v1.1.md, "Spam Protection Measures". At most one promise a request, so bounded by the IHAVE budgets.</remarks>
internal sealed class GossipPromises(TimeSpan promiseTime)
{
    private readonly Dictionary<GossipId, List<Promise>> _byId = [];
    private readonly Queue<Promise> _inOrder = new();

    internal int Count => _byId.Count;

    internal void Add(PeerId peer, GossipId id, TimeSpan now)
    {
        if (!_byId.TryGetValue(id, out List<Promise>? promises))
        {
            promises = [];
            _byId.Add(id, promises);
        }

        if (!promises.Exists(promise => promise.Peer == peer))
        {
            Promise promise = new(peer, id, now + promiseTime);
            promises.Add(promise);
            _inOrder.Enqueue(promise);
        }
    }

    /// <summary>The message has come: nobody can send it any more.</summary>
    internal void Fulfil(GossipId id) => _byId.Remove(id);

    /// <summary>The peer need not send the message: we would not take it, or could not ask.</summary>
    internal void Forgive(PeerId peer, GossipId id)
    {
        if (_byId.TryGetValue(id, out List<Promise>? promises) && promises.RemoveAll(promise => promise.Peer == peer) > 0 && promises.Count == 0)
        {
            _byId.Remove(id);
        }
    }

    /// <summary>The peers whose promises were due and not kept, once for each.</summary>
    internal List<PeerId> TakeBroken(TimeSpan now)
    {
        List<PeerId> broken = [];
        while (_inOrder.TryPeek(out Promise? oldest) && oldest.DueAt < now)
        {
            _inOrder.Dequeue();
            if (_byId.TryGetValue(oldest.Id, out List<Promise>? promises) && promises.Remove(oldest))
            {
                broken.Add(oldest.Peer);
                if (promises.Count == 0)
                {
                    _byId.Remove(oldest.Id);
                }
            }
        }

        return broken;
    }

    private sealed class Promise(PeerId peer, GossipId id, TimeSpan dueAt)
    {
        public PeerId Peer { get; } = peer;

        public GossipId Id { get; } = id;

        public TimeSpan DueAt { get; } = dueAt;
    }
}
