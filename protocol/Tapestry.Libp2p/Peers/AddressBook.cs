namespace Tapestry.Libp2p;

/// <summary>Where peers are reached: what people gave, what peers signed, what they told, and what came of dialling it.</summary>
/// <remarks>
/// specs/50-network.md, "Finding peers". Bounded in peers and in addresses a peer. A signed record replaces an older one of the
/// same peer and never a newer one; addresses that a person gave stay whatever peers say. All members may be called from any thread.
/// </remarks>
public sealed class AddressBook
{
    // Expiry is in days; looking for it costs a walk over all peers.
    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _sync = new();
    private readonly Dictionary<PeerId, AddressBookEntry> _byPeer = [];
    private readonly PeerId _self;
    private readonly AddressBookOptions _options;
    private readonly int _peersMax;
    private readonly TimeProvider _time;
    private readonly Random _jitter;
    private SignedPeerRecord? _own;
    private ulong _ownSequence;
    private DateTimeOffset _expiredAt;

    /// <summary>A book with what its store holds.</summary>
    /// <param name="self">Who we are: others' records of us are not believed, but tell how far our sequence has come.</param>
    /// <param name="options">Whose addresses are kept, how long, and how patiently they are dialled.</param>
    /// <param name="peersMax">Peers that are kept at most, without those that a person gave.</param>
    /// <param name="time">The clock.</param>
    public AddressBook(PeerId self, AddressBookOptions options, int peersMax, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThan(peersMax, 1);
        _self = self;
        _options = options;
        _peersMax = peersMax;
        _time = time;
        _jitter = options.Seed is int seed ? new Random(seed) : new Random();
        Load();
    }

    /// <summary>The addresses of a peer have changed. Must not block or throw.</summary>
    public event Action<PeerId>? Changed;

    /// <summary>The peers of which an address or a record is known, in the order of their ids.</summary>
    public IReadOnlyList<PeerId> Peers
    {
        get
        {
            lock (_sync)
            {
                DropExpired();
                return [.. _byPeer.Keys.Order()];
            }
        }
    }

    /// <summary>Opens a signed envelope and takes the peer record in it.</summary>
    /// <returns>Why it is not believed; <see cref="RecordFault.None"/> says nothing about whether it was news.</returns>
    public RecordFault TryAccept(ReadOnlySpan<byte> envelope)
    {
        RecordFault fault = SignedPeerRecord.TryOpen(envelope, out SignedPeerRecord? record);
        if (fault == RecordFault.None)
        {
            Accept(record!);
        }

        return fault;
    }

    /// <summary>Takes a signed record, from whomever it came.</summary>
    public RecordVerdict Accept(SignedPeerRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        RecordVerdict verdict;
        bool changed;
        lock (_sync)
        {
            verdict = Take(record, _time.GetUtcNow(), out changed);
            if (verdict is RecordVerdict.Accepted or RecordVerdict.Known)
            {
                _options.Store?.Save(record.Peer, new StoredPeerRecord(record.Envelope.Encoded, _time.GetUtcNow()));
            }
        }

        if (changed)
        {
            Changed?.Invoke(record.Peer);
        }

        return verdict;
    }

    /// <summary>Sets the addresses that a person gives for a peer; they are never forgotten.</summary>
    public void Pin(PeerId peer, IReadOnlyList<Multiaddr> addresses)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(addresses);
        lock (_sync)
        {
            EntryOf(peer).Pin([.. addresses.Select(address => address.WithoutPeer()).Distinct()]);
        }

        Changed?.Invoke(peer);
    }

    /// <summary>Sets the addresses that a peer tells, unsigned, over its own connection. They do not survive a restart.</summary>
    public void Tell(PeerId peer, IReadOnlyList<Multiaddr> addresses)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(addresses);
        bool changed = false;
        lock (_sync)
        {
            if (peer != _self && _options.Believes(peer))
            {
                changed = EntryOf(peer).Tell([.. Bare(peer, addresses).Where(AddressOrder.IsDialable).Distinct().Take(PeerRecord.MaximumAddresses)], _time.GetUtcNow());
                MakeRoom(peer);
            }
        }

        if (changed)
        {
            Changed?.Invoke(peer);
        }
    }

    /// <summary>The addresses of a peer in the order to dial them; those that rest are among them.</summary>
    public IReadOnlyList<KnownAddress> AddressesOf(PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        lock (_sync)
        {
            DropExpired();
            return _byPeer.TryGetValue(peer, out AddressBookEntry? entry) ? entry.Ordered(_time) : [];
        }
    }

    /// <summary>The newest signed record of a peer; our own where the peer is ourselves.</summary>
    public SignedPeerRecord? RecordOf(PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        lock (_sync)
        {
            DropExpired();
            return peer == _self ? _own : _byPeer.GetValueOrDefault(peer)?.Record;
        }
    }

    /// <summary>How long until an address of a peer may be dialled: zero now, null when none is known.</summary>
    public TimeSpan? RestOf(PeerId peer)
    {
        IReadOnlyList<KnownAddress> known = AddressesOf(peer);
        return known.Count == 0 ? null : known.Min(address => address.Rest);
    }

    /// <summary>A dial of an address reached the peer.</summary>
    internal void Reached(PeerId peer, Multiaddr address)
    {
        lock (_sync)
        {
            _byPeer.GetValueOrDefault(peer)?.Reached(address);
        }
    }

    /// <summary>A dial of an address failed; it rests, the longer the more often, and longest where it leads elsewhere.</summary>
    internal void Missed(PeerId peer, Multiaddr address, bool leadsElsewhere)
    {
        lock (_sync)
        {
            _byPeer.GetValueOrDefault(peer)?.Missed(address, failures =>
            {
                double doublings = Math.Min(failures - 1, 30);
                TimeSpan rest = leadsElsewhere ? _options.LongestRest : _options.FirstRest * Math.Pow(2, doublings);
                rest = rest < _options.LongestRest ? rest : _options.LongestRest;
                return _time.GetTimestamp() + (long)((rest * (0.5 + (0.5 * _jitter.NextDouble()))).TotalSeconds * _time.TimestampFrequency);
            });
        }
    }

    /// <summary>Whether somebody holds a record of ours that is newer than the one we go by: our folder was lost, or our clock was set back.</summary>
    internal bool IsOwnOutdated
    {
        get
        {
            lock (_sync)
            {
                return _own is not null && _own.Record.Sequence < _ownSequence;
            }
        }
    }

    /// <summary>Signs a record of our own that is newer than every one before it, and holds it.</summary>
    internal SignedPeerRecord SignOwn(Libp2pIdentity identity, IReadOnlyList<Multiaddr> addresses)
    {
        SignedPeerRecord record;
        lock (_sync)
        {
            ulong now = (ulong)Math.Max(0, _time.GetUtcNow().ToUnixTimeMilliseconds());
            _ownSequence = Math.Max(now, _ownSequence + 1);
            record = SignedPeerRecord.Sign(identity, _ownSequence, addresses);
            _own = record;
            _options.Store?.Save(_self, new StoredPeerRecord(record.Envelope.Encoded, _time.GetUtcNow()));
        }

        Changed?.Invoke(_self);
        return record;
    }

    // As records have them: without the peer that the address ends in, and none of another peer.
    private static IEnumerable<Multiaddr> Bare(PeerId peer, IEnumerable<Multiaddr> addresses) => addresses
        .Where(address => (address.Peer is null || address.Peer == peer) && address.Parts.Count > 1)
        .Select(address => address.WithoutPeer());

    private void Load()
    {
        DateTimeOffset now = _time.GetUtcNow();
        foreach (StoredPeerRecord stored in _options.Store?.Load() ?? [])
        {
            // A clock that was wrong must not keep a record for ever.
            DateTimeOffset seenAt = stored.SeenAt < now ? stored.SeenAt : now;
            if (SignedPeerRecord.TryOpen(stored.Envelope.Span, out SignedPeerRecord? record) == RecordFault.None)
            {
                Take(record!, seenAt, out _);
            }
        }
    }

    private RecordVerdict Take(SignedPeerRecord record, DateTimeOffset seenAt, out bool changed)
    {
        changed = false;
        if (record.Peer == _self)
        {
            // The next one that we sign has to be newer, wherever this one was kept.
            _ownSequence = Math.Max(_ownSequence, record.Record.Sequence);
            return RecordVerdict.Refused;
        }

        if (!_options.Believes(record.Peer))
        {
            return RecordVerdict.Refused;
        }

        RecordVerdict verdict = EntryOf(record.Peer).Take(record, seenAt, out changed);
        MakeRoom(record.Peer);
        return verdict;
    }

    private AddressBookEntry EntryOf(PeerId peer)
    {
        if (!_byPeer.TryGetValue(peer, out AddressBookEntry? entry))
        {
            entry = new AddressBookEntry();
            _byPeer.Add(peer, entry);
        }

        return entry;
    }

    // The peer that was heard of longest ago goes, but not the one that has just come.
    private void MakeRoom(PeerId newest)
    {
        while (_byPeer.Count(pair => !pair.Value.IsPinned) > _peersMax
            && _byPeer.Where(pair => !pair.Value.IsPinned && pair.Key != newest).MinBy(pair => pair.Value.SeenAt).Key is PeerId oldest)
        {
            Remove(oldest);
        }
    }

    private void DropExpired()
    {
        DateTimeOffset now = _time.GetUtcNow();
        if ((now - _expiredAt).Duration() < ExpiryInterval)
        {
            return;
        }

        _expiredAt = now;
        DateTimeOffset last = now - _options.RecordLifetime;
        foreach ((PeerId peer, AddressBookEntry entry) in _byPeer)
        {
            if (entry.SeenAt < last)
            {
                entry.Forget();
                Remove(peer);
            }
        }
    }

    private void Remove(PeerId peer)
    {
        _options.Store?.Remove(peer);
        if (_byPeer.TryGetValue(peer, out AddressBookEntry? entry) && !entry.IsPinned)
        {
            _byPeer.Remove(peer);
        }
    }
}
