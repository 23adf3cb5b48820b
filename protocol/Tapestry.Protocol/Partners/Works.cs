using Tapestry.Crypto;

namespace Tapestry.Protocol.Partners;

/// <summary>What an effect with an id is for.</summary>
internal abstract record Work
{
    private Work()
    {
    }

    internal sealed record Train(Digest Base) : Work;

    internal sealed record CheckShards(Digest Manifest) : Work;

    internal sealed record Aggregate(Digest Set) : Work;

    internal sealed record Apply(Digest Result) : Work;

    internal sealed record FetchBase(Digest Base) : Work;

    internal sealed record FetchBody(BodyKind Kind, Digest Body) : Work;

    internal sealed record FetchRound(long Round, MemberId Provider) : Work;
}

/// <summary>The effects that have not ended. What failed waits for the retry timer, so that nothing is asked in a loop.</summary>
internal sealed class Works
{
    private readonly SortedDictionary<long, Work> _running = [];
    private readonly HashSet<Work> _now = [];
    private readonly HashSet<Work> _blocked = [];

    internal bool IsRunning(Work work) => _now.Contains(work);

    internal bool IsRunning<T>()
        where T : Work => _running.Values.Any(work => work is T);

    /// <summary>Begins a piece of work unless it is running or has just failed.</summary>
    internal void Begin(Work work, Outbox outbox, Func<EffectId, Effect> effect)
    {
        if (!_blocked.Contains(work) && _now.Add(work))
        {
            EffectId id = outbox.NewEffect();
            _running.Add(id.Number, work);
            outbox.Do(effect(id));
        }
    }

    /// <summary>What an ended effect was for; null if it was given up.</summary>
    internal Work? End(EffectId id)
    {
        if (!_running.Remove(id.Number, out Work? work))
        {
            return null;
        }

        _now.Remove(work);
        return work;
    }

    internal void Block(Work work) => _blocked.Add(work);

    internal void Unblock() => _blocked.Clear();

    /// <summary>Cancels whatever a predicate names.</summary>
    internal void Cancel(Predicate<Work> predicate, Outbox outbox)
    {
        foreach ((long id, Work work) in _running.ToArray())
        {
            if (predicate(work))
            {
                _running.Remove(id);
                _now.Remove(work);
                outbox.Do(new Effect.Cancel(new EffectId(id)));
            }
        }
    }
}
