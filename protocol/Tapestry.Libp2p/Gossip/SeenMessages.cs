using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Libp2p.Gossip;

/// <summary>The ids that came in the last two minutes, and how far back each author's were forgotten, so that nothing comes twice.</summary>
/// <remarks>
/// Messages of one author may come in any order while they are remembered. Once one is forgotten, the author's messages up to its
/// sequence number are stale: they are old, or come again. go-libp2p's validator of sequence numbers refuses everything that is
/// out of order instead, which loses messages that took another path.
/// </remarks>
internal sealed class SeenMessages(TimeSpan seenTime, GossipLimits limits)
{
    private readonly Dictionary<GossipId, SeenMessage> _byId = [];
    private readonly Queue<SeenMessage> _inOrder = new();
    private readonly Dictionary<PeerId, ulong> _floors = [];
    private readonly Queue<PeerId> _authors = new();

    internal int Count => _byId.Count;

    internal bool Contains(GossipId id) => _byId.ContainsKey(id);

    internal bool TryGet(GossipId id, [NotNullWhen(true)] out SeenMessage? seen) => _byId.TryGetValue(id, out seen);

    /// <summary>Remembers a message whose signature holds.</summary>
    internal SeenMessage Add(GossipId id, PeerId author, ulong sequence, PeerId sender, TimeSpan now)
    {
        SeenMessage seen = new(id, author, sequence, sender, now + seenTime);
        _byId.Add(id, seen);
        _inOrder.Enqueue(seen);
        if (_inOrder.Count > limits.SeenIds)
        {
            Forget();
        }

        return seen;
    }

    /// <summary>Whether a message that is not remembered is one that was forgotten, or older.</summary>
    internal bool IsStale(PeerId author, ulong sequence) => _floors.TryGetValue(author, out ulong floor) && sequence <= floor;

    /// <summary>Forgets what is old.</summary>
    internal void Expire(TimeSpan now)
    {
        while (_inOrder.TryPeek(out SeenMessage? oldest) && oldest.ForgetAt <= now)
        {
            Forget();
        }
    }

    private void Forget()
    {
        SeenMessage oldest = _inOrder.Dequeue();
        _byId.Remove(oldest.Id);
        if (_floors.TryGetValue(oldest.Author, out ulong floor))
        {
            _floors[oldest.Author] = Math.Max(floor, oldest.Sequence);
            return;
        }

        if (_authors.Count >= limits.RememberedAuthors)
        {
            _floors.Remove(_authors.Dequeue());
        }

        _floors.Add(oldest.Author, oldest.Sequence);
        _authors.Enqueue(oldest.Author);
    }
}

/// <summary>What became of a message.</summary>
internal enum SeenStatus : byte
{
    /// <summary>The application has not judged it yet.</summary>
    Pending,
    Accepted,
    Rejected,
    Ignored,
}

/// <summary>A message that came, and from whom.</summary>
internal sealed class SeenMessage(GossipId id, PeerId author, ulong sequence, PeerId first, TimeSpan forgetAt)
{
    private List<PeerId>? _others;

    internal GossipId Id { get; } = id;

    internal PeerId Author { get; } = author;

    internal ulong Sequence { get; } = sequence;

    /// <summary>Who sent it first.</summary>
    internal PeerId First { get; } = first;

    internal TimeSpan ForgetAt { get; } = forgetAt;

    internal SeenStatus Status { get; private set; }

    /// <summary>When it was judged.</summary>
    internal TimeSpan JudgedAt { get; private set; }

    /// <summary>Who else sent it.</summary>
    internal IReadOnlyList<PeerId> Others => _others ?? [];

    internal void Judge(SeenStatus status, TimeSpan now) => (Status, JudgedAt) = (status, now);

    internal bool WasSentBy(PeerId peer) => First == peer || (_others?.Contains(peer) ?? false);

    /// <summary>Another peer sent it; false when this one has before.</summary>
    internal bool TryAdd(PeerId peer)
    {
        if (WasSentBy(peer))
        {
            return false;
        }

        (_others ??= []).Add(peer);
        return true;
    }
}
