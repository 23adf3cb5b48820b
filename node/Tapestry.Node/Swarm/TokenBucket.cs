namespace Tapestry.Node.Swarm;

/// <summary>A rate in bytes a second, kept on average, with bursts of a tenth of a second or one chunk.</summary>
/// <remarks>Time is an argument. What is taken may leave the bucket in debt, so that a chunk larger than the burst passes. For use from any thread.</remarks>
/// <param name="bytesPerSecond">The rate; 0 for none, and then everything passes.</param>
internal sealed class TokenBucket(long bytesPerSecond)
{
    private const double BurstSeconds = 0.1;

    private readonly Lock _gate = new();
    private double _tokens = bytesPerSecond * BurstSeconds;
    private TimeSpan _filledAt;

    /// <summary>What passes at once after a pause, in bytes.</summary>
    public long BurstBytes => (long)(bytesPerSecond * BurstSeconds);

    /// <summary>Takes tokens if the bucket is not in debt.</summary>
    public bool TryTake(long bytes, TimeSpan now) => Wait(bytes, now) == TimeSpan.Zero;

    /// <summary>Takes tokens now, or says when to try again.</summary>
    /// <returns>Zero when they were taken; else how long until they can be.</returns>
    public TimeSpan Wait(long bytes, TimeSpan now)
    {
        if (bytesPerSecond == 0)
        {
            return TimeSpan.Zero;
        }

        lock (_gate)
        {
            _tokens = Math.Min(bytesPerSecond * BurstSeconds, _tokens + (bytesPerSecond * (now - _filledAt).TotalSeconds));
            _filledAt = now;
            if (_tokens < 0)
            {
                return TimeSpan.FromSeconds(Math.Max(-_tokens / bytesPerSecond, 0.001));
            }

            _tokens -= bytes;
            return TimeSpan.Zero;
        }
    }
}
