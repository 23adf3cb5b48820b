using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>Which chunk of one blob to ask of whom, and when: rarest first, everybody busy, nobody waited for.</summary>
/// <remarks>
/// Pure: time and seed are arguments. Providers that have only part of the blob are asked before those that have all of it,
/// so that a source is asked for what nobody else has. A provider that is silent loses its turn, not the fetch its time:
/// its chunks are asked of others. Not for concurrent use. specs/50-network.md, section 11.3.
/// </remarks>
internal sealed partial class BlobSchedule
{
    // How many free candidates of a provider are compared for the rarest: more would cost more than it gains.
    private const int CandidatesCompared = 64;

    private readonly BlobShape _shape;
    private readonly SwarmLimits _limits;
    private readonly DownloadShare? _downloads;
    private readonly ChunkOrder _free;
    private readonly SortedDictionary<int, BlobProvider> _providers = [];
    private readonly bool[] _held;
    private readonly byte[] _askers;
    private readonly bool[] _pageHeld;
    private readonly List<SwarmOrder> _orders = [];
    private readonly List<BlobProvider> _turns = [];
    private readonly List<int> _movable = [];

    /// <summary>A schedule of a blob of which nothing is held.</summary>
    /// <param name="shape">How the blob is cut.</param>
    /// <param name="seed">Decides between equally rare chunks; another for each fetcher.</param>
    /// <param name="limits">Bounds and paces.</param>
    /// <param name="downloads">Its share of what all fetches together may ask for; null for no limit.</param>
    public BlobSchedule(BlobShape shape, int seed, SwarmLimits limits, DownloadShare? downloads = null)
    {
        _shape = shape;
        _limits = limits;
        _downloads = downloads;
        _free = new ChunkOrder(shape.ChunkCount, seed);
        _held = new bool[shape.ChunkCount];
        _askers = new byte[shape.ChunkCount];
        _pageHeld = new bool[shape.PageCount];
        IsTopHeld = shape.PageCount <= 1;
        MissingCount = shape.ChunkCount;
    }

    /// <summary>How many chunks are missing.</summary>
    public int MissingCount { get; private set; }

    /// <summary>Whether the list of page roots is held; of a single page it is the blob's name.</summary>
    public bool IsTopHeld { get; private set; }

    /// <summary>Whether a missing chunk is offered or owed by anybody.</summary>
    public bool IsAnythingToCome => _free.TryFindRarest(out _) || _providers.Values.Any(provider => provider.Owed.Count > 0);

    /// <summary>A chunk is held, from before or from a provider; others that still owe it are told to leave it.</summary>
    /// <param name="chunk">Which.</param>
    /// <param name="from">Who sent it; null when nobody did.</param>
    public void Hold(int chunk, int? from = null)
    {
        if (_held[chunk])
        {
            return;
        }

        _held[chunk] = true;
        MissingCount--;
        _free.Remove(chunk);
        _askers[chunk] = 0;
        foreach (BlobProvider provider in _providers.Values)
        {
            if ((provider.Owed.Remove(chunk) || provider.Overdue.Remove(chunk)) && provider.Id != from)
            {
                provider.Forgiven.Add(chunk);
                _orders.Add(new SwarmOrder(provider.Id, SwarmOrderKind.Cancel, chunk, 1));
            }
        }
    }

    /// <summary>A page of hashes is held, or the list of page roots.</summary>
    public void HoldPage(int page)
    {
        if (page == HashPages.Top)
        {
            IsTopHeld = true;
        }
        else
        {
            _pageHeld[page] = true;
        }
    }

    /// <summary>Somebody may be asked from now on; it offers nothing yet.</summary>
    public void Join(int provider) => _providers.Add(provider, new BlobProvider(provider, _shape, _limits));

    /// <summary>Somebody is not asked any more; what it owes is asked of others.</summary>
    public void Leave(int provider)
    {
        if (!_providers.Remove(provider, out BlobProvider? gone))
        {
            return;
        }

        for (int chunk = 0; chunk < _shape.ChunkCount; chunk++)
        {
            if (gone.Offers(chunk))
            {
                _free.Change(chunk, -1);
            }
        }

        foreach (int chunk in gone.Owed.Keys)
        {
            Release(chunk);
        }
    }

    /// <summary>A provider has every chunk.</summary>
    public void OfferAll(int provider)
    {
        if (_providers.TryGetValue(provider, out BlobProvider? whole) && !whole.IsWhole)
        {
            for (int chunk = 0; chunk < _shape.ChunkCount; chunk++)
            {
                if (!whole.Offers(chunk))
                {
                    _free.Change(chunk, 1);
                }
            }

            whole.OfferAll();
        }
    }

    /// <summary>A provider has a chunk.</summary>
    public void Offer(int provider, int chunk)
    {
        if (_providers.TryGetValue(provider, out BlobProvider? part) && part.Offer(chunk))
        {
            _free.Change(chunk, 1);
            if (!_held[chunk])
            {
                part.Candidates.Add(chunk);
            }
        }
    }

    /// <summary>A chunk has come. What is wanted is to be checked, and then to be held, or its provider to leave.</summary>
    public Arrival Arrive(int provider, int chunk, int bytes, TimeSpan now)
    {
        if (chunk < 0 || chunk >= _shape.ChunkCount || !_providers.TryGetValue(provider, out BlobProvider? from))
        {
            return Arrival.Unsolicited;
        }

        bool isOwed = from.Owed.TryGetValue(chunk, out TimeSpan askedAt);
        if (!isOwed && !from.Overdue.Contains(chunk) && !from.Forgiven.Remove(chunk))
        {
            return Arrival.Unsolicited;
        }

        from.Heard(bytes, isOwed ? now - askedAt : null, now);
        Reclaim(from, now);
        return _held[chunk] ? Arrival.Late : Arrival.Wanted;
    }

    /// <summary>A part of a chunk has come: its provider is slow, not gone.</summary>
    public void ArrivePart(int provider, TimeSpan now) => _providers.GetValueOrDefault(provider)?.HeardPart(now);

    /// <summary>Hashes have come.</summary>
    public Arrival ArrivePage(int provider, int page, int bytes, TimeSpan now)
    {
        if (!_providers.TryGetValue(provider, out BlobProvider? from) || !from.OwedPages.Remove(page))
        {
            return Arrival.Unsolicited;
        }

        from.Heard(bytes, null, now);
        return (page == HashPages.Top ? IsTopHeld : _pageHeld[page]) ? Arrival.Late : Arrival.Wanted;
    }

    /// <summary>Whether a provider waits for us to ask it for something.</summary>
    public bool IsIdle(int provider) => _providers.TryGetValue(provider, out BlobProvider? asked) && !asked.Owes;

    /// <summary>Providers that owe something and have sent not even a part of a chunk for longer than patience lasts, and for slow ones a while more.</summary>
    public IReadOnlyList<int> Stalled(TimeSpan now) =>
        [.. _providers.Values.Where(provider => provider.IsStalled(now)).Select(provider => provider.Id)];
}
