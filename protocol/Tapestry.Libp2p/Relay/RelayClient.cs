using System.Collections.Concurrent;
using System.Net;

namespace Tapestry.Libp2p;

/// <summary>The reservations that we hold at relays, and the connections that come to us by them.</summary>
/// <remarks>libp2p/specs, relay/circuit-v2.md, "Reservation" and "Stop Protocol".</remarks>
internal sealed class RelayClient
{
    // A relay that grants a moment only must not make us ask all the time.
    private static readonly TimeSpan RefreshAtMost = TimeSpan.FromSeconds(10);

    // Whatever a relay promises: it may have been started anew, with another clock.
    private static readonly TimeSpan RefreshAtLeast = TimeSpan.FromHours(12);

    private readonly Libp2pHost _host;
    private readonly ConcurrentDictionary<PeerId, RelayReservation> _held = new();
    private readonly Action _changed;
    private int _pendingHandshakes;

    internal RelayClient(Libp2pHost host, Action changed)
    {
        _host = host;
        _changed = changed;
        host.Handle(CircuitRelay.StopId, AcceptAsync);
    }

    /// <summary>The reservations at this moment.</summary>
    internal IReadOnlyList<RelayReservation> Held => [.. _held.Values];

    private RelayLimits Limits => _host.Options.Limits.Relay;

    /// <summary>Makes a reservation; <see cref="HoldAsync"/> keeps it.</summary>
    internal async Task<(RelayReservation Reservation, PeerConnection Connection)> ReserveAsync(Multiaddr relay, CancellationToken cancelled)
    {
        PeerConnection connection = await _host.DialAsync(relay, cancelled);
        return (await ReserveAsync(connection, cancelled), connection);
    }

    /// <summary>Refreshes a reservation until the relay refuses, or no direct connection to it is left; then it is gone.</summary>
    internal async Task HoldAsync(RelayReservation reservation, PeerConnection connection, CancellationToken released)
    {
        try
        {
            PeerConnection? current = connection;
            while (current is not null)
            {
                await UntilRefreshAsync(reservation, current, released);
                current = _host.FindConnection(reservation.Relay) is { IsRelayed: false } direct ? direct : null;
                reservation = current is null ? reservation : await RefreshAsync(current, released);
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The relay refuses or has gone, or nobody wants the reservation any more.
        }

        // Unless it was made anew meanwhile.
        if (_held.TryRemove(KeyValuePair.Create(reservation.Relay, reservation)))
        {
            _changed();
        }
    }

    // The old one holds for a while still: one answer that is lost, or late, does not cost it.
    private async Task<RelayReservation> RefreshAsync(PeerConnection connection, CancellationToken released)
    {
        try
        {
            return await ReserveAsync(connection, released);
        }
        catch (Libp2pException) when (!connection.Ended.IsCancellationRequested)
        {
            await Task.Delay(RefreshAtMost, _host.Options.Time, released);
            return await ReserveAsync(connection, released);
        }
    }

    private async Task<RelayReservation> ReserveAsync(PeerConnection connection, CancellationToken cancelled)
    {
        using Deadline deadline = new(_host.Options.NegotiationDeadline, _host.Options.Time, cancelled);
        try
        {
            await using Libp2pStream stream = await connection.OpenStreamAsync(CircuitRelay.HopId, deadline.Token);
            HopMessage answer = await RelayStream.AskAsync(stream, new HopMessage { Type = HopMessageType.Reserve }, deadline.Token);
            await stream.CompleteWriteAsync(deadline.Token);
            RelayReservation reservation = Checked(answer, connection);
            _held[reservation.Relay] = reservation;
            _changed();
            return reservation;
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error($"The reservation at {connection.Remote}");
        }
    }

    private RelayReservation Checked(HopMessage answer, PeerConnection connection)
    {
        PeerId relay = connection.Remote;
        ReservationMessage promise = answer.Reservation
            ?? throw new Libp2pException(Libp2pFault.Malformed, $"The relay {relay} says yes to a reservation and does not tell it.");
        if (promise.Expires <= _host.Options.Time.GetUtcNow())
        {
            throw new Libp2pException(
                Libp2pFault.RelayVoucher, $"The reservation at {relay} ended at {promise.Expires:u}, before it began: compare the clocks of both machines.");
        }

        RelayVoucher? voucher = null;
        if (!promise.Voucher.IsEmpty
            && (!RelayVoucher.TryOpen(promise.Voucher.Span, out voucher) || voucher.Relay != relay || voucher.Peer != _host.PeerId))
        {
            throw new Libp2pException(Libp2pFault.RelayVoucher, $"The voucher of {relay} is not its signed word for us.");
        }

        return new RelayReservation(relay, promise.Expires, AddressesThrough(connection, promise.Addresses), answer.Limit, voucher);
    }

    // Where we reach the relay ourselves, others may too. What it says of itself is bounded: its own IP addresses, as names may be long and lead anywhere.
    private List<Multiaddr> AddressesThrough(PeerConnection connection, IReadOnlyList<Multiaddr> told)
    {
        IEnumerable<Multiaddr> ours = connection.IsDialer ? [connection.RemoteAddress] : [];
        IEnumerable<Multiaddr> theirs = told.Where(address => address.TryGetTcp(out MultiaddrPart host, out _) && IPAddress.TryParse(host.Value, out _));
        return
        [
            .. ours.Concat(theirs)
                .Where(address => address.Peer is null || address.Peer == connection.Remote)
                .Select(address => address.WithPeer(connection.Remote))
                .Where(address => address.TryGetTcp(out MultiaddrPart host, out _) && host.Value is not ("0.0.0.0" or "::"))
                .Distinct()
                .Take(Limits.AddressesPerRelay)
                .Select(address => address.ThroughCircuit().WithPeer(_host.PeerId)),
        ];
    }

    /// <summary>Keeps the connection open until it is time to refresh, or it has ended all the same.</summary>
    private async Task UntilRefreshAsync(RelayReservation reservation, PeerConnection connection, CancellationToken released)
    {
        // Three quarters of what is left: time for several more attempts by way of a new connection.
        TimeSpan until = (reservation.Expires - _host.Options.Time.GetUtcNow()) * 0.75;
        until = until < RefreshAtMost ? RefreshAtMost : until > RefreshAtLeast ? RefreshAtLeast : until;
        using IDisposable kept = connection.Keep();
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(connection.Ended, released);
        try
        {
            await Task.Delay(until, _host.Options.Time, over.Token);
        }
        catch (OperationCanceledException) when (!released.IsCancellationRequested)
        {
            // Another connection may be open.
        }
    }

    private async Task AcceptAsync(Libp2pStream stream, PeerConnection connection, CancellationToken ended)
    {
        PeerConnection? opened = null;
        StreamOfStream? carried = null;
        using (Deadline deadline = new(_host.Options.HandshakeDeadline, _host.Options.Time, ended))
        {
            StopMessage? request = await RelayStream.ReadStopAsync(stream, deadline.Token);
            RelayStatus refusal = Judge(request, connection);
            if (refusal == RelayStatus.Ok)
            {
                carried = stream.AsStream(_host.Options.Time);
                opened = await UpgradeAsync(carried, stream, request!, connection, deadline);
            }
            else
            {
                await RelayStream.EndWithAsync(stream, StopMessage.Answer(refusal).ToArray(), deadline.Token);
            }
        }

        // The stream is this handler's as long as the connection runs over it.
        if (opened is not null)
        {
            await opened.Completion;
        }

        if (carried is not null)
        {
            await carried.Closed;
        }
    }

    private RelayStatus Judge(StopMessage? request, PeerConnection connection) => request switch
    {
        null => RelayStatus.MalformedMessage,
        _ when connection.IsRelayed || !_held.ContainsKey(connection.Remote) => RelayStatus.PermissionDenied,
        { Type: not StopMessageType.Connect } => RelayStatus.UnexpectedMessage,
        { Peer: null } => RelayStatus.MalformedMessage,
        _ when request.Peer == _host.PeerId || request.Peer == connection.Remote => RelayStatus.PermissionDenied,
        _ when _host.Connections.Count(open => IsThrough(open, connection.Remote)) >= Limits.ConnectionsPerRelay => RelayStatus.ResourceLimitExceeded,
        _ when !TryBeginHandshake() => RelayStatus.ResourceLimitExceeded,
        _ => RelayStatus.Ok,
    };

    /// <summary>Counts one more handshake, of which <see cref="UpgradeAsync"/> tells the end; unless there are too many.</summary>
    private bool TryBeginHandshake()
    {
        bool isOneTooMany = Interlocked.Increment(ref _pendingHandshakes) > Limits.PendingHandshakes;
        if (isOneTooMany)
        {
            Interlocked.Decrement(ref _pendingHandshakes);
        }

        return !isOneTooMany;
    }

    private static bool IsThrough(PeerConnection connection, PeerId relay) =>
        !connection.IsDialer && connection.RemoteAddress.TryGetRelay(out Multiaddr? through) && through.Peer == relay;

    private async Task<PeerConnection?> UpgradeAsync(
        StreamOfStream carried, Libp2pStream stream, StopMessage request, PeerConnection connection, Deadline deadline)
    {
        Multiaddr remote = connection.RemoteAddress.WithPeer(connection.Remote).ThroughCircuit().WithPeer(request.Peer!);
        try
        {
            await RelayStream.WriteAsync(stream, StopMessage.Answer(RelayStatus.Ok).ToArray(), deadline.Token);
            return await _host.UpgradeAsync(carried, remote, isDialer: false, request.Limit, deadline.Token);
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            await carried.DisposeAsync();
            if (end is Libp2pException || deadline.Passed)
            {
                _host.Refuse(remote, end as Libp2pException ?? deadline.Error("The handshake"));
            }

            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _pendingHandshakes);
        }
    }
}
