namespace Tapestry.Libp2p.Gossip;

/// <summary>What one gossiping peer says to another at once. Entries are in the order of the wire; nobody has checked them.</summary>
/// <remarks>libp2p/specs, pubsub/README.md and pubsub/gossipsub/gossipsub-v1.2.md.</remarks>
public sealed record GossipRpc
{
    /// <summary>Topics that the sender enters or leaves.</summary>
    public IReadOnlyList<GossipSubscription> Subscriptions { get; init; } = [];

    /// <summary>Messages in full.</summary>
    public IReadOnlyList<SignedMessage> Messages { get; init; } = [];

    /// <summary>Messages that the sender has.</summary>
    public IReadOnlyList<GossipHave> Have { get; init; } = [];

    /// <summary>Messages that the sender asks for.</summary>
    public IReadOnlyList<GossipId> Want { get; init; } = [];

    /// <summary>Topics in whose mesh the sender takes us.</summary>
    public IReadOnlyList<string> Graft { get; init; } = [];

    /// <summary>Topics from whose mesh the sender drops us.</summary>
    public IReadOnlyList<GossipPrune> Prune { get; init; } = [];

    /// <summary>Messages that the sender has and does not want from us.</summary>
    public IReadOnlyList<GossipId> DoNotWant { get; init; } = [];

    /// <summary>Whether nothing but messages is said.</summary>
    public bool IsData => Messages.Count > 0 && Subscriptions.Count == 0 && !HasControl;

    /// <summary>Whether it can be left out without the peer's picture of us being wrong afterwards: all but subscriptions, GRAFT and PRUNE.</summary>
    internal bool IsDispensable => Subscriptions.Count + Graft.Count + Prune.Count == 0;

    /// <summary>Whether there is a control message.</summary>
    public bool HasControl => Have.Count + Want.Count + Graft.Count + Prune.Count + DoNotWant.Count > 0;
}

/// <summary>A topic that a peer enters or leaves.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Subscribes">Whether it enters.</param>
public readonly record struct GossipSubscription(string Topic, bool Subscribes);

/// <summary>IHAVE: messages of a topic that a peer has.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Ids">Their ids.</param>
public readonly record struct GossipHave(string Topic, IReadOnlyList<GossipId> Ids);

/// <summary>PRUNE: a topic whose mesh the receiver is dropped from, for how long, and whom else to ask.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Peers">Other peers of the topic.</param>
/// <param name="Backoff">How long not to GRAFT again, in whole seconds on the wire; null when the peer does not say.</param>
public readonly record struct GossipPrune(string Topic, IReadOnlyList<ExchangedPeer> Peers, TimeSpan? Backoff);

/// <summary>A peer that another recommends.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="SignedRecord">Its addresses as a signed envelope that nobody has opened; empty when the recommending peer has none.</param>
public readonly record struct ExchangedPeer(PeerId Peer, ReadOnlyMemory<byte> SignedRecord);
