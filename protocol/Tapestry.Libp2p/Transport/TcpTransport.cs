using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>TCP: listens on and dials the addresses <c>/ip4|ip6|dns|dns4|dns6/…/tcp/…</c>.</summary>
internal static class TcpTransport
{
    // Accepted by the kernel and not yet by us; above any burst of a consortium that comes back after a power cut.
    private const int Backlog = 512;

    /// <summary>Binds and listens; port 0 takes any free one.</summary>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.CannotListen"/>: not an IP address and port, not ours, in use, or not permitted.</exception>
    internal static Socket Listen(Multiaddr address)
    {
        if (!address.TryGetTcp(out MultiaddrPart host, out ushort port) || !IPAddress.TryParse(host.Value, out IPAddress? ip))
        {
            throw new Libp2pException(Libp2pFault.CannotListen, $"Cannot listen on {address}: expected /ip4/…/tcp/… or /ip6/…/tcp/….");
        }

        Socket? socket = null;
        try
        {
            socket = NewSocket(ip.AddressFamily);
            if (ip.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            // The platform sets SO_REUSEADDR, so a restarted daemon gets its port back at once, and two listeners still collide.
            socket.Bind(new IPEndPoint(ip, port));
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException cause)
        {
            socket?.Dispose();
            string reason = cause.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "another program uses the port; choose another one, or 0 for any",
                SocketError.AddressNotAvailable => "this machine does not have the address; 0.0.0.0 or :: stand for all of its addresses",
                SocketError.AddressFamilyNotSupported => "this machine does not speak that version of IP",
                SocketError.AccessDenied => "the port is reserved; choose one above 1023",
                _ => cause.Message,
            };
            throw new Libp2pException(Libp2pFault.CannotListen, $"Cannot listen on {address}: {reason}.", cause);
        }
    }

    /// <summary>Connects; where a name has several addresses, to the first that answers.</summary>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.Unreachable"/>, with the reason.</exception>
    internal static Task<Socket> DialAsync(Multiaddr address, CancellationToken cancelled) => DialAsync(address, NewSocket, cancelled);

    /// <summary>The same with sockets of the caller's making, which a kernel without one version of IP, or without descriptors left, refuses.</summary>
    internal static async Task<Socket> DialAsync(Multiaddr address, Func<AddressFamily, Socket> make, CancellationToken cancelled)
    {
        if (!address.TryGetTcp(out MultiaddrPart host, out ushort port) || port == 0)
        {
            throw new Libp2pException(Libp2pFault.Unreachable, $"Cannot dial {address}: expected a host and a TCP port other than 0.");
        }

        SocketException? last = null;
        foreach (IPAddress ip in await ResolveAsync(address, host, cancelled))
        {
            Socket? socket = null;
            try
            {
                socket = make(ip.AddressFamily);
                await socket.ConnectAsync(new IPEndPoint(ip, port), cancelled);
                return socket;
            }
            catch (SocketException cause)
            {
                socket?.Dispose();
                last = cause;
            }
            catch (OperationCanceledException)
            {
                socket?.Dispose();
                throw;
            }
        }

        throw new Libp2pException(Libp2pFault.Unreachable, $"Cannot dial {address}: {last?.Message ?? "the name has no address of that version"}.", last);
    }

    /// <summary>The stream of a connected socket, which it owns. Small messages leave at once.</summary>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.ConnectionLost"/>: the connection is gone already.</exception>
    internal static NetworkStream StreamOf(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception cause) when (cause is SocketException or IOException)
        {
            socket.Dispose();
            throw new Libp2pException(Libp2pFault.ConnectionLost, "The connection ended as soon as it was made.", cause);
        }
    }

    /// <summary>The IP address at the other end of a socket's stream; null of other streams, and of a socket that is gone.</summary>
    internal static IPAddress? RemoteOf(Stream stream)
    {
        try
        {
            return (stream as NetworkStream)?.Socket.RemoteEndPoint is not IPEndPoint { Address: IPAddress remote } ? null
                : remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4()
                : remote;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    private static Socket NewSocket(AddressFamily family) => new(family, SocketType.Stream, ProtocolType.Tcp);

    private static async Task<IPAddress[]> ResolveAsync(Multiaddr address, MultiaddrPart host, CancellationToken cancelled)
    {
        if (IPAddress.TryParse(host.Value, out IPAddress? ip))
        {
            return [ip];
        }

        AddressFamily family = host.Protocol switch
        {
            MultiaddrProtocol.Dns4 => AddressFamily.InterNetwork,
            MultiaddrProtocol.Dns6 => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unspecified,
        };
        try
        {
            return await Dns.GetHostAddressesAsync(host.Value, family, cancelled);
        }
        catch (SocketException cause)
        {
            throw new Libp2pException(Libp2pFault.Unreachable, $"Cannot dial {address}: the name does not resolve ({cause.Message}).", cause);
        }
    }
}
