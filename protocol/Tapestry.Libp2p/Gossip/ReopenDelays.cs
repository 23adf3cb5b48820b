namespace Tapestry.Libp2p.Gossip;

/// <summary>How long to wait before a stream that the peer ended is opened again: a few times, ever longer, then no more for a while.</summary>
/// <remarks>As go-libp2p-pubsub does it: 100 ms, doubled up to 10 s, part of it by lot; four times in ten minutes.</remarks>
internal sealed class ReopenDelays(Random random)
{
    internal const int AttemptsMax = 4;

    internal static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    internal static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private int _attempts;
    private TimeSpan _lastAt;

    /// <summary>The delay before the next attempt, or null when there have been too many.</summary>
    internal TimeSpan? Next(TimeSpan now)
    {
        if (now - _lastAt > Memory)
        {
            _attempts = 0;
        }

        if (_attempts >= AttemptsMax)
        {
            return null;
        }

        TimeSpan delay = First * Math.Pow(2, _attempts);
        _attempts++;
        _lastAt = now;
        TimeSpan bounded = delay > Longest ? Longest : delay;
        return bounded + (bounded * random.NextDouble());
    }
}
