namespace Tapestry.Libp2p;

/// <summary>How often others have made us dial in the last minute.</summary>
internal sealed class AutonatThrottle(AutonatLimits limits, TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _sync = new();
    private readonly Queue<(PeerId Peer, long At)> _recent = new();

    /// <summary>Counts a request, unless there were too many.</summary>
    internal bool TryTake(PeerId peer)
    {
        lock (_sync)
        {
            while (_recent.TryPeek(out (PeerId Peer, long At) oldest) && time.GetElapsedTime(oldest.At) >= Window)
            {
                _recent.Dequeue();
            }

            if (_recent.Count >= limits.DialsPerMinute || _recent.Count(taken => taken.Peer == peer) >= limits.DialsPerMinutePerPeer)
            {
                return false;
            }

            _recent.Enqueue((peer, time.GetTimestamp()));
            return true;
        }
    }
}
