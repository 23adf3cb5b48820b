using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>How connections come to be, and what runs on each.</summary>
public sealed partial class Libp2pHost
{
    /// <summary>A connection to the peer that <paramref name="address"/> ends in: an open one, or a new one to that address.</summary>
    /// <param name="address">A TCP address that ends in <c>/p2p/…</c>; whoever answers must prove to be that peer.</param>
    /// <param name="cancelled">Ends the attempt; it also ends at <see cref="Libp2pHostOptions.HandshakeDeadline"/>.</param>
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

        if (_connections.Find(peer) is PeerConnection open)
        {
            return open;
        }

        using CancellationTokenSource stopped = CancellationTokenSource.CreateLinkedTokenSource(cancelled, _stopping.Token);
        using Deadline deadline = new(Options.HandshakeDeadline, Options.Time, stopped.Token);
        try
        {
            Socket socket = await TcpTransport.DialAsync(address, deadline.Token);
            UpgradedConnection upgraded = await _upgrade.RunAsync(TcpTransport.StreamOf(socket), peer, deadline.Token);
            return await OpenAsync(upgraded, address.WithoutPeer(), isDialer: true);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error($"Connecting to {address}");
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (_stopRequested == 0)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(_stopping.Token);
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The caller hung up in the queue, or we are out of descriptors; the listener itself is sound.
                await Task.Delay(TimeSpan.FromMilliseconds(10), Options.Time, CancellationToken.None);
                continue;
            }

            _tasks.Start(() => UpgradeInboundAsync(socket));
        }
    }

    private async Task UpgradeInboundAsync(Socket socket)
    {
        Multiaddr? remote = null;
        try
        {
            if (Interlocked.Increment(ref _pendingHandshakes) > Options.Limits.PendingHandshakes)
            {
                socket.Dispose();
                return;
            }

            remote = Multiaddr.From((IPEndPoint)socket.RemoteEndPoint!);
            using Deadline deadline = new(Options.HandshakeDeadline, Options.Time, _stopping.Token);
            try
            {
                UpgradedConnection upgraded = await _upgrade.RunAsync(TcpTransport.StreamOf(socket), expected: null, deadline.Token);
                await OpenAsync(upgraded, remote, isDialer: false);
            }
            catch (OperationCanceledException) when (deadline.Passed)
            {
                throw deadline.Error("The handshake");
            }
        }
        catch (Libp2pException refusal) when (remote is not null)
        {
            InboundRefused?.Invoke(remote, refusal);
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // We stop, or the caller hung up before we looked.
            socket.Dispose();
        }
        finally
        {
            Interlocked.Decrement(ref _pendingHandshakes);
        }
    }

    private async Task<PeerConnection> OpenAsync(UpgradedConnection upgraded, Multiaddr remoteAddress, bool isDialer)
    {
        CancellationTokenSource ended = new();
        PeerConnection connection = new(this, upgraded, remoteAddress, isDialer, ended.Token);
        if (_connections.TryAdd(connection) is Libp2pException refusal)
        {
            await upgraded.Muxed.CloseAsync();
            throw refusal;
        }

        connection.Identified = IdentifyProtocol.AskAsync(connection, this);
        ConnectionOpened?.Invoke(connection);
        _tasks.Start(() => ServeConnectionAsync(connection, ended));
        return connection;
    }

    private async Task ServeConnectionAsync(PeerConnection connection, CancellationTokenSource ended)
    {
        while (await connection.Muxed.AcceptStreamAsync(CancellationToken.None) is Libp2pStream stream)
        {
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
        string? protocolId = null;
        try
        {
            using (Deadline deadline = new(Options.NegotiationDeadline, Options.Time, connection.Ended))
            {
                protocolId = await MultistreamSelect.RespondAsync(stream, _handlers.ContainsKey, deadline.Token);
            }

            if (protocolId is not null && _handlers.TryGetValue(protocolId, out StreamHandler? handler))
            {
                stream.Protocol = protocolId;
                await handler(stream, connection, connection.Ended);
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The peer broke the protocol or went away, or a deadline passed: the stream has no more use.
            stream.Reset();
        }
        catch (Exception mistake)
        {
            stream.Reset();
            HandlerFailed?.Invoke(protocolId ?? "", connection.Remote, mistake);
        }

        await stream.DisposeAsync();
    }
}
