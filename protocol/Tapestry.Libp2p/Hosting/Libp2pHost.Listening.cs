using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>Callers, from the listening socket to an open connection.</summary>
public sealed partial class Libp2pHost
{
    // Only while we are out of descriptors or buffers: a listener is not told when there are some again.
    private static readonly TimeSpan PauseWithoutDescriptors = TimeSpan.FromMilliseconds(100);

    private async Task AcceptAsync(Socket listener)
    {
        ThreadShare share = new(TimeProvider.System);
        try
        {
            while (_stopRequested == 0)
            {
                ValueTask<Socket?> accepting = TryAcceptAsync(listener);
                if (share.IsUsedUpBy(accepting.IsCompleted))
                {
                    await Task.Yield();
                }

                if (await accepting is Socket socket)
                {
                    _tasks.Start(() => UpgradeInboundAsync(socket));
                }
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
        {
            // We stop.
        }
    }

    private async ValueTask<Socket?> TryAcceptAsync(Socket listener)
    {
        try
        {
            return await listener.AcceptAsync(_stopping.Token);
        }
        catch (SocketException cause)
        {
            // The listener itself is sound. A caller that hung up while it waited in the queue is no reason to pause.
            if (cause.SocketErrorCode is not (SocketError.ConnectionAborted or SocketError.ConnectionReset))
            {
                await Task.Delay(PauseWithoutDescriptors, Options.Time, _stopping.Token);
            }

            return null;
        }
    }

    private async Task UpgradeInboundAsync(Socket socket)
    {
        Multiaddr? remote = null;
        CallerGate.Call? call = null;
        try
        {
            IPEndPoint caller = (IPEndPoint)socket.RemoteEndPoint!;
            remote = Multiaddr.From(caller);
            if (_gate.TryEnter(caller.Address, out call) is Libp2pException refusal)
            {
                socket.Dispose();
                throw refusal;
            }

            using Deadline deadline = new(Options.HandshakeDeadline, Options.Time, _stopping.Token);
            try
            {
                PeerConnection connection = await UpgradeAsync(TcpTransport.StreamOf(socket), remote, isDialer: false, limit: null, deadline.Token);
                call!.Open();
                connection.Ended.Register(call.Dispose);
                call = null;
            }
            catch (OperationCanceledException) when (deadline.Passed)
            {
                throw deadline.Error("The handshake");
            }
        }
        catch (Libp2pException fault) when (remote is not null)
        {
            Refuse(remote, fault);
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // We stop, or the caller hung up before we looked.
            socket.Dispose();
        }
        finally
        {
            call?.Dispose();
        }
    }
}
