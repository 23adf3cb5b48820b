namespace Tapestry.Node.Swarm;

/// <summary>What was asked of one and is asked of another: to spare a source, for the last chunks, and instead of the silent.</summary>
internal sealed partial class BlobSchedule
{
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
