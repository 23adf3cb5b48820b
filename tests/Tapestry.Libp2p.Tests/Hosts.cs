using Tapestry.Crypto;

namespace Tapestry.Libp2p.Tests;

/// <summary>Real hosts on loopback, with identities that are the same in every run.</summary>
internal static class Hosts
{
    internal static readonly Multiaddr AnyPort = Multiaddr.Parse("/ip4/127.0.0.1/tcp/0");

    // Long enough for any machine; a test that needs it has failed.
    internal static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    internal static Libp2pIdentity Identity(byte number)
    {
        byte[] seed = new byte[SigningKey.SeedLength];
        seed.AsSpan().Fill(number);
        return new Libp2pIdentity(SigningKey.FromSeed(seed));
    }

    internal static PeerId Peer(byte number) => Identity(number).PeerId;

    internal static Libp2pHost Start(byte number, Func<Libp2pHostOptions, Libp2pHostOptions>? change = null)
    {
        Libp2pHostOptions options = new() { ListenAddresses = [AnyPort] };
        Libp2pHost host = new(Identity(number), change is null ? options : change(options));
        host.Start();
        return host;
    }

    /// <summary>Dials, and waits until the other side has the connection too, or has refused it.</summary>
    internal static async Task<PeerConnection> ConnectAsync(this Libp2pHost from, Libp2pHost to)
    {
        PeerConnection connection = await from.DialAsync(to.ListenAddresses[0], Patience);
        CancellationToken late = Patience;
        while (to.FindConnection(from.PeerId) is null && !connection.Completion.IsCompleted)
        {
            await Task.Delay(1, late);
        }

        return connection;
    }

    /// <summary>The host's connection to a peer, once it has one: the side that dials has its own a moment sooner, and the event comes a moment later.</summary>
    internal static async Task<PeerConnection> ConnectionToAsync(this Libp2pHost host, PeerId peer)
    {
        CancellationToken late = Patience;
        PeerConnection? connection;
        while ((connection = host.FindConnection(peer)) is null)
        {
            await Task.Delay(1, late);
        }

        return connection;
    }

    /// <summary>A connection of its own, as a dial at the same moment makes it, whatever is open already.</summary>
    internal static async Task<PeerConnection> ConnectWithoutLookingAsync(this Libp2pHost from, Libp2pHost to)
    {
        System.Net.Sockets.Socket socket = await TcpTransport.DialAsync(to.ListenAddresses[0], Patience);
        return await from.UpgradeAsync(TcpTransport.StreamOf(socket), to.ListenAddresses[0], isDialer: true, limit: null, Patience);
    }
}
