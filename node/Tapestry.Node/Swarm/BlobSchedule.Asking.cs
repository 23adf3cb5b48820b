using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>What is asked for the first time, and of whom.</summary>
internal sealed partial class BlobSchedule
{
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
}
