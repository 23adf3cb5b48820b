namespace Tapestry.Node.Swarm;

/// <summary>The chunks that nobody has been asked for yet, rarest first; which of equally rare ones comes first is the seed's choice.</summary>
/// <remarks>
/// One list for each number of providers, so every change is O(1). Fetchers of one blob have different seeds: they ask its
/// source for different chunks, and each then has something that the others lack.
/// </remarks>
internal sealed class ChunkOrder
{
    // As common as makes no difference.
    private const int AvailabilityMax = 64;

    private const int Absent = -1;

    private readonly List<int>[] _byAvailability = [.. Enumerable.Range(0, AvailabilityMax + 1).Select(_ => new List<int>())];
    private readonly int[] _availability;
    private readonly int[] _place;
    private readonly Random _random;

    /// <summary>All chunks, offered by nobody.</summary>
    public ChunkOrder(int chunks, int seed)
    {
        _availability = new int[chunks];
        _place = new int[chunks];
        _random = new Random(seed);
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            Insert(chunk);
        }
    }

    /// <summary>How many chunks are in the order.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a chunk is in the order.</summary>
    public bool Contains(int chunk) => _place[chunk] != Absent;

    /// <summary>How many providers offer a chunk.</summary>
    public int Availability(int chunk) => _availability[chunk];

    /// <summary>Puts a chunk in, if it is not.</summary>
    public void Add(int chunk)
    {
        if (!Contains(chunk))
        {
            Insert(chunk);
        }
    }

    /// <summary>Takes a chunk out, if it is in.</summary>
    public void Remove(int chunk)
    {
        if (Contains(chunk))
        {
            Extract(chunk);
        }
    }

    /// <summary>One provider more, or one less, offers a chunk.</summary>
    public void Change(int chunk, int by)
    {
        bool isIn = Contains(chunk);
        if (isIn)
        {
            Extract(chunk);
        }

        _availability[chunk] += by;
        if (isIn)
        {
            Insert(chunk);
        }
    }

    /// <summary>One of the rarest chunks that somebody offers.</summary>
    public bool TryFindRarest(out int chunk)
    {
        for (int availability = 1; availability <= AvailabilityMax; availability++)
        {
            List<int> equals = _byAvailability[availability];
            if (equals.Count > 0)
            {
                chunk = equals[_random.Next(equals.Count)];
                return true;
            }
        }

        chunk = Absent;
        return false;
    }

    /// <summary>A number below <paramref name="bound"/>, by the seed.</summary>
    public int Draw(int bound) => _random.Next(bound);

    private List<int> ListOf(int chunk) => _byAvailability[Math.Min(_availability[chunk], AvailabilityMax)];

    private void Insert(int chunk)
    {
        List<int> list = ListOf(chunk);
        _place[chunk] = list.Count;
        list.Add(chunk);
        Count++;
    }

    private void Extract(int chunk)
    {
        List<int> list = ListOf(chunk);
        int last = list[^1];
        list[_place[chunk]] = last;
        _place[last] = _place[chunk];
        list.RemoveAt(list.Count - 1);
        _place[chunk] = Absent;
        Count--;
    }
}
