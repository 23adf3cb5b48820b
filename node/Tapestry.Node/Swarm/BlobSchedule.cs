using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>Which chunk of one blob to ask of whom, and when: rarest first, everybody busy, nobody waited for.</summary>
/// <remarks>
/// Pure: time and seed are arguments. Providers that have only part of the blob are asked before those that have all of it,
/// so that a source is asked for what nobody else has. A provider that is silent loses its turn, not the fetch its time:
/// its chunks are asked of others. Not for concurrent use. specs/50-network.md, section 11.3.
/// </remarks>
internal sealed class BlobSchedule
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

    /// <summary>Providers that owe something and have sent not even a part of a chunk for longer than patience lasts.</summary>
    public IReadOnlyList<int> Stalled(TimeSpan now) =>
        [.. _providers.Values.Where(provider => provider.IsStalled(now)).Select(provider => provider.Id)];

    /// <summary>Decides what is asked now. To be called after every event, and some times a second without any.</summary>
    /// <returns>What to say, in this order; valid until the next call.</returns>
    public IReadOnlyList<SwarmOrder> Advance(TimeSpan now)
    {
        List<SwarmOrder> orders = [.. _orders];
        _orders.Clear();
        foreach (BlobProvider provider in _providers.Values)
        {
            if (!provider.IsLate && provider.IsOverdue(now))
            {
                GiveOthersTheChunksOf(provider);
            }
        }

        AskInTurns(wholeOnes: false, now);
        Relieve(orders, now);
        AskInTurns(wholeOnes: true, now);
        if (_free.Count == 0)
        {
            AskAgain(now);
        }

        foreach (BlobProvider provider in _providers.Values)
        {
            AddOrders(provider, orders);
        }

        return orders;
    }

    private void AskInTurns(bool wholeOnes, TimeSpan now)
    {
        _turns.Clear();
        foreach (BlobProvider provider in _providers.Values)
        {
            if (provider.IsWhole == wholeOnes && provider.IsRoomWorthAsking && (wholeOnes ? _free.Count : provider.Candidates.Count) > 0)
            {
                _turns.Add(provider);
            }
        }

        int turn = _turns.Count > 1 ? _free.Draw(_turns.Count) : 0;
        while (_turns.Count > 0)
        {
            turn %= _turns.Count;
            BlobProvider provider = _turns[turn];
            if (provider.Room > 0 && TryPick(provider, out int chunk) && TryAsk(provider, chunk, now))
            {
                turn++;
            }
            else
            {
                _turns.RemoveAt(turn);
            }
        }
    }

    private bool TryPick(BlobProvider provider, out int chunk)
    {
        if (provider.IsWhole)
        {
            return _free.TryFindRarest(out chunk);
        }

        chunk = -1;
        int compared = 0;
        List<int> candidates = provider.Candidates;
        for (int index = candidates.Count - 1; index >= 0 && compared < CandidatesCompared; index--)
        {
            int candidate = candidates[index];
            if (!_free.Contains(candidate))
            {
                candidates[index] = candidates[^1];
                candidates.RemoveAt(candidates.Count - 1);
                continue;
            }

            compared++;
            if (chunk < 0 || _free.Availability(candidate) < _free.Availability(chunk))
            {
                chunk = candidate;
            }
        }

        return chunk >= 0;
    }

    private bool TryAsk(BlobProvider provider, int chunk, TimeSpan now)
    {
        if (_downloads?.TryTake(_shape.ChunkLength(chunk), now) == false)
        {
            return false;
        }

        Ask(provider, chunk, now);
        return true;
    }

    private void Ask(BlobProvider provider, int chunk, TimeSpan now)
    {
        provider.Ask(now);
        provider.Owed.Add(chunk, now);
        provider.Asking.Add(chunk);
        _askers[chunk]++;
        _free.Remove(chunk);
    }

    /// <summary>What a provider of everything was asked for, and somebody with a part of it has got meanwhile, is asked of the latter instead.</summary>
    private void Relieve(List<SwarmOrder> orders, TimeSpan now)
    {
        foreach (BlobProvider part in _providers.Values)
        {
            if (part.IsWhole || !part.IsRoomWorthAsking)
            {
                continue;
            }

            foreach (BlobProvider whole in _providers.Values)
            {
                if (whole.IsWhole && whole.Owed.Count > _limits.ChunksAheadMin)
                {
                    Move(whole, part, orders, now);
                }
            }
        }
    }

    private void Move(BlobProvider whole, BlobProvider part, List<SwarmOrder> orders, TimeSpan now)
    {
        // What it was asked for first is on its way already.
        TimeSpan first = whole.Owed.Values.Min();
        _movable.Clear();
        foreach ((int chunk, TimeSpan askedAt) in whole.Owed)
        {
            if (askedAt > first && _askers[chunk] == 1 && part.Offers(chunk) && !part.Overdue.Contains(chunk) && !whole.Asking.Contains(chunk))
            {
                _movable.Add(chunk);
            }
        }

        foreach (int chunk in _movable)
        {
            if (part.Room == 0)
            {
                return;
            }

            whole.Owed.Remove(chunk);
            whole.Forgiven.Add(chunk);
            _askers[chunk]--;
            orders.Add(new SwarmOrder(whole.Id, SwarmOrderKind.Cancel, chunk, 1));
            Ask(part, chunk, now);
        }
    }

    /// <summary>With nothing left to ask for the first time, chunks that are long in coming are asked of one more provider.</summary>
    private void AskAgain(TimeSpan now)
    {
        foreach (BlobProvider owner in _providers.Values)
        {
            _movable.Clear();
            foreach ((int chunk, TimeSpan askedAt) in owner.Owed)
            {
                if (_askers[chunk] == 1 && now - askedAt > _limits.EndgameAfter)
                {
                    _movable.Add(chunk);
                }
            }

            foreach (int chunk in _movable)
            {
                BlobProvider? other = _providers.Values
                    .Where(provider => provider != owner && provider.Room > 0 && provider.Offers(chunk) && !provider.Overdue.Contains(chunk))
                    .MaxBy(provider => provider.Room);
                if (other is not null)
                {
                    TryAsk(other, chunk, now);
                }
            }
        }
    }

    /// <summary>What a provider is asked for in this step, as few orders as possible.</summary>
    private void AddOrders(BlobProvider provider, List<SwarmOrder> orders)
    {
        List<int> chunks = provider.Asking;
        chunks.Sort();
        foreach (int chunk in chunks)
        {
            // Answers come in the order of questions: the hashes are there before the chunks that need them.
            int page = HashPages.Of(chunk);
            if (!IsTopHeld && provider.AskedPages.Add(HashPages.Top))
            {
                provider.OwedPages.Add(HashPages.Top);
                orders.Add(new SwarmOrder(provider.Id, SwarmOrderKind.Hashes, HashPages.Top, 1));
            }

            if (!_pageHeld[page] && provider.AskedPages.Add(page))
            {
                provider.OwedPages.Add(page);
                orders.Add(new SwarmOrder(provider.Id, SwarmOrderKind.Hashes, page, 1));
            }
        }

        for (int start = 0; start < chunks.Count;)
        {
            int end = start + 1;
            while (end < chunks.Count && chunks[end] == chunks[end - 1] + 1)
            {
                end++;
            }

            orders.Add(new SwarmOrder(provider.Id, SwarmOrderKind.Chunks, chunks[start], end - start));
            start = end;
        }

        chunks.Clear();
    }

    private void GiveOthersTheChunksOf(BlobProvider provider)
    {
        provider.IsLate = true;
        foreach (int chunk in provider.Owed.Keys)
        {
            provider.Overdue.Add(chunk);
            Release(chunk);
        }

        provider.Owed.Clear();
    }

    /// <summary>A late provider is heard again: what nobody else was asked for meanwhile, it owes as before.</summary>
    private void Reclaim(BlobProvider provider, TimeSpan now)
    {
        if (provider.Overdue.Count == 0)
        {
            return;
        }

        foreach (int chunk in provider.Overdue.Where(_free.Contains).ToArray())
        {
            provider.Overdue.Remove(chunk);
            provider.Owed.Add(chunk, now);
            _askers[chunk]++;
            _free.Remove(chunk);
        }
    }

    /// <summary>One that was asked for a chunk does not count any more.</summary>
    private void Release(int chunk)
    {
        _askers[chunk]--;
        if (_held[chunk] || _askers[chunk] > 0)
        {
            return;
        }

        _free.Add(chunk);
        foreach (BlobProvider provider in _providers.Values)
        {
            if (!provider.IsWhole && provider.Offers(chunk) && !provider.Overdue.Contains(chunk))
            {
                provider.Candidates.Add(chunk);
            }
        }
    }
}
