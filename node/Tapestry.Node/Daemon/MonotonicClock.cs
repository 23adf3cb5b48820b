using Tapestry.Protocol;

namespace Tapestry.Node.Daemon;

/// <summary>Turns the host's clock into the moments that the rules are given.</summary>
/// <param name="time">The host's clock.</param>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>The clock below.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>This moment: wall time, and milliseconds since the process started.</summary>
    public Instant Now => new(Time.GetUtcNow().ToUnixTimeMilliseconds(), ElapsedMs);

    /// <summary>Milliseconds since the process started.</summary>
    public long ElapsedMs => (long)Time.GetElapsedTime(_start).TotalMilliseconds;
}
