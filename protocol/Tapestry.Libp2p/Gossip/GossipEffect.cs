namespace Tapestry.Libp2p.Gossip;

/// <summary>What a <see cref="GossipRouter"/> wants done.</summary>
internal abstract record GossipEffect
{
    private GossipEffect()
    {
    }

    /// <summary>Send an RPC to a peer. If its queue is full, a message is dropped.</summary>
    internal sealed record Send(PeerId To, GossipRpc Rpc) : GossipEffect;

    /// <summary>Connect to a peer: one that another recommends, with a signed record that nobody has opened, or an explicit one.</summary>
    internal sealed record Meet(ExchangedPeer Peer, PeerId? RecommendedBy) : GossipEffect;

    /// <summary>A peer misbehaved. It is scored already.</summary>
    internal sealed record Blame(PeerId Peer, GossipFault Fault) : GossipEffect;
}
