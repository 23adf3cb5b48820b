namespace Tapestry.Libp2p.Gossip;

/// <summary>What a router knows of a topic. Lists are in the order in which peers came, so that equal inputs give equal outputs.</summary>
internal sealed class RouterTopic(string name)
{
    internal string Name { get; } = name;

    /// <summary>Whether we are in it.</summary>
    internal bool IsJoined { get; set; }

    /// <summary>When we left it.</summary>
    internal TimeSpan? LeftAt { get; set; }

    /// <summary>The connected peers that are in it.</summary>
    internal List<RouterPeer> Peers { get; } = [];

    /// <summary>Of these, our mesh; empty unless we are in the topic.</summary>
    internal List<RouterPeer> Mesh { get; } = [];

    /// <summary>Peers that have come since the last heartbeat, and when, by the position of the cache: they are told what was said before, in the mesh or not.</summary>
    internal List<(RouterPeer Peer, long CameAt)> Newcomers { get; } = [];

    /// <summary>Where our messages go while we are not in the topic, until when.</summary>
    internal List<RouterPeer> Fanout { get; } = [];

    internal TimeSpan? FanoutUntil { get; set; }

    /// <summary>Until when not to GRAFT, and not to be GRAFTed by, a peer.</summary>
    internal Dictionary<PeerId, TimeSpan> Backoffs { get; } = [];

    /// <summary>Nothing is left to be known.</summary>
    internal bool IsIdle(TimeSpan now, TimeSpan leaveTime) =>
        !IsJoined && Peers.Count == 0 && FanoutUntil is null && Backoffs.Count == 0 && !(LeftAt + leaveTime > now);

    /// <summary>Back-offs grow, never shrink.</summary>
    internal void BackOff(PeerId peer, TimeSpan until, int countMax)
    {
        if (Backoffs.TryGetValue(peer, out TimeSpan known))
        {
            Backoffs[peer] = until > known ? until : known;
        }
        else if (Backoffs.Count < countMax)
        {
            Backoffs.Add(peer, until);
        }
    }
}
