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

    /// <summary>Keeps our sequence numbers ascending over a restart with a clock set back. Default: none, so the clock alone does.</summary>
    public IGossipSequenceStore? SequenceStore { get; init; }

    /// <summary>Decides every draw. Default: another one each time; a number makes draws repeat.</summary>
    public int? Seed { get; init; }
}
