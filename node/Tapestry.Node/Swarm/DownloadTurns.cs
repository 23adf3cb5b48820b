namespace Tapestry.Node.Swarm;

/// <summary>The download limit, shared fairly: of the fetches that want more, none is far ahead of another, however often each asks.</summary>
/// <remarks>
/// Start-time fair queueing (Goyal, Vin and Cheng, 1996), with a burst of tolerance, since a fetch asks when something comes
/// or a tick has passed, and not when its turn comes. What one does not want goes to the others. Time is an argument. For use
/// from any thread.
/// </remarks>
/// <param name="downloads">The download limit.</param>
internal sealed class DownloadTurns(TokenBucket downloads)
{
    // Whoever was refused and has not asked again for so long wants nothing more: a fetch asks at every tick of 50 ms.
    private static readonly TimeSpan WaitsFor = TimeSpan.FromSeconds(0.2);

    private readonly Lock _gate = new();
    private readonly List<DownloadShare> _waiting = [];
    private long _clock;

    /// <summary>The share of one fetch more.</summary>
    public DownloadShare NewShare() => new(this);

    /// <summary>Takes what a fetch wants to ask for, if it is its turn and within the limit.</summary>
    public bool TryTake(DownloadShare share, long bytes, TimeSpan now)
    {
        lock (_gate)
        {
            _waiting.RemoveAll(other => other == share || now - other.RefusedAt > WaitsFor);

            // Nobody saves up what it did not want.
            share.Taken = Math.Max(share.Taken, _clock);
            bool isAhead = _waiting.Exists(other => share.Taken > other.Taken + downloads.BurstBytes);
            if (isAhead || !downloads.TryTake(bytes, now))
            {
                share.RefusedAt = now;
                _waiting.Add(share);
                return false;
            }

            // Never beyond one that waits: what it has not got yet stays its due.
            _clock = Math.Max(_clock, share.Taken - downloads.BurstBytes);
            share.Taken += bytes;
            return true;
        }
    }
}

/// <summary>What one fetch has had of the download limit. Only <see cref="DownloadTurns"/> changes it.</summary>
/// <param name="turns">The limit.</param>
internal sealed class DownloadShare(DownloadTurns turns)
{
    /// <summary>Bytes taken, or the clock where that is more.</summary>
    public long Taken { get; set; }

    /// <summary>When it was last refused.</summary>
    public TimeSpan RefusedAt { get; set; }

    /// <summary>Takes what its fetch wants to ask for, if it is its turn and within the limit.</summary>
    public bool TryTake(long bytes, TimeSpan now) => turns.TryTake(this, bytes, now);
}
