namespace Tapestry.Libp2p.Gossip;

/// <summary>The sequence numbers of our own messages: ascending, over restarts too, and with a store also where the clock was set back.</summary>
/// <remarks>
/// A life starts at the time in nanoseconds, as js-libp2p and go-libp2p do, and never below the ceiling that an earlier life saved.
/// A ceiling is saved before the first number under it is said, a block above the last, so a crash at any moment repeats nothing.
/// </remarks>
internal sealed class OwnSequence
{
    // At the 256 messages a heartbeat that an author may say, one write in four minutes at most; what a restart skips is nothing of 2^64.
    internal const ulong Block = 65_536;

    private readonly Lock _sync = new();
    private readonly IGossipSequenceStore? _store;
    private ulong _last;
    private ulong _ceiling;

    /// <summary>Goes on where an earlier life can have ended.</summary>
    /// <param name="now">The clock's time, since the Unix epoch.</param>
    /// <param name="store">Where ceilings are kept; null for the clock alone.</param>
    internal OwnSequence(DateTimeOffset now, IGossipSequenceStore? store)
    {
        _store = store;
        ulong nanoseconds = checked((ulong)Math.Max(0, (now - DateTimeOffset.UnixEpoch).Ticks) * 100);
        ulong kept = store?.Load() ?? 0;

        // Only a damaged store says so much: no clock did before the year 2262, and near the top no numbers would be left.
        _last = Math.Max(nanoseconds, kept > long.MaxValue ? 0 : kept);
        _ceiling = _last;
    }

    /// <summary>The next number, which is ours to say.</summary>
    internal ulong Next()
    {
        lock (_sync)
        {
            if (_last == _ceiling)
            {
                ulong ceiling = checked(_ceiling + Block);
                _store?.Save(ceiling);
                _ceiling = ceiling;
            }

            _last++;
            return _last;
        }
    }
}
