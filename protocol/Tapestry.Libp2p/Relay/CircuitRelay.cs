using System.Security.Cryptography;
using System.Threading.Channels;

namespace Tapestry.Libp2p;

/// <summary>Connections through relays: relays for others, and is reached through others where nobody can dial us.</summary>
/// <remarks>
/// libp2p/specs, relay/circuit-v2.md. Between the ends of such a connection runs the same handshake as over a socket, so the
/// relay sees who talks to whom and how much, and nothing else. To dial through a relay a host needs none of this.
/// Lives as long as its host, one on each; all members may be called from any thread.
/// </remarks>
public sealed class CircuitRelay : IAsyncDisposable
{
    /// <summary>Reservations and connections, from a peer to a relay.</summary>
    public const string HopId = "/libp2p/circuit/relay/0.2.0/hop";

    /// <summary>Connections, from a relay to the peer that reserved.</summary>
    public const string StopId = "/libp2p/circuit/relay/0.2.0/stop";

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(2);

    private readonly Libp2pHost _host;
    private readonly CircuitRelayOptions _options;
    private readonly RelayClient _client;
    private readonly RelayHop? _hop;
    private readonly RunningTasks _tasks = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _announcing = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    // Without a timer there is nothing to dispose, and late callers find it cancelled.
    private CancellationTokenSource _released = new();
    private int _stopRequested;

    /// <summary>Starts to answer the relay protocols on a host, and to hold reservations where the options say so.</summary>
    /// <param name="host">The host; stays the caller's.</param>
    /// <param name="options">What to do for us and for others.</param>
    /// <exception cref="ArgumentException">An address of <see cref="CircuitRelayOptions.Relays"/> is not the direct address of a peer.</exception>
    public CircuitRelay(Libp2pHost host, CircuitRelayOptions options)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        foreach (Multiaddr relay in options.Relays)
        {
            RequireDirect(relay);
        }

        _host = host;
        _options = options;
        _client = new RelayClient(host, OnChanged);
        _hop = options.Serves
            ? new RelayHop(host, options, (source, target, end) => CircuitEnded?.Invoke(source, target, end), (peer, status) => RequestRefused?.Invoke(peer, status))
            : null;
        if (options.Autonat is not null)
        {
            options.Autonat.Changed += OnReachabilityChanged;
        }

        if (options.AsksConnectedPeers)
        {
            host.ConnectionOpened += OnConnectionOpened;
        }

        if ((options.Relays.Count > 0 || options.AsksConnectedPeers) && options.Use != RelayUse.Never)
        {
            _tasks.Start(KeepReservationsAsync);
        }
    }

    /// <summary>Our reservations have changed, and with them <see cref="Libp2pHost.AnnouncedAddresses"/>. Must not block or throw.</summary>
    public event Action? ReservationsChanged;

    /// <summary>A connection that we carried, from the first peer to the second, has ended. Must not block or throw.</summary>
    public event Action<PeerId, PeerId, CircuitEnd>? CircuitEnded;

    /// <summary>A peer wanted of us, as its relay, what it may not have, or asked for it wrongly, and what it was told; not where others were in the way: no room is left, or whom it wants is not there. Must not block or throw.</summary>
    public event Action<PeerId, RelayStatus>? RequestRefused;

    /// <summary>A relay that we asked because of our options gave no reservation, and why. For logs; it is asked again. Must not block or throw.</summary>
    public event Action<Multiaddr, Libp2pException>? RelayFailed;

    /// <summary>The reservations that we hold at relays.</summary>
    public IReadOnlyList<RelayReservation> Reservations => _client.Held;

    /// <summary>The peers that hold a reservation here.</summary>
    public IReadOnlyList<PeerId> Reserved => _hop?.Reserved() ?? [];

    /// <summary>Reserves at a relay, and refreshes the reservation until its connection ends, the relay refuses, or we stop.</summary>
    /// <param name="relay">The direct address of the relay, ending in its peer.</param>
    /// <param name="cancelled">Ends the attempt; a reservation that was made stays.</param>
    /// <exception cref="ArgumentException"><paramref name="relay"/> is not the direct address of a peer.</exception>
    /// <exception cref="Libp2pException">The relay cannot be reached, refuses, or gives a voucher that is not its word for us.</exception>
    public async Task<RelayReservation> ReserveAsync(Multiaddr relay, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(relay);
        RequireDirect(relay);
        (RelayReservation reservation, PeerConnection connection) = await _client.ReserveAsync(relay, cancelled);
        CancellationToken released = _released.Token;
        _tasks.Start(() => _client.HoldAsync(reservation, connection, released));
        return reservation;
    }

    /// <summary>Refreshes nothing any more; relays forget us when their connections end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopRequested, 1) == 1)
        {
            return;
        }

        if (_options.Autonat is not null)
        {
            _options.Autonat.Changed -= OnReachabilityChanged;
        }

        _host.ConnectionOpened -= OnConnectionOpened;
        await _stopping.CancelAsync();
        await _released.CancelAsync();
        await _tasks.DrainAsync();
        _stopping.Dispose();
    }

    private static void RequireDirect(Multiaddr relay)
    {
        if (relay.Peer is null || relay.IsCircuit)
        {
            throw new ArgumentException($"{relay} is not the address of a relay: expected /ip4/…/tcp/…/p2p/RELAY.", nameof(relay));
        }
    }

    private void OnReachabilityChanged(Reachability reachability) => _wake.Writer.TryWrite(true);

    // Only a new candidate: whoever dials us would otherwise have a relay that refused asked again at once, and so would our own dials to the relays that we were given.
    private void OnConnectionOpened(PeerConnection connection)
    {
        if (connection.IsDialer && !connection.IsRelayed && _options.Relays.All(relay => relay.Peer != connection.Remote))
        {
            _wake.Writer.TryWrite(true);
        }
    }

    private void OnChanged()
    {
        lock (_announcing)
        {
            _host.Announce(nameof(CircuitRelay), [.. _client.Held.SelectMany(reservation => reservation.Addresses)]);
        }

        ReservationsChanged?.Invoke();
        _wake.Writer.TryWrite(true);
    }

    /// <summary>Holds as many reservations as are wanted, while they are wanted.</summary>
    private async Task KeepReservationsAsync()
    {
        TimeSpan pause = FirstPause;
        try
        {
            while (true)
            {
                bool isDone = await AdjustAsync();
                pause = isDone ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
                using (Deadline retry = new(isDone ? Timeout.InfiniteTimeSpan : Jittered(pause), _host.Options.Time, _stopping.Token))
                {
                    await WakeOrAsync(retry);
                }

                // A relay that takes us and drops us at once must not keep us busy.
                await Task.Delay(FirstPause, _host.Options.Time, _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // We stop.
        }
    }

    /// <summary>Makes what is missing, or gives up what is not wanted; false when something is missing still.</summary>
    private async Task<bool> AdjustAsync()
    {
        if (_options.Use != RelayUse.Always && _options.Autonat?.Reachability != Reachability.Private)
        {
            await ReleaseAsync();
            return true;
        }

        List<Multiaddr> candidates = [.. Candidates()];
        foreach (Multiaddr relay in candidates)
        {
            if (_client.Held.Count >= _options.ReservationCount)
            {
                return true;
            }

            try
            {
                if (!IsHeld(relay))
                {
                    await ReserveAsync(relay, _stopping.Token);
                }
            }
            catch (Libp2pException refusal)
            {
                RelayFailed?.Invoke(relay, refusal);
            }
            catch (Exception mistake) when (!_stopping.IsCancellationRequested)
            {
                // Of ours, with this relay: it must not end the keeping of reservations at all others, and is tried again like a refusal.
                _host.TellMistake(HopId, relay.Peer!, mistake);
            }
        }

        return _client.Held.Count >= _options.ReservationCount || candidates.All(IsHeld);
    }

    private IEnumerable<Multiaddr> Candidates()
    {
        IEnumerable<Multiaddr> connected = _host.Connections
            .Where(connection => _options.AsksConnectedPeers && connection.IsDialer && !connection.IsRelayed)
            .Select(connection => connection.RemoteAddress.WithPeer(connection.Remote));

        // Of a relay that we were given every address is tried; a peer that we dialled is asked once, however many connections it has.
        IEnumerable<Multiaddr> others = connected.ExceptBy(_options.Relays.Select(relay => relay.Peer), relay => relay.Peer);
        return _options.Relays.Concat(others).Where(relay => relay.Peer != _host.PeerId);
    }

    private bool IsHeld(Multiaddr relay) => _client.Held.Any(held => held.Relay == relay.Peer);

    private async Task ReleaseAsync()
    {
        if (_client.Held.Count > 0)
        {
            CancellationTokenSource released = Interlocked.Exchange(ref _released, new CancellationTokenSource());
            await released.CancelAsync();
        }
    }

    private async Task WakeOrAsync(Deadline retry)
    {
        try
        {
            await _wake.Reader.ReadAsync(retry.Token);
        }
        catch (OperationCanceledException) when (retry.Passed)
        {
            // Time to ask again.
        }
    }

    // Half of it random, so that the peers of a relay that comes back do not all ask at once.
    private static TimeSpan Jittered(TimeSpan pause) => pause * (0.5 + (RandomNumberGenerator.GetInt32(1000) / 2000.0));
}
