namespace Tapestry.Libp2p;

/// <summary>How many pushes a connection has brought in the running minute: each costs a signature check at most, and is told to others.</summary>
internal sealed class PushThrottle(int perMinute, TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _sync = new();
    private long _startedAt = time.GetTimestamp();
    private int _count;

    /// <summary>Counts a push, unless there were too many.</summary>
    internal bool TryTake()
    {
        lock (_sync)
        {
            if (time.GetElapsedTime(_startedAt) >= Minute)
            {
                _startedAt = time.GetTimestamp();
                _count = 0;
            }

            if (_count >= perMinute)
            {
                return false;
            }

            _count++;
            return true;
        }
    }
}
