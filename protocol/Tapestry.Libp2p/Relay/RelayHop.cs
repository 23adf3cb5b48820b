using System.Net;

namespace Tapestry.Libp2p;

/// <summary>The relay itself: takes reservations, and carries connections to whoever holds one.</summary>
/// <remarks>libp2p/specs, relay/circuit-v2.md, "Hop Protocol". Neither is done for a peer that came by way of a relay.</remarks>
internal sealed class RelayHop
{
    private readonly Libp2pHost _host;
    private readonly CircuitRelayOptions _options;
    private readonly RelayTable _table;
    private readonly Action<PeerId, PeerId, CircuitEnd> _circuitEnded;
    private readonly Action<PeerId, RelayStatus> _refused;

    internal RelayHop(
        Libp2pHost host, CircuitRelayOptions options, Action<PeerId, PeerId, CircuitEnd> circuitEnded, Action<PeerId, RelayStatus> refused)
    {
        _host = host;
        _options = options;
        _circuitEnded = circuitEnded;
        _refused = refused;
        _table = new RelayTable(host.Options.Limits.Relay, host.Options.Time);
        host.Handle(CircuitRelay.HopId, AnswerAsync);
        host.ConnectionClosed += (connection, _) => ReleaseUnlessConnected(connection.Remote);
    }

    /// <summary>Who has a reservation here.</summary>
    internal IReadOnlyList<PeerId> Reserved() => _table.Reserved();

    private async Task AnswerAsync(Libp2pStream stream, PeerConnection connection, CancellationToken ended)
    {
        using Deadline deadline = new(_host.Options.NegotiationDeadline, _host.Options.Time, ended);
        HopMessage? request = await RelayStream.ReadHopAsync(stream, deadline.Token);
        RelayStatus refusal = request switch
        {
            null => RelayStatus.MalformedMessage,
            _ when connection.IsRelayed => RelayStatus.PermissionDenied,
            { Type: HopMessageType.Reserve } => await ReserveAsync(stream, connection, deadline.Token),
            { Type: HopMessageType.Connect, Peer: null } => RelayStatus.MalformedMessage,
            { Type: HopMessageType.Connect } => await ConnectAsync(stream, connection.Remote, request.Peer, deadline.Token, ended),
            _ => RelayStatus.UnexpectedMessage,
        };
        if (refusal != RelayStatus.Ok)
        {
            // The wanted peer may be gone, and others may have taken the room for reservations or what there was to carry.
            if (refusal is not (RelayStatus.ReservationRefused or RelayStatus.NoReservation or RelayStatus.ConnectionFailed or RelayStatus.ResourceLimitExceeded))
            {
                _refused(connection.Remote, refusal);
            }

            await RelayStream.EndWithAsync(stream, HopMessage.Refusal(refusal).ToArray(), deadline.Token);
        }
    }

    private async Task<RelayStatus> ReserveAsync(Libp2pStream stream, PeerConnection connection, CancellationToken late)
    {
        PeerId peer = connection.Remote;
        if (!_options.MayReserve(peer))
        {
            return RelayStatus.PermissionDenied;
        }

        // Only a connection through a relay has no socket of ours.
        if (connection.RemoteIp is not IPAddress from || !_table.TryReserve(peer, from, out DateTimeOffset expires))
        {
            return RelayStatus.ReservationRefused;
        }

        connection.KeepUntil(expires);
        if (connection.Ended.IsCancellationRequested)
        {
            ReleaseUnlessConnected(peer);
        }

        SignedEnvelope voucher = RelayVoucher.Seal(_host.Identity, peer, expires);
        HopMessage answer = new()
        {
            Type = HopMessageType.Status,
            Status = RelayStatus.Ok,
            Reservation = new ReservationMessage(expires, OwnAddresses(), voucher.Encoded),
            Limit = _options.IsUnlimited(peer) ? null : Limit(),
        };
        await RelayStream.EndWithAsync(stream, answer.ToArray(), late);
        return RelayStatus.Ok;
    }

    private async Task<RelayStatus> ConnectAsync(
        Libp2pStream stream, PeerId source, PeerId target, CancellationToken late, CancellationToken ended)
    {
        if (source == target || !_options.MayConnect(source, target))
        {
            return RelayStatus.PermissionDenied;
        }

        if (!_table.HasReservation(target) || DirectTo(target) is not PeerConnection toTarget)
        {
            return RelayStatus.NoReservation;
        }

        if (!_table.TryOpenCircuit(source, target))
        {
            return RelayStatus.ResourceLimitExceeded;
        }

        try
        {
            ConnectionLimit? limit = _options.IsUnlimited(source) && _options.IsUnlimited(target) ? null : Limit();
            await using Libp2pStream? onward = await TryStopAsync(toTarget, source, limit, late);
            if (onward is null)
            {
                return RelayStatus.ConnectionFailed;
            }

            HopMessage answer = new() { Type = HopMessageType.Status, Status = RelayStatus.Ok, Limit = limit };
            await RelayStream.WriteAsync(stream, answer.ToArray(), late);
            _circuitEnded(source, target, await Circuit.RunAsync(stream, onward, limit, _host.Options.Time, ended));
            return RelayStatus.Ok;
        }
        finally
        {
            _table.CloseCircuit(source, target);
        }
    }

    // The stream to the target, once it has agreed; null when it does not.
    private static async Task<Libp2pStream?> TryStopAsync(
        PeerConnection toTarget, PeerId source, ConnectionLimit? limit, CancellationToken late)
    {
        Libp2pStream? stream = null;
        try
        {
            stream = await toTarget.OpenStreamAsync(CircuitRelay.StopId, late);
            StopMessage request = new() { Type = StopMessageType.Connect, Peer = source, Limit = limit };
            await RelayStream.WriteAsync(stream, request.ToArray(), late);
            StopMessage? answer = await RelayStream.ReadStopAsync(stream, late);
            if (answer is { Type: StopMessageType.Status, Status: RelayStatus.Ok })
            {
                return stream;
            }
        }
        catch (Exception refusal) when (refusal is IOException or OperationCanceledException)
        {
            // Does not speak the protocol, has gone, or does not answer in time.
        }

        stream?.Reset();
        return null;
    }

    private List<Multiaddr> OwnAddresses() =>
        [.. _host.AnnouncedAddresses.Where(address => !address.IsCircuit).Select(address => address.WithPeer(_host.PeerId))];

    private ConnectionLimit Limit()
    {
        RelayLimits limits = _host.Options.Limits.Relay;
        return new ConnectionLimit(limits.CircuitDuration, limits.CircuitBytes);
    }

    private PeerConnection? DirectTo(PeerId peer) => _host.FindConnection(peer) is { IsRelayed: false } direct ? direct : null;

    private void ReleaseUnlessConnected(PeerId peer)
    {
        if (DirectTo(peer) is null)
        {
            _table.Release(peer);
        }
    }
}
