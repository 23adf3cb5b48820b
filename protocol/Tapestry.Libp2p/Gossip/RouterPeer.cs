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
internal sealed class RouterPeer(PeerId id, bool isExplicit)
{
    private readonly Dictionary<GossipId, Question> _asked = [];

    internal PeerId Id { get; } = id;

    /// <summary>Whether we dialled the connection that is used now.</summary>
    internal bool IsOutbound { get; set; }

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

    /// <summary>Whether it has said too much of its own in this heartbeat.</summary>
    internal bool HasFlooded { get; set; }

    /// <summary>What the heartbeat has to say to it.</summary>
    internal List<string> Graft { get; } = [];

    internal List<GossipPrune> Prune { get; } = [];

    internal List<GossipHave> Have { get; } = [];

    /// <summary>Whether it has been asked for a message, and is not late yet.</summary>
    internal bool IsAsked(GossipId id, TimeSpan now) => _asked.TryGetValue(id, out Question? question) && now < question.OpenUntil;

    /// <summary>It is asked for a message, once more.</summary>
    internal void Ask(GossipId id, TimeSpan openUntil)
    {
        if (!_asked.TryGetValue(id, out Question? question))
        {
            question = new Question();
            _asked.Add(id, question);
        }

        question.Answers++;
        question.OpenUntil = openUntil;
    }

    /// <summary>Whether a message is an answer that it owed, and owes no more.</summary>
    internal bool TakeAnswer(GossipId id)
    {
        if (!_asked.TryGetValue(id, out Question? question))
        {
            return false;
        }

        if (--question.Answers == 0)
        {
            _asked.Remove(id);
        }

        return true;
    }

    /// <summary>A heartbeat has passed.</summary>
    /// <param name="heartbeat">Its number.</param>
    /// <param name="answersSince">Answers that were due before are not waited for.</param>
    internal void Refill(long heartbeat, TimeSpan answersSince)
    {
        (HaveRpcs, HaveIds, WantIds, DoNotWantReceived, DoNotWantSent, HasFlooded) = (0, 0, 0, 0, 0, false);
        foreach ((GossipId id, Question question) in _asked)
        {
            if (question.OpenUntil <= answersSince)
            {
                _asked.Remove(id);
            }
        }

        foreach ((GossipId id, long until) in Unwanted)
        {
            if (until <= heartbeat)
            {
                Unwanted.Remove(id);
            }
        }
    }

    /// <summary>What the heartbeat has gathered, in as many RPCs as it takes.</summary>
    internal IReadOnlyList<GossipRpc> TakeGathered(GossipLimits limits)
    {
        if (Graft.Count + Prune.Count + Have.Count == 0)
        {
            return [];
        }

        ControlPacker packer = new(limits);
        Graft.ForEach(packer.Add);
        Prune.ForEach(packer.Add);
        Have.ForEach(packer.Add);
        Graft.Clear();
        Prune.Clear();
        Have.Clear();
        return packer.Take();
    }

    /// <summary>What it was asked for, and how often it may send that.</summary>
    private sealed class Question
    {
        public int Answers { get; set; }

        public TimeSpan OpenUntil { get; set; }
    }
}
