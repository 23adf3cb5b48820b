namespace Tapestry.Libp2p.Yamux;

/// <summary>The windows of all connections of a host together: what is promised to peers, and may have to be held.</summary>
/// <remarks>May be used from any thread.</remarks>
internal sealed class WindowBudget(long bytes)
{
    private long _left = bytes;

    /// <summary>How much may still be promised, in bytes.</summary>
    public long Left => Volatile.Read(ref _left);

    /// <summary>Takes as much of <paramref name="wanted"/> as is left, all or nothing.</summary>
    public bool TryTake(long wanted)
    {
        if (Interlocked.Add(ref _left, -wanted) >= 0)
        {
            return true;
        }

        Interlocked.Add(ref _left, wanted);
        return false;
    }

    /// <summary>Gives back what was taken.</summary>
    public void Return(long taken) => Interlocked.Add(ref _left, taken);
}
