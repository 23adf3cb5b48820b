using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Libp2p.Gossip;

/// <summary>The messages of the last heartbeats, to advertise and to send again.</summary>
/// <remarks>libp2p/specs, pubsub/gossipsub/gossipsub-v1.0.md, "Message Cache"; bounded by bytes as well.</remarks>
internal sealed class MessageCache(GossipParameters parameters, long bytesMax)
{
    private readonly Dictionary<GossipId, Entry> _byId = [];
    private readonly Queue<Entry> _inOrder = new();
    private long _bytes;
    private long _heartbeat;

    /// <summary>Keeps a message, once.</summary>
    internal void Put(SignedMessage message)
    {
        Entry entry = new(message, _heartbeat, Position);
        if (_byId.TryAdd(message.Id, entry))
        {
            Position++;
            _inOrder.Enqueue(entry);
            _bytes += message.Encoded.Length;
            while (_bytes > bytesMax)
            {
                Drop();
            }
        }
    }

    /// <summary>A message that <paramref name="peer"/> asks for, and how often it has done so, this time included.</summary>
    internal bool TryGet(GossipId id, PeerId peer, [NotNullWhen(true)] out SignedMessage? message, out int times)
    {
        bool found = _byId.TryGetValue(id, out Entry? entry);
        message = entry?.Message;
        times = found ? entry!.Asked(peer) : 0;
        return found;
    }

    /// <summary>How many messages have been put in so far.</summary>
    internal long Position { get; private set; }

    /// <summary>What to advertise of a topic, of what was put in before a position, the oldest first.</summary>
    internal List<GossipId> AdvertisedOf(string topic, long before = long.MaxValue)
    {
        List<GossipId> ids = [];
        foreach (Entry entry in _inOrder)
        {
            if (entry.Position < before && entry.Heartbeat > _heartbeat - parameters.AdvertisedHeartbeats && entry.Message.Topic == topic)
            {
                ids.Add(entry.Message.Id);
            }
        }

        return ids;
    }

    /// <summary>A heartbeat has passed.</summary>
    internal void Shift()
    {
        _heartbeat++;
        while (_inOrder.TryPeek(out Entry? oldest) && oldest.Heartbeat <= _heartbeat - parameters.HistoryHeartbeats)
        {
            Drop();
        }
    }

    private void Drop()
    {
        Entry oldest = _inOrder.Dequeue();
        _byId.Remove(oldest.Message.Id);
        _bytes -= oldest.Message.Encoded.Length;
    }

    private sealed class Entry(SignedMessage message, long heartbeat, long position)
    {
        private Dictionary<PeerId, int>? _asked;

        public SignedMessage Message { get; } = message;

        public long Heartbeat { get; } = heartbeat;

        public long Position { get; } = position;

        public int Asked(PeerId peer)
        {
            _asked ??= [];
            int times = _asked.GetValueOrDefault(peer) + 1;
            _asked[peer] = times;
            return times;
        }
    }
}
