using System.Net;
using System.Net.Sockets;
using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

public sealed class ConnectionTests
{
    [Fact]
    public async Task Whoever_answers_must_be_the_dialled_peer()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        Multiaddr wrong = alice.ListenAddresses[0].WithPeer(Hosts.Peer(3));

        await FaultsAsync(() => bob.DialAsync(wrong, Hosts.Patience), Libp2pFault.WrongPeer);

        bob.Connections.Should().BeEmpty();
    }

    [Fact]
    public async Task An_address_without_a_peer_and_our_own_are_not_dialled()
    {
        await using Libp2pHost alice = Hosts.Start(1);

        await FluentActions.Awaiting(() => alice.DialAsync(Hosts.AnyPort, Hosts.Patience)).Should().ThrowAsync<ArgumentException>().WithMessage("*add /p2p/*");
        await FluentActions.Awaiting(() => alice.DialAsync(alice.ListenAddresses[0], Hosts.Patience)).Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public async Task Nobody_at_the_address_is_said_so()
    {
        using Socket closed = TcpTransport.Listen(Hosts.AnyPort);
        Multiaddr address = Multiaddr.From((IPEndPoint)closed.LocalEndPoint!).WithPeer(Hosts.Peer(3));
        closed.Dispose();
        await using Libp2pHost bob = Hosts.Start(2);

        await FaultsAsync(() => bob.DialAsync(address, Hosts.Patience), Libp2pFault.Unreachable);
    }

    [Fact]
    public async Task A_second_dial_uses_the_open_connection()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);

        PeerConnection first = await bob.ConnectAsync(alice);
        PeerConnection second = await bob.ConnectAsync(alice);

        second.Should().BeSameAs(first);
    }

    [Fact]
    public async Task A_simultaneous_open_keeps_both_connections()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);

        PeerConnection[] dialled = await Task.WhenAll(bob.ConnectAsync(alice), alice.ConnectAsync(bob));

        foreach (PeerConnection connection in dialled)
        {
            await using Libp2pStream stream = await connection.OpenStreamAsync("/ipfs/ping/1.0.0", Hosts.Patience);
            connection.Completion.IsCompleted.Should().BeFalse();
        }
    }

    [Fact]
    public async Task Concurrent_dials_share_one_attempt()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        int opened = 0;
        bob.ConnectionOpened += _ => Interlocked.Increment(ref opened);
        bob.AddressBook.Pin(alice.PeerId, [alice.ListenAddresses[0]]);

        PeerConnection[] byAddress = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => bob.ConnectAsync(alice)));
        await byAddress[0].CloseAsync();
        PeerConnection[] byPeer = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => bob.DialAsync(alice.PeerId, Hosts.Patience)));

        byAddress.Distinct().Should().ContainSingle();
        byPeer.Distinct().Should().ContainSingle().Which.Should().NotBeSameAs(byAddress[0]);
        opened.Should().Be(2);
    }

    [Fact]
    public async Task A_shared_attempt_goes_on_while_anybody_waits_for_it()
    {
        // A listener that lets the callers wait: it accepts and says nothing until it is told to.
        using Socket listener = TcpTransport.Listen(Hosts.AnyPort);
        Multiaddr address = Multiaddr.From((IPEndPoint)listener.LocalEndPoint!).WithPeer(Hosts.Peer(3));
        await using Libp2pHost bob = Hosts.Start(2);
        using CancellationTokenSource impatient = new();
        using CancellationTokenSource patient = new();
        Task<PeerConnection> first = bob.DialAsync(address, impatient.Token);
        using Socket socket = await listener.AcceptAsync(Hosts.Patience);
        await socket.ReceiveAsync(new byte[1], Hosts.Patience);
        Task<PeerConnection> second = bob.DialAsync(address, patient.Token);

        await impatient.CancelAsync();
        await FluentActions.Awaiting(() => first).Should().ThrowAsync<OperationCanceledException>();
        second.IsCompleted.Should().BeFalse("the second waits still");
        listener.Poll(0, SelectMode.SelectRead).Should().BeFalse("and has not dialled anew");

        await patient.CancelAsync();
        await FluentActions.Awaiting(() => second).Should().ThrowAsync<OperationCanceledException>();
        await SilenceAsync(socket);
    }

    [Fact]
    public async Task A_host_that_stops_ends_its_dials_by_name_and_takes_no_more()
    {
        using Socket silent = TcpTransport.Listen(Hosts.AnyPort);
        Multiaddr address = Multiaddr.From((IPEndPoint)silent.LocalEndPoint!).WithPeer(Hosts.Peer(1));
        Libp2pHost bob = Hosts.Start(2);
        Task<PeerConnection> dialling = bob.DialAsync(address, Hosts.Patience);
        using Socket accepted = await silent.AcceptAsync(Hosts.Patience);

        await bob.StopAsync();

        foreach (Func<Task> dial in new Func<Task>[] { () => dialling, () => bob.DialAsync(address, Hosts.Patience) })
        {
            (await dial.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.ClosedLocally);
        }
    }

    [Fact]
    public async Task Opening_and_closing_are_told_once_each_to_both_sides()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        TaskCompletionSource<PeerConnection> opened = new();
        TaskCompletionSource<Libp2pFault> closedAtAlice = new();
        TaskCompletionSource<Libp2pFault> closedAtBob = new();
        alice.ConnectionOpened += opened.SetResult;
        alice.ConnectionClosed += (_, fault) => closedAtAlice.SetResult(fault);
        bob.ConnectionClosed += (_, fault) => closedAtBob.SetResult(fault);

        PeerConnection connection = await bob.ConnectAsync(alice);
        PeerConnection atAlice = await opened.Task.WaitAsync(Hosts.Patience);
        atAlice.Remote.Should().Be(bob.PeerId);
        atAlice.IsDialer.Should().BeFalse();

        // What is still on its way when a socket closes makes a reset of the close.
        await Task.WhenAll(connection.Identified, atAlice.Identified);
        await connection.CloseAsync();

        (await closedAtBob.Task.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
        (await closedAtAlice.Task.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
        alice.Connections.Should().BeEmpty();
        bob.FindConnection(alice.PeerId).Should().BeNull();
        atAlice.Ended.IsCancellationRequested.Should().BeTrue();
    }

    [Fact]
    public async Task Strangers_are_refused_in_both_directions()
    {
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Admits = peer => peer == Hosts.Peer(2) });
        await using Libp2pHost bob = Hosts.Start(2);
        await using Libp2pHost stranger = Hosts.Start(3);
        TaskCompletionSource<Libp2pException> refused = new();
        alice.InboundRefused += (_, refusal) => refused.SetResult(refusal);

        PeerConnection refusedSoon = await stranger.ConnectAsync(alice);
        (await refusedSoon.Completion.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.ConnectionLost, "the dialler has proved itself with its last message, and hears of the refusal after it");
        (await refused.Task.WaitAsync(Hosts.Patience)).Fault.Should().Be(Libp2pFault.PeerRefused);
        await FaultsAsync(() => alice.ConnectAsync(stranger), Libp2pFault.PeerRefused);

        (await bob.ConnectAsync(alice)).Remote.Should().Be(alice.PeerId, "a member is admitted");
    }

    [Fact]
    public async Task A_caller_that_says_nothing_is_closed_at_the_deadline()
    {
        ManualTime time = new();
        TaskCompletionSource<Libp2pException> refused = new();
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Time = time });
        alice.InboundRefused += (_, refusal) => refused.SetResult(refusal);
        using Socket loris = await TcpTransport.DialAsync(alice.ListenAddresses[0].WithoutPeer(), Hosts.Patience);

        // One byte now and then does not help: the deadline is for the whole handshake.
        await loris.SendAsync(new byte[] { 0x13 }, Hosts.Patience);
        // The greeting shows that the handshake has begun, and with it its deadline.
        await loris.ReceiveAsync(new byte[1], Hosts.Patience);
        time.Advance(alice.Options.HandshakeDeadline);

        (await refused.Task.WaitAsync(Hosts.Patience)).Fault.Should().Be(Libp2pFault.DeadlinePassed);
        await SilenceAsync(loris);
    }

    [Fact]
    public async Task Callers_beyond_the_pending_handshakes_are_closed_at_once()
    {
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Limits = new ResourceLimits { PendingHandshakes = 1 } });
        Multiaddr address = alice.ListenAddresses[0].WithoutPeer();
        using Socket first = await TcpTransport.DialAsync(address, Hosts.Patience);
        // The greeting shows that the first caller's handshake has begun.
        await first.ReceiveAsync(new byte[1], Hosts.Patience);

        using Socket second = await TcpTransport.DialAsync(address, Hosts.Patience);
        await SilenceAsync(second);
    }

    [Fact]
    public async Task Connections_beyond_the_limits_are_closed()
    {
        ResourceLimits limits = new() { Connections = 1 };
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Limits = limits });
        await using Libp2pHost bob = Hosts.Start(2);
        await using Libp2pHost carol = Hosts.Start(3);
        TaskCompletionSource<Libp2pException> refused = new();
        alice.InboundRefused += (_, refusal) => refused.SetResult(refusal);
        await bob.ConnectAsync(alice);

        PeerConnection tooMany = await carol.ConnectAsync(alice);

        (await refused.Task.WaitAsync(Hosts.Patience)).Fault.Should().Be(Libp2pFault.ResourceLimit);
        await tooMany.Completion.WaitAsync(Hosts.Patience);
        await FaultsAsync(() => alice.ConnectAsync(carol), Libp2pFault.ResourceLimit);
    }

    [Fact]
    public async Task Bytes_that_are_no_handshake_are_refused_by_name()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        TaskCompletionSource<Libp2pException> refused = new();
        alice.InboundRefused += (_, refusal) => refused.SetResult(refusal);
        using Socket browser = await TcpTransport.DialAsync(alice.ListenAddresses[0].WithoutPeer(), Hosts.Patience);

        await browser.SendAsync("GET / HTTP/1.1\r\nHost: example.org\r\nAccept: text/html,application/xhtml+xml,application/xml\r\n\r\n"u8.ToArray(), Hosts.Patience);

        (await refused.Task.WaitAsync(Hosts.Patience)).Fault.Should().BeOneOf(Libp2pFault.Malformed, Libp2pFault.TooLarge);
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_what_to_do()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost second = new(Hosts.Identity(2), new Libp2pHostOptions
        {
            ListenAddresses = [Hosts.AnyPort, alice.ListenAddresses[0].WithoutPeer()],
        });

        Libp2pException refusal = FluentActions.Invoking(second.Start).Should().Throw<Libp2pException>().Which;

        refusal.Fault.Should().Be(Libp2pFault.CannotListen);
        refusal.Message.Should().Contain(alice.ListenAddresses[0].WithoutPeer().ToString()).And.Contain("another program uses the port");
    }

    [Fact]
    public async Task One_host_listens_on_several_addresses()
    {
        await using Libp2pHost alice = Hosts.Start(1, options => options with { ListenAddresses = [Hosts.AnyPort, Multiaddr.Parse("/ip6/::1/tcp/0")] });
        await using Libp2pHost bob = Hosts.Start(2);
        await using Libp2pHost carol = Hosts.Start(3);

        (await bob.DialAsync(alice.ListenAddresses[0], Hosts.Patience)).Remote.Should().Be(alice.PeerId);
        (await carol.DialAsync(alice.ListenAddresses[1], Hosts.Patience)).Remote.Should().Be(alice.PeerId);
        Multiaddr named = Multiaddr.Parse($"/dns4/localhost/tcp/{alice.ListenAddresses[0].Parts[1].Value}/p2p/{alice.PeerId}");
        await using Libp2pHost dave = Hosts.Start(4);
        (await dave.DialAsync(named, Hosts.Patience)).Remote.Should().Be(alice.PeerId);
    }

    [Fact]
    public async Task Stopping_ends_connections_and_handlers()
    {
        Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        TaskCompletionSource handling = new();
        bool ended = false;
        alice.Handle("/test/wait/1", async (_, _, stop) =>
        {
            handling.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, stop);
            }
            finally
            {
                ended = true;
            }
        });
        PeerConnection connection = await bob.ConnectAsync(alice);
        await using Libp2pStream stream = await bob.OpenStreamAsync(alice.PeerId, "/test/wait/1", Hosts.Patience);
        await handling.Task;

        await alice.StopAsync();

        ended.Should().BeTrue();
        (await connection.Completion.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
        await FaultsAsync(() => bob.ConnectAsync(alice), Libp2pFault.Unreachable);
    }

    private static async Task FaultsAsync(Func<Task> operation, Libp2pFault fault) =>
        (await operation.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(fault);

    // The remote closed; what it had sent before may come first.
    private static async Task SilenceAsync(Socket socket)
    {
        try
        {
            while (await socket.ReceiveAsync(new byte[256], Hosts.Patience) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Closed with our bytes unread: the kernel says so with a reset.
        }
    }
}
