using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Daemon;

/// <summary>The timers that the rules have set: at most one of a kind, round and agreement.</summary>
/// <remarks>
/// A timer that is replaced may already be on its way; its generation tells the rules so. Called from the loop's task,
/// fired from the clock's threads.
/// </remarks>
/// <param name="clock">The clock.</param>
/// <param name="fire">Called once a timer has run out; must not throw.</param>
internal sealed class TimerBoard(MonotonicClock clock, Action<TimerId> fire) : IDisposable
{
    private readonly Dictionary<(TimerKind Kind, long Round, AgreementKind Agreement), ITimer> _timers = [];

    /// <summary>Sets a timer, in place of an earlier one of the same kind, round and agreement.</summary>
    public void Set(TimerId timer, long atMonotonicMs)
    {
        (TimerKind, long, AgreementKind) key = (timer.Kind, timer.Round, timer.Agreement);
        if (_timers.Remove(key, out ITimer? earlier))
        {
            earlier.Dispose();
        }

        TimeSpan wait = TimeSpan.FromMilliseconds(Math.Max(0, atMonotonicMs - clock.ElapsedMs));
        _timers[key] = clock.Time.CreateTimer(_ => fire(timer), null, wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Drops the timers of rounds before <paramref name="round"/>.</summary>
    public void Forget(long round)
    {
        foreach ((TimerKind, long Round, AgreementKind) key in _timers.Keys.Where(key => key.Round < round).ToList())
        {
            _timers.Remove(key, out ITimer? timer);
            timer?.Dispose();
        }
    }

    /// <summary>Drops every timer.</summary>
    public void Dispose()
    {
        foreach (ITimer timer in _timers.Values)
        {
            timer.Dispose();
        }

        _timers.Clear();
    }
}
