using System.Threading.Channels;

namespace Tapestry.Libp2p;

/// <summary>What we say of ourselves: keeps our signed record true and fresh, and pushes it to connected peers when it changes.</summary>
internal sealed class Announcer
{
    // How often the machine's interfaces are looked at again: an address that moved is news within minutes.
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(5);

    // As many pushes at once as js-libp2p and go-libp2p send.
    private const int PushesAtOnce = 32;

    // Half of what identify and a signed record have room for: what else they say needs room too.
    private const int AddressBytes = IdentifyMessage.MaximumLength / 2;

    private readonly Libp2pHost _host;
    private readonly Libp2pIdentity _identity;
    private readonly Lock _sync = new();
    private readonly SortedDictionary<string, IReadOnlyList<Multiaddr>> _additions = new(StringComparer.Ordinal);
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private List<Multiaddr> _addresses = [];
    private long _signedAt;

    internal Announcer(Libp2pHost host, Libp2pIdentity identity)
    {
        _host = host;
        _identity = identity;
    }

    /// <summary>Where we say that we are reached, best first, without our peer id.</summary>
    internal IReadOnlyList<Multiaddr> Addresses
    {
        get
        {
            lock (_sync)
            {
                return _addresses;
            }
        }
    }

    private Libp2pHostOptions Options => _host.Options;

    /// <summary>Signs the first record; nobody is connected who could have heard anything else.</summary>
    internal void Start()
    {
        Refresh();
        _changes.Reader.TryRead(out _);
    }

    /// <summary>Sets what one part of the program has us announce beside where we listen.</summary>
    internal void Add(string source, IReadOnlyList<Multiaddr> addresses)
    {
        lock (_sync)
        {
            _additions[source] = [.. addresses.Select(address => address.WithoutPeer())];
        }

        Refresh();
    }

    /// <summary>Something that identify tells has changed: connected peers hear of it soon, once for several changes.</summary>
    internal void RequestPush() => _changes.Writer.TryWrite(true);

    /// <summary>Signs our record anew where our addresses have changed, where it has aged, and where somebody holds a newer one.</summary>
    internal void Refresh()
    {
        lock (_sync)
        {
            IReadOnlyList<Multiaddr> listening = Options.AnnounceAddresses.Count > 0
                ? [.. Options.AnnounceAddresses.Select(address => address.WithoutPeer())]
                : InterfaceAddresses.Expand(_host.ListenAddresses);
            List<Multiaddr> addresses = Bounded(listening.Concat(_additions.Values.SelectMany(added => added)).Distinct());
            bool isTrue = addresses.SequenceEqual(_addresses)
                && Options.Time.GetElapsedTime(_signedAt) < Options.RecordRefresh
                && !_host.AddressBook.IsOwnOutdated;
            if (isTrue || (addresses.Count == 0 && _addresses.Count == 0))
            {
                return;
            }

            _host.AddressBook.SignOwn(_identity, addresses);
            _addresses = addresses;
            _signedAt = Options.Time.GetTimestamp();
        }

        RequestPush();
    }

    /// <summary>Keeps the record fresh until the host stops.</summary>
    internal async Task RefreshAsync(CancellationToken stopping)
    {
        TimeSpan interval = Options.RecordRefresh < CheckInterval ? Options.RecordRefresh : CheckInterval;
        using PeriodicTimer timer = new(interval, Options.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                Refresh();
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    /// <summary>Pushes changes until the host stops.</summary>
    internal async Task PushAsync(CancellationToken stopping)
    {
        try
        {
            while (await _changes.Reader.WaitToReadAsync(stopping))
            {
                await Task.Delay(Options.PushDelay, Options.Time, stopping);
                _changes.Reader.TryRead(out _);

                // On every connection: a peer keeps by connection what we tell, and which of several stays may not be settled yet.
                await Parallel.ForEachAsync(
                    _host.Connections,
                    new ParallelOptions { MaxDegreeOfParallelism = PushesAtOnce, CancellationToken = stopping },
                    async (connection, _) => await IdentifyProtocol.PushAsync(connection, _host));
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    // Ours come first; of those that relays named, what does not fit is passed over.
    private static List<Multiaddr> Bounded(IEnumerable<Multiaddr> addresses)
    {
        List<Multiaddr> kept = [];
        int left = AddressBytes;
        foreach (Multiaddr address in addresses)
        {
            int length = address.ToArray().Length;
            if (length <= left && kept.Count < PeerRecord.MaximumAddresses)
            {
                kept.Add(address);
                left -= length;
            }
        }

        return kept;
    }
}
