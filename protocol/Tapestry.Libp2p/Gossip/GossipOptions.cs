namespace Tapestry.Libp2p.Gossip;

/// <summary>How a <see cref="Gossipsub"/> gossips. What it may hold is <see cref="GossipLimits"/>, in the host's <see cref="ResourceLimits"/>.</summary>
public sealed record GossipOptions
{
    /// <summary>The shape of the mesh and the rhythm of gossip.</summary>
    public GossipParameters Parameters { get; init; } = new();

    /// <summary>How peers are scored, and what follows.</summary>
    public GossipScoring Scoring { get; init; } = new();

    /// <summary>Peers that get every message and are believed whatever their score; they must do the same. Default: none.</summary>
    public IReadOnlySet<PeerId> ExplicitPeers { get; init; } = new HashSet<PeerId>();

    /// <summary>The signed record of a peer, to recommend it with; null when we hold none. Asked under a lock, so it must be quick. Default: none.</summary>
    public Func<PeerId, ReadOnlyMemory<byte>?> SignedRecordOf { get; init; } = static _ => null;

    /// <summary>Asked to connect to a peer that another recommends, with its signed record, or to an explicit peer, without. Must not block or throw. Default: does nothing.</summary>
    /// <remarks>The record has not been opened: whoever opens it answers whether it is one of that peer, for which the recommending peer is scored.</remarks>
    public Func<PeerId, ReadOnlyMemory<byte>, bool> Meets { get; init; } = static (_, _) => true;

    /// <summary>Decides every draw. Default: another one each time; a number makes draws repeat.</summary>
    public int? Seed { get; init; }
}
