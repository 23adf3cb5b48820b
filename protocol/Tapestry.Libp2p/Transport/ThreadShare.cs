namespace Tapestry.Libp2p;

/// <summary>How long a loop that never has to wait has had its thread, so that it leaves it to others now and then.</summary>
/// <remarks>
/// A remote that is as fast as we are always has something for us. Where sockets are served by the threads that hear of them
/// (<see cref="SocketContinuations"/>), it would otherwise keep such a thread, and all other sockets on it, for itself.
/// </remarks>
/// <param name="time">The clock.</param>
internal struct ThreadShare(TimeProvider time)
{
    // Some megabytes; and no wait that a person, or an agreement with a deadline in seconds, notices.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(2);

    private long _since;
    private bool _isRunning;

    /// <summary>To be told of every step.</summary>
    /// <param name="completed">Whether it was done at once; a loop that has to wait leaves the thread anyway.</param>
    /// <returns>True when the loop is to yield; its time then begins anew.</returns>
    internal bool IsUsedUpBy(bool completed)
    {
        if (!completed || !_isRunning)
        {
            _isRunning = completed;
            _since = completed ? time.GetTimestamp() : 0;
            return false;
        }

        _isRunning = time.GetElapsedTime(_since) < Longest;
        return !_isRunning;
    }
}
