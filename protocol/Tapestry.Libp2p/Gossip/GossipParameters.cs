namespace Tapestry.Libp2p.Gossip;

/// <summary>The shape of the mesh and the rhythm of gossip. Defaults are those of the specification where it has them.</summary>
/// <remarks>libp2p/specs, pubsub/gossipsub: v1.0 "Parameters", v1.1 "Overview of New Parameters". <c>D</c> names of the specification stand in brackets.</remarks>
public sealed record GossipParameters
{
    /// <summary>Peers that a mesh should have (D). Default 6.</summary>
    public int MeshPeers { get; init; } = 6;

    /// <summary>Below this a mesh takes in more (D_low). Default 4, as the specification and js-libp2p.</summary>
    public int MeshPeersLow { get; init; } = 4;

    /// <summary>From here on a mesh sheds peers (D_high). Default 12.</summary>
    public int MeshPeersHigh { get; init; } = 12;

    /// <summary>Of those that stay, chosen by score (D_score). Default 4.</summary>
    public int MeshPeersByScore { get; init; } = 4;

    /// <summary>Of a mesh, connections that we dialled (D_out), so that whoever dials us cannot fill it. Default 2.</summary>
    public int MeshPeersOutbound { get; init; } = 2;

    /// <summary>Peers that are told of messages at each heartbeat, at least (D_lazy). Default 6.</summary>
    public int GossipPeers { get; init; } = 6;

    /// <summary>The share of peers outside the mesh that are told, if that is more. Default 0.25.</summary>
    public double GossipFactor { get; init; } = 0.25;

    /// <summary>Time between heartbeats. Default 1 s.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Heartbeats for which a message can be asked for. Default 5.</summary>
    public int HistoryHeartbeats { get; init; } = 5;

    /// <summary>Heartbeats for which a message is advertised. Default 3: whoever is told still has two to ask.</summary>
    public int AdvertisedHeartbeats { get; init; } = 3;

    /// <summary>How long we keep in mind whom to send messages of a topic that we are not in. Default 60 s.</summary>
    public TimeSpan FanoutTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a message's id is remembered. Default 120 s.</summary>
    public TimeSpan SeenTime { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How long not to GRAFT after a PRUNE. Default 60 s.</summary>
    public TimeSpan PruneBackoff { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The same after leaving a topic. Default 10 s.</summary>
    public TimeSpan UnsubscribeBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Heartbeats for which we wait longer than a back-off that was asked of us, so that our GRAFT is not early. Default 1, as js-libp2p.</summary>
    public int BackoffSlackHeartbeats { get; init; } = 1;

    /// <summary>A GRAFT this soon after a PRUNE counts twice. Default 10 s.</summary>
    public TimeSpan GraftFloodTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Peers that a PRUNE recommends, and that are taken from one. Default 16: more than a mesh needs.</summary>
    public int ExchangedPeers { get; init; } = 16;

    /// <summary>Whether our own messages go to every peer of the topic, and not to the mesh alone. Default true.</summary>
    public bool FloodPublish { get; init; } = true;

    /// <summary>Whether a PRUNE recommends other peers. Default true: it names only peers whose signed record we hold.</summary>
    public bool ExchangesPeers { get; init; } = true;

    /// <summary>Heartbeats between opportunistic grafts. Default 60.</summary>
    public int OpportunisticHeartbeats { get; init; } = 60;

    /// <summary>Peers that are taken in then. Default 2.</summary>
    public int OpportunisticPeers { get; init; } = 2;

    /// <summary>RPCs with IHAVE that one peer may send in a heartbeat. Default 10.</summary>
    public int HaveRpcsPerHeartbeat { get; init; } = 10;

    /// <summary>Ids in one IHAVE, and asked of one peer in a heartbeat. Default 5000.</summary>
    public int HaveIdsPerHeartbeat { get; init; } = 5000;

    /// <summary>How often one peer may ask for one message. Default 3.</summary>
    public int Retransmissions { get; init; } = 3;

    /// <summary>Ids that one peer may ask for in a heartbeat. Default 5000: all that we may have advertised.</summary>
    public int WantIdsPerHeartbeat { get; init; } = 5000;

    /// <summary>How long a message that we asked for may take; so long the peer is not asked again. Default 3 s.</summary>
    public TimeSpan PromiseTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long after that an answer still is one, and no repetition. Default 30 s: it may have waited behind other messages.</summary>
    public TimeSpan AnswerTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a copy waits for the check of the same bytes from another peer. Default 3 s; then it is worth a check of its own.</summary>
    public TimeSpan CheckTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Messages that we publish in a heartbeat, and half of those that are heard of one author. Default 256: more than a member
    /// of a consortium says in a second, and what a member that repeats itself can make every other one check.
    /// </summary>
    public int MessagesPerAuthor { get; init; } = 256;

    /// <summary>Data of which a message is so large that IDONTWANT pays. Default 1024 bytes, as go-libp2p: more than the IDONTWANTs to a full mesh.</summary>
    public int DoNotWantBytes { get; init; } = 1024;

    /// <summary>IDONTWANT ids that are sent to one peer in a heartbeat, and half of those that are kept of one. Default 512, as js-libp2p.</summary>
    public int DoNotWantIdsPerHeartbeat { get; init; } = 512;

    /// <summary>Heartbeats for which an IDONTWANT holds. Default 3, as go-libp2p.</summary>
    public int DoNotWantHeartbeats { get; init; } = 3;

    /// <summary>Heartbeats between reminders to connect to explicit peers. Default 300.</summary>
    public int ExplicitPeerHeartbeats { get; init; } = 300;

    /// <summary>Refuses what cannot work together.</summary>
    /// <exception cref="ArgumentException">A bound contradicts another one, named.</exception>
    internal void Validate()
    {
        Require(AdvertisedHeartbeats >= 1 && AdvertisedHeartbeats <= HistoryHeartbeats, $"{nameof(AdvertisedHeartbeats)} is between 1 and {nameof(HistoryHeartbeats)}");
        Require(MeshPeersByScore <= MeshPeersHigh, $"{nameof(MeshPeersByScore)} is at most {nameof(MeshPeersHigh)}");
        Require(HeartbeatInterval > TimeSpan.Zero, $"{nameof(HeartbeatInterval)} is positive");
        Require(MessagesPerAuthor is >= 1 and <= int.MaxValue / 2, $"{nameof(MessagesPerAuthor)} is at least 1 and can be doubled");
        Require(DoNotWantIdsPerHeartbeat is >= 0 and <= int.MaxValue / 2, $"{nameof(DoNotWantIdsPerHeartbeat)} is not negative and can be doubled");
        Require(GossipFactor is >= 0 and <= 1, $"{nameof(GossipFactor)} is between 0 and 1");

        // A peer that only introduces others has no mesh (gossipsub v1.1, "Recommendations for Network Operators").
        if ((MeshPeers, MeshPeersLow, MeshPeersHigh, MeshPeersOutbound) == (0, 0, 0, 0))
        {
            return;
        }

        Require(MeshPeersLow <= MeshPeers && MeshPeers <= MeshPeersHigh, $"{nameof(MeshPeersLow)}, {nameof(MeshPeers)}, {nameof(MeshPeersHigh)} do not fall");
        Require(MeshPeersOutbound < MeshPeersLow && MeshPeersOutbound <= MeshPeers / 2, $"{nameof(MeshPeersOutbound)} is below {nameof(MeshPeersLow)} and at most half of {nameof(MeshPeers)}");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new ArgumentException($"Gossip parameters: {what}.");
        }
    }
}
