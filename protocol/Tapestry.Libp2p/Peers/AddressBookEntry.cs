namespace Tapestry.Libp2p;

/// <summary>What an <see cref="AddressBook"/> knows of one peer. Its owner holds the lock.</summary>
internal sealed class AddressBookEntry
{
    private readonly Dictionary<Multiaddr, Dials> _dials = [];
    private IReadOnlyList<Multiaddr> _given = [];
    private IReadOnlyList<Multiaddr> _told = [];
    private Multiaddr? _lastReached;

    /// <summary>The newest signed record.</summary>
    internal SignedPeerRecord? Record { get; private set; }

    /// <summary>When the peer was last heard of.</summary>
    internal DateTimeOffset SeenAt { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>Whether a person gave addresses, so that the peer is never forgotten.</summary>
    internal bool IsPinned => _given.Count > 0;

    internal void Pin(IReadOnlyList<Multiaddr> addresses)
    {
        _given = addresses;
        DropDials();
    }

    internal bool Tell(IReadOnlyList<Multiaddr> addresses, DateTimeOffset now)
    {
        SeenAt = now;
        if (Record is not null || addresses.SequenceEqual(_told))
        {
            return false;
        }

        _told = addresses;
        DropDials();
        return true;
    }

    internal RecordVerdict Take(SignedPeerRecord record, DateTimeOffset seenAt, out bool changed)
    {
        changed = false;
        ulong known = Record?.Record.Sequence ?? 0;
        if (Record is not null && record.Record.Sequence < known)
        {
            return RecordVerdict.Stale;
        }

        SeenAt = seenAt;
        if (Record is not null && record.Record.Sequence == known)
        {
            // Two records of one sequence: the first one holds, or members would disagree about the newest for ever.
            return record.Envelope.Encoded.Span.SequenceEqual(Record.Envelope.Encoded.Span) ? RecordVerdict.Known : RecordVerdict.Stale;
        }

        changed = Record is null || !record.Record.Addresses.SequenceEqual(Record.Record.Addresses);
        Record = record;
        _told = [];
        DropDials();
        return RecordVerdict.Accepted;
    }

    /// <summary>Drops what peers said; what a person gave stays.</summary>
    internal void Forget()
    {
        Record = null;
        _told = [];
        SeenAt = DateTimeOffset.MaxValue;
        DropDials();
    }

    internal void Reached(Multiaddr address)
    {
        _lastReached = address;
        _dials.Remove(address);
    }

    internal void Missed(Multiaddr address, Func<int, long> restUntil)
    {
        if (!All().Any(known => known.Address == address))
        {
            return;
        }

        int failures = _dials.GetValueOrDefault(address).Failures + 1;
        _dials[address] = new Dials(failures, restUntil(failures));
    }

    /// <summary>The last one that reached the peer, then those that failed least, then by kind; a peer's own order last.</summary>
    internal IReadOnlyList<KnownAddress> Ordered(TimeProvider time)
    {
        long now = time.GetTimestamp();
        return
        [
            .. All()
                .Select(known => Describe(known.Address, known.Source, now, time))
                .OrderByDescending(known => known.LastReached)
                .ThenBy(known => known.Address.IsCircuit)
                .ThenBy(known => known.Failures)
                .ThenBy(known => AddressOrder.RankOf(known.Address)),
        ];
    }

    private KnownAddress Describe(Multiaddr address, AddressSource source, long now, TimeProvider time)
    {
        Dials dials = _dials.GetValueOrDefault(address);
        TimeSpan rest = dials.RestUntil > now ? time.GetElapsedTime(now, dials.RestUntil) : TimeSpan.Zero;
        return new KnownAddress(address, source, address == _lastReached, dials.Failures, rest);
    }

    private IEnumerable<(Multiaddr Address, AddressSource Source)> All() =>
        _given.Select(address => (address, AddressSource.Given))
            .Concat((Record?.Record.Addresses ?? []).Where(AddressOrder.IsDialable).Select(address => (address, AddressSource.Record)))
            .Concat(_told.Select(address => (address, AddressSource.Told)))
            .DistinctBy(known => known.address);

    // What came of dialling is kept for known addresses only, or a peer that changes them all the time would fill it.
    private void DropDials()
    {
        HashSet<Multiaddr> known = [.. All().Select(known => known.Address)];
        foreach (Multiaddr gone in _dials.Keys.Where(address => !known.Contains(address)).ToList())
        {
            _dials.Remove(gone);
        }

        _lastReached = _lastReached is not null && known.Contains(_lastReached) ? _lastReached : null;
    }

    private readonly record struct Dials(int Failures, long RestUntil);
}
