namespace Tapestry.Sim;

/// <summary>What will happen, by virtual time; of equal times, in the order in which it was scheduled.</summary>
public sealed class EventHeap
{
    private readonly PriorityQueue<Action, (long TimeUs, long Sequence)> _queue = new();
    private long _sequence;

    /// <summary>The present, in microseconds of virtual time.</summary>
    public long NowUs { get; private set; }

    /// <summary>How many events have happened.</summary>
    public long Happened { get; private set; }

    /// <summary>Schedules an event.</summary>
    /// <param name="delayUs">From now, in microseconds; at least 0.</param>
    /// <param name="happen">What it does.</param>
    public void In(long delayUs, Action happen)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delayUs);
        _queue.Enqueue(happen, (NowUs + delayUs, _sequence++));
    }

    /// <summary>Lets the next event happen, unless there is none before <paramref name="untilUs"/>.</summary>
    public bool TryNext(long untilUs)
    {
        if (!_queue.TryPeek(out _, out (long TimeUs, long Sequence) next) || next.TimeUs > untilUs)
        {
            return false;
        }

        Action happen = _queue.Dequeue();
        NowUs = next.TimeUs;
        Happened++;
        happen();
        return true;
    }
}
