using System.Text;

namespace Tapestry.Libp2p.Gossip;

/// <summary>Packs what there is to say to a peer into RPCs within the bounds that a reader with the same limits has.</summary>
internal sealed class ControlPacker(GossipLimits limits)
{
    // Tags and lengths around an entry, and around the control message.
    private const int EntryOverhead = 16;
    private const int IdOverhead = 4;

    private readonly List<GossipRpc> _packed = [];
    private List<string> _graft = [];
    private List<GossipPrune> _prune = [];
    private List<GossipHave> _have = [];
    private int _entries;
    private long _bytes = EntryOverhead;

    internal void Add(string graft)
    {
        MakeRoom(1, TopicBytes(graft));
        _graft.Add(graft);
    }

    internal void Add(GossipPrune prune)
    {
        long bytes = TopicBytes(prune.Topic);
        foreach (ExchangedPeer peer in prune.Peers)
        {
            bytes += EntryOverhead + peer.Peer.Bytes.Length + peer.SignedRecord.Length;
        }

        MakeRoom(1 + prune.Peers.Count, bytes);
        _prune.Add(prune);
    }

    internal void Add(GossipHave have)
    {
        long bytes = TopicBytes(have.Topic);
        foreach (GossipId id in have.Ids)
        {
            bytes += IdOverhead + id.Bytes.Length;
        }

        MakeRoom(1 + have.Ids.Count, bytes);
        _have.Add(have);
    }

    /// <summary>Everything that was added.</summary>
    internal IReadOnlyList<GossipRpc> Take()
    {
        Close();
        return _packed;
    }

    private static long TopicBytes(string topic) => EntryOverhead + Encoding.UTF8.GetByteCount(topic);

    private void MakeRoom(int entries, long bytes)
    {
        if (_entries + entries > limits.EntriesPerRpc || _bytes + bytes > limits.RpcBytes)
        {
            Close();
        }

        _entries += entries;
        _bytes += bytes;
    }

    private void Close()
    {
        if (_entries > 0)
        {
            _packed.Add(new GossipRpc { Graft = _graft, Prune = _prune, Have = _have });
            (_graft, _prune, _have) = ([], [], []);
            (_entries, _bytes) = (0, EntryOverhead);
        }
    }
}
