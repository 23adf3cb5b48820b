namespace Tapestry.Libp2p;

/// <summary>How often peers may ask for something in a minute: each, and all together.</summary>
/// <remarks>
/// One minute runs for all, and everything is forgotten with it: so at the turn of a minute a peer may have twice as much, and a
/// peer that comes back has no more than one that stayed. May be used from any thread.
/// </remarks>
/// <param name="perPeer">The most of one peer.</param>
/// <param name="inAll">The most of all.</param>
/// <param name="time">The clock.</param>
public sealed class PeerRate(int perPeer, int inAll, TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _sync = new();
    private readonly Dictionary<PeerId, int> _taken = [];
    private long _startedAt = time.GetTimestamp();
    private int _takenInAll;

    /// <summary>Counts a request, unless there were too many.</summary>
    public bool TryTake(PeerId peer)
    {
        lock (_sync)
        {
            if (time.GetElapsedTime(_startedAt) >= Minute)
            {
                _startedAt = time.GetTimestamp();
                _taken.Clear();
                _takenInAll = 0;
            }

            int taken = _taken.GetValueOrDefault(peer);
            if (taken >= perPeer || _takenInAll >= inAll)
            {
                return false;
            }

            _taken[peer] = taken + 1;
            _takenInAll++;
            return true;
        }
    }
}
