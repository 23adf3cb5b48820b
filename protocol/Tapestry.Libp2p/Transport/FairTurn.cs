namespace Tapestry.Libp2p;

/// <summary>Counts how often a loop did not have to wait, so that it leaves its thread to others now and then.</summary>
/// <remarks>
/// A remote that is as fast as we are always has something for us. Where sockets are served by the threads that hear of them
/// (<see cref="SocketContinuations"/>), its connection would otherwise keep such a thread, and all others on it, for itself.
/// </remarks>
internal struct FairTurn
{
    // With at most 256 KiB each, a few milliseconds.
    private const int StepsMax = 16;

    private int _steps;

    /// <summary>Called for each step; true when the loop has gone on for long enough and is to yield.</summary>
    /// <param name="completed">Whether the step was done at once; one that waited has left the thread already.</param>
    internal bool IsOver(bool completed)
    {
        _steps = completed ? _steps + 1 : 0;
        bool isOver = _steps == StepsMax;
        _steps = isOver ? 0 : _steps;
        return isOver;
    }
}
