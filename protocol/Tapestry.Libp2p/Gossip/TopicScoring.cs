using static Tapestry.Libp2p.Gossip.GossipScoring;

namespace Tapestry.Libp2p.Gossip;

/// <summary>How behaviour in one topic is scored: P1 to P4.</summary>
/// <remarks>
/// libp2p/specs, pubsub/gossipsub/gossipsub-v1.1.md, "The Score Function". P3 asks for a rate that only the application knows, so it
/// is off until <see cref="DeliveriesWeight"/> is set; a quiet topic must not look like a silent peer.
/// </remarks>
public sealed record TopicScoring
{
    /// <summary>How much the topic counts. Default 1.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Weight of P1, time in the mesh. Default 10/3600: an hour earns 10.</summary>
    public double TimeInMeshWeight { get; init; } = 10.0 / 3600;

    /// <summary>The time that earns one point of P1. Default 1 s.</summary>
    public TimeSpan TimeInMeshQuantum { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The most of P1. Default 3600.</summary>
    public double TimeInMeshCap { get; init; } = 3600;

    /// <summary>Weight of P2, messages that the peer was the first to send. Default 0.5.</summary>
    public double FirstDeliveriesWeight { get; init; } = 0.5;

    /// <summary>What is left of P2 after an interval. Default 0.999: half in 11 minutes, longer than a round's pause.</summary>
    public double FirstDeliveriesDecay { get; init; } = 0.999;

    /// <summary>The most of P2. Default 20: with its weight, 10.</summary>
    public double FirstDeliveriesCap { get; init; } = 20;

    /// <summary>Weight of P3, the squared deficit of messages that a mesh peer should have sent. Default 0: off.</summary>
    public double DeliveriesWeight { get; init; }

    /// <summary>What is left of P3's count after an interval. Default 0.9.</summary>
    public double DeliveriesDecay { get; init; } = 0.9;

    /// <summary>The most of P3's count. Default 100.</summary>
    public double DeliveriesCap { get; init; } = 100;

    /// <summary>Deliveries below which there is a deficit. Default 1.</summary>
    public double DeliveriesThreshold { get; init; } = 1;

    /// <summary>How long after the first delivery another one still counts. Default 10 ms, as js-libp2p.</summary>
    public TimeSpan DeliveriesWindow { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How long a peer is in the mesh before P3 counts. Default 60 s.</summary>
    public TimeSpan DeliveriesActivation { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Weight of P3b, deficits at the time of a PRUNE. Default 0: off.</summary>
    public double MeshFailureWeight { get; init; }

    /// <summary>What is left of P3b after an interval. Default 0.98.</summary>
    public double MeshFailureDecay { get; init; } = 0.98;

    /// <summary>Weight of P4, invalid messages, squared. Default -1: from nothing earned, ten lead below the graylist threshold.</summary>
    public double InvalidWeight { get; init; } = -1;

    /// <summary>What is left of P4 after an interval. Default 0.99: half in 69 s.</summary>
    public double InvalidDecay { get; init; } = 0.99;

    internal void Validate()
    {
        Require(Weight >= 0, $"{nameof(Weight)} is not negative");
        Require(TimeInMeshQuantum > TimeSpan.Zero, $"{nameof(TimeInMeshQuantum)} is positive");
        Require(TimeInMeshWeight >= 0, $"{nameof(TimeInMeshWeight)} is not negative");
        Require(TimeInMeshWeight == 0 || TimeInMeshCap > 0, $"{nameof(TimeInMeshCap)} is positive");
        Require(FirstDeliveriesWeight >= 0, $"{nameof(FirstDeliveriesWeight)} is not negative");
        Require(FirstDeliveriesWeight == 0 || IsDecay(FirstDeliveriesDecay), $"{nameof(FirstDeliveriesDecay)} is between 0 and 1");
        Require(FirstDeliveriesWeight == 0 || FirstDeliveriesCap > 0, $"{nameof(FirstDeliveriesCap)} is positive");
        Require(DeliveriesWeight <= 0, $"{nameof(DeliveriesWeight)} is not positive");
        Require(DeliveriesWeight == 0 || IsDecay(DeliveriesDecay), $"{nameof(DeliveriesDecay)} is between 0 and 1");
        Require(DeliveriesWeight == 0 || DeliveriesThreshold > 0, $"{nameof(DeliveriesThreshold)} is positive");
        Require(DeliveriesWeight == 0 || DeliveriesCap >= DeliveriesThreshold, $"{nameof(DeliveriesCap)} is at least {nameof(DeliveriesThreshold)}");
        Require(DeliveriesWindow >= TimeSpan.Zero, $"{nameof(DeliveriesWindow)} is not negative");
        Require(DeliveriesWeight == 0 || DeliveriesActivation >= TimeSpan.FromSeconds(1), $"{nameof(DeliveriesActivation)} is at least 1 s");
        Require(MeshFailureWeight <= 0, $"{nameof(MeshFailureWeight)} is not positive");
        Require(MeshFailureWeight == 0 || IsDecay(MeshFailureDecay), $"{nameof(MeshFailureDecay)} is between 0 and 1");
        Require(InvalidWeight <= 0, $"{nameof(InvalidWeight)} is not positive");
        Require(IsDecay(InvalidDecay), $"{nameof(InvalidDecay)} is between 0 and 1");
    }

    private static bool IsDecay(double factor) => factor is > 0 and < 1;
}
