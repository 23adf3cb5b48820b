namespace Tapestry.Libp2p.Yamux;

/// <summary>Which stream ids the remote has used, in constant space.</summary>
/// <remarks>
/// The ids of one side rise, but an implementation that opens streams on several threads may send them a little out of
/// order. So the last <see cref="ReorderedMax"/> ids are remembered one by one and all below count as used, as a
/// replay window does (RFC 4303, section 3.4.3).
/// </remarks>
internal sealed class SeenStreamIds
{
    /// <summary>By how many streams an id may be late: no more than may be unacknowledged at once.</summary>
    public const int ReorderedMax = 256;

    private readonly bool[] _seen = new bool[ReorderedMax];
    private long _highest = -1;

    /// <summary>Marks the id as used; false if it was used before, or is too late to tell.</summary>
    public bool TryAdd(uint streamId)
    {
        long index = streamId / 2;
        if (index <= _highest - ReorderedMax)
        {
            return false;
        }

        if (index > _highest)
        {
            long skipped = Math.Min(index - _highest - 1, ReorderedMax);
            for (long i = 1; i <= skipped; i++)
            {
                _seen[(_highest + i) % ReorderedMax] = false;
            }

            _highest = index;
        }
        else if (_seen[index % ReorderedMax])
        {
            return false;
        }

        _seen[index % ReorderedMax] = true;
        return true;
    }

    /// <summary>Whether a stream of this id may have been open once.</summary>
    public bool MayHaveBeenOpen(uint streamId)
    {
        long index = streamId / 2;
        return index <= _highest && (index <= _highest - ReorderedMax || _seen[index % ReorderedMax]);
    }
}
