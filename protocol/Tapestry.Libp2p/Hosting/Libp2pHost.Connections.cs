using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>How connections come to be, and what runs on each.</summary>
public sealed partial class Libp2pHost
{
    private readonly SharedDials<Multiaddr> _dials = new();

    /// <summary>A connection to the peer that <paramref name="address"/> ends in: an open one, or a new one to that address.</summary>
    /// <remarks>
    /// Concurrent calls for one address share one attempt. An open connection through a relay serves addresses through
    /// relays; a direct address still is dialled.
    /// </remarks>
    /// <param name="address">A TCP address that ends in <c>/p2p/…</c>, or <c>/…/p2p/RELAY/p2p-circuit/p2p/…</c>; whoever answers must prove to be that peer.</param>
    /// <param name="cancelled">Ends the wait; the attempt ends at <see cref="Libp2pHostOptions.HandshakeDeadline"/>, or when nobody waits for it.</param>
    /// <exception cref="ArgumentException">The address names no peer, or ourselves.</exception>
    /// <exception cref="Libp2pException">Why there is no connection.</exception>
    public async Task<PeerConnection> DialAsync(Multiaddr address, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(address);
        PeerId peer = address.Peer ?? throw new ArgumentException($"{address} does not say whom to expect: add /p2p/ and the peer id.", nameof(address));
        if (peer == PeerId)
        {
            throw new ArgumentException($"{address} is our own peer id.", nameof(address));
        }

        return _connections.Find(peer) is PeerConnection open && (!open.IsRelayed || address.IsCircuit)
            ? open
            : await _dials.DialAsync(address, abandoned => StartConnecting(address, abandoned), cancelled);
    }

    /// <summary>Turns a byte stream that is not a socket of ours into an open connection; on any failure the stream is closed.</summary>
    /// <param name="stream">The stream; taken over.</param>
    /// <param name="remoteAddress">How the peer is reached; where it ends in a peer, the remote must prove to be that one.</param>
    /// <param name="isDialer">Whether we asked for the stream, and so speak first.</param>
    /// <param name="limit">What the relay allows.</param>
    /// <param name="cancelled">The handshake's deadline.</param>
    /// <exception cref="Libp2pException">Why there is no connection.</exception>
    internal async Task<PeerConnection> UpgradeAsync(
        Stream stream, Multiaddr remoteAddress, bool isDialer, ConnectionLimit? limit, CancellationToken cancelled)
    {
        IPAddress? remoteIp = TcpTransport.RemoteOf(stream);
        UpgradedConnection upgraded = await _upgrade.RunAsync(stream, isDialer ? remoteAddress.Peer : null, cancelled);
        MuxedConnection muxed = upgraded.Muxed;
        if (remoteAddress.Peer is PeerId announced && muxed.Remote != announced)
        {
            await muxed.CloseAsync();
            throw new Libp2pException(Libp2pFault.WrongPeer, $"{muxed.Remote} answers where {announced} was announced.");
        }

        return await OpenAsync(upgraded, new ConnectionOrigin(remoteAddress.WithoutPeer(), remoteIp, isDialer, limit));
    }

    /// <summary>Dials an address, lets whoever answers prove to be the peer that it ends in, and hangs up.</summary>
    /// <exception cref="Libp2pException">That peer was not reached there.</exception>
    internal async Task ProveAsync(Multiaddr address, CancellationToken cancelled)
    {
        Socket socket = await TcpTransport.DialAsync(address, cancelled);
        await _upgrade.ProveAsync(TcpTransport.StreamOf(socket), address.Peer!, cancelled);
    }

    // A stopping host waits for its dials, whose handshakes use the keys that it is about to free.
    private Task<PeerConnection> StartConnecting(Multiaddr address, CancellationToken abandoned) =>
        _tasks.TryRun(() => ConnectAsync(address, abandoned), out Task<PeerConnection>? connecting) ? connecting : throw Stopped();

    private static Libp2pException Stopped() => new(Libp2pFault.ClosedLocally, "The host has stopped.");

    private async Task<PeerConnection> ConnectAsync(Multiaddr address, CancellationToken abandoned)
    {
        using CancellationTokenSource stopped = CancellationTokenSource.CreateLinkedTokenSource(abandoned, _stopping.Token);
        using Deadline deadline = new(Options.HandshakeDeadline, Options.Time, stopped.Token);
        try
        {
            if (address.IsCircuit)
            {
                return await CircuitDialer.DialAsync(this, address, deadline.Token);
            }

            Socket socket = await TcpTransport.DialAsync(address, deadline.Token);
            return await UpgradeAsync(TcpTransport.StreamOf(socket), address, isDialer: true, limit: null, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error($"Connecting to {address}");
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested && !abandoned.IsCancellationRequested)
        {
            throw Stopped();
        }
        finally
        {
            // Whoever dialled may block; a thread that hears of sockets must not.
            await Task.Yield();
        }
    }

    private async Task<PeerConnection> OpenAsync(UpgradedConnection upgraded, ConnectionOrigin origin)
    {
        // From here on others see the connection, and may take their time over it.
        await Task.Yield();
        CancellationTokenSource ended = new();
        PeerConnection connection = new(this, upgraded, origin, ended.Token);
        if (_connections.TryAdd(connection) is Libp2pException refusal)
        {
            await upgraded.Muxed.CloseAsync();
            throw refusal;
        }

        if (_connections.To(connection.Remote).Count > 1)
        {
            _tasks.Start(() => _keeper.SettleAsync(connection.Remote));
        }

        connection.Muxed.StreamRefused = refused => StreamRefused?.Invoke(connection, refused);
        _tasks.Start(connection.IdentifyAsync);
        ConnectionOpened?.Invoke(connection);
        _tasks.Start(() => ServeConnectionAsync(connection, ended));
        return connection;
    }

    private async Task ServeConnectionAsync(PeerConnection connection, CancellationTokenSource ended)
    {
        while (await connection.Muxed.AcceptStreamAsync(CancellationToken.None) is Libp2pStream stream)
        {
            if (_streams.TryEnter(connection.Remote) is Libp2pException refusal)
            {
                Refuse(stream, connection, refusal);
                await stream.DisposeAsync();
                continue;
            }

            _tasks.Start(() => ServeStreamAsync(stream, connection));
        }

        Libp2pFault fault = await connection.Completion;
        _connections.Remove(connection);
        await ended.CancelAsync();
        ended.Dispose();
        ConnectionClosed?.Invoke(connection, fault);
    }

    private async Task ServeStreamAsync(Libp2pStream stream, PeerConnection connection)
    {
        string? counted = null;
        try
        {
            string? protocolId = await AgreeAsync(stream, connection);
            if (protocolId is not null && _handlers.TryGetValue(protocolId, out StreamHandler? handler))
            {
                stream.Protocol = protocolId;
                if (_streams.TryEnter(connection.Remote, protocolId) is Libp2pException refusal)
                {
                    Refuse(stream, connection, refusal);
                }
                else
                {
                    counted = protocolId;
                    await handler(stream, connection, connection.Ended);
                }
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The peer broke the protocol or went away: the stream has no more use.
            stream.Reset();
            if (end is Libp2pException { Fault: not (Libp2pFault.StreamReset or Libp2pFault.ConnectionLost or Libp2pFault.ClosedLocally) } refusal)
            {
                StreamRefused?.Invoke(connection, refusal);
            }
        }
        catch (Exception mistake)
        {
            stream.Reset();
            TellMistake(counted ?? "", connection.Remote, mistake);
        }

        _streams.Leave(connection.Remote, counted);
        await stream.DisposeAsync();
    }

    private async Task<string?> AgreeAsync(Libp2pStream stream, PeerConnection connection)
    {
        using Deadline deadline = new(Options.NegotiationDeadline, Options.Time, connection.Ended);
        try
        {
            return await MultistreamSelect.RespondAsync(stream, _handlers.ContainsKey, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            Refuse(stream, connection, deadline.Error("Agreeing on a stream's protocol"));
            return null;
        }
    }

    private void Refuse(Libp2pStream stream, PeerConnection connection, Libp2pException refusal)
    {
        stream.Reset();
        StreamRefused?.Invoke(connection, refusal);
    }
}
