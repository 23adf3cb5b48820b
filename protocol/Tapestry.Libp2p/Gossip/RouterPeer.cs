namespace Tapestry.Libp2p.Gossip;

/// <summary>The versions of gossipsub, by what they add.</summary>
internal enum GossipVersion : byte
{
    /// <summary>No stream to the peer is open.</summary>
    None = 0,

    /// <summary><c>/meshsub/1.0.0</c>: mesh and gossip.</summary>
    V10,

    /// <summary><c>/meshsub/1.1.0</c>: back-off and peer exchange.</summary>
    V11,

    /// <summary><c>/meshsub/1.2.0</c>: IDONTWANT.</summary>
    V12,
}

/// <summary>What a router knows of a connected peer.</summary>
internal sealed class RouterPeer(PeerId id, bool isOutbound, bool isExplicit)
{
    internal PeerId Id { get; } = id;

    /// <summary>Whether we dialled it.</summary>
    internal bool IsOutbound { get; } = isOutbound;

    /// <summary>What it speaks, once we can send to it.</summary>
    internal GossipVersion Version { get; set; }

    /// <summary>Whether it gets everything and is never scored down.</summary>
    internal bool IsExplicit { get; } = isExplicit;

    internal bool IsReachable => Version != GossipVersion.None;

    /// <summary>The topics that it is in.</summary>
    internal SortedSet<string> Topics { get; } = new(StringComparer.Ordinal);

    /// <summary>RPCs with IHAVE, and ids asked because of them, in this heartbeat.</summary>
    internal int HaveRpcs { get; set; }

    internal int HaveIds { get; set; }

    /// <summary>Ids that it asked for in this heartbeat.</summary>
    internal int WantIds { get; set; }

    /// <summary>Ids that it does not want, by the heartbeat at which that is forgotten; and how many came and went in this one.</summary>
    internal Dictionary<GossipId, long> Unwanted { get; } = [];

    internal int DoNotWantReceived { get; set; }

    internal int DoNotWantSent { get; set; }

    /// <summary>What the heartbeat has to say to it.</summary>
    internal List<string> Graft { get; } = [];

    internal List<GossipPrune> Prune { get; } = [];

    internal List<GossipHave> Have { get; } = [];

    /// <summary>A heartbeat has passed.</summary>
    internal void Refill(long heartbeat)
    {
        (HaveRpcs, HaveIds, WantIds, DoNotWantReceived, DoNotWantSent) = (0, 0, 0, 0, 0);
        foreach ((GossipId id, long until) in Unwanted)
        {
            if (until <= heartbeat)
            {
                Unwanted.Remove(id);
            }
        }
    }

    /// <summary>What the heartbeat has gathered, if anything.</summary>
    internal GossipRpc? TakeGathered()
    {
        if (Graft.Count + Prune.Count + Have.Count == 0)
        {
            return null;
        }

        GossipRpc rpc = new() { Graft = [.. Graft], Prune = [.. Prune], Have = [.. Have] };
        Graft.Clear();
        Prune.Clear();
        Have.Clear();
        return rpc;
    }
}
