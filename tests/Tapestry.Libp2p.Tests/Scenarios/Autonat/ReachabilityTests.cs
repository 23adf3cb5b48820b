using System.Net;
using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Autonat;

/// <summary>Hosts that ask each other whether they can be dialled; on loopback, where that is configured.</summary>
public sealed class ReachabilityTests : IAsyncLifetime
{
    private static readonly Multiaddr NobodyListens = Multiaddr.Parse("/ip4/127.0.0.1/tcp/1");

    private static readonly AutonatOptions Here = new() { DialsPrivateAddresses = true, AnswersNeeded = 2 };

    private readonly List<Libp2pHost> _hosts = [];
    private byte _next = 1;

    private CancellationToken Late { get; } = Hosts.Patience;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (Libp2pHost host in _hosts)
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_host_that_others_reach_becomes_public()
    {
        Libp2pHost asker = Start();
        await using Libp2p.Autonat autonat = new(asker, Here);
        Task<Reachability> changed = NextOf(autonat);

        await asker.ConnectAsync(Server());
        await asker.ConnectAsync(Server());

        (await changed.WaitAsync(Late)).Should().Be(Reachability.Public);
        autonat.Reachability.Should().Be(Reachability.Public);
    }

    [Fact]
    public async Task A_host_that_others_do_not_reach_becomes_private()
    {
        Libp2pHost asker = Start(options => options with { ListenAddresses = [], AnnounceAddresses = [NobodyListens] });
        await using Libp2p.Autonat autonat = new(asker, Here);
        Task<Reachability> changed = NextOf(autonat);

        await asker.ConnectAsync(Server());
        await asker.ConnectAsync(Server());

        (await changed.WaitAsync(Late)).Should().Be(Reachability.Private);
    }

    [Theory]
    [InlineData("/noise")]
    [InlineData("/tls/1.0.0")]
    public async Task The_address_that_was_reached_is_told_and_no_connection_is_left(string security)
    {
        SecurityProtocol only = new[] { SecurityProtocol.Noise, SecurityProtocol.Tls }.Single(protocol => protocol.Id == security);
        Libp2pHost asker = Start(options => options with { Security = [only] });
        await using Libp2p.Autonat autonat = new(asker, Here with { Asks = false });
        Libp2pHost server = Server();
        await asker.ConnectAsync(server);
        int opened = 0;
        TaskCompletionSource hungUp = new();
        asker.ConnectionOpened += _ => Interlocked.Increment(ref opened);
        asker.InboundRefused += (_, _) => hungUp.TrySetResult();

        AutonatMessage.Response response = await autonat.AskAsync(server.PeerId, Late);

        response.Status.Should().Be(AutonatStatus.Ok);
        response.Address.Should().Be(asker.ListenAddresses[0].WithoutPeer());
        await hungUp.Task.WaitAsync(Late);
        opened.Should().Be(0, "whoever is dialled back proves who it is, and no more");
        server.Connections.Should().HaveCount(1);
    }

    [Fact]
    public async Task Somebody_else_at_the_address_does_not_count()
    {
        Libp2pHost other = Start();
        Libp2pHost server = Server();
        Libp2pHost asker = Start();
        await asker.ConnectAsync(server);

        AutonatMessage.Response response = await AskAsync(asker, server, new AutonatMessage.Dial(asker.PeerId, [other.ListenAddresses[0].WithoutPeer()]));

        response.Status.Should().Be(AutonatStatus.DialError);
        response.Address.Should().BeNull("it names what was reached");
    }

    [Fact]
    public async Task A_peer_that_never_answers_holds_up_no_other()
    {
        // In a time that stands still the silent one is waited for without end.
        Libp2pHost asker = Start(options => options with { Time = new ManualTime() });
        await using Libp2p.Autonat autonat = new(asker, Here);
        Task<Reachability> changed = NextOf(autonat);
        Libp2pHost silent = Start();
        TaskCompletionSource asked = new();
        silent.Handle(Libp2p.Autonat.Id, (_, _, ended) =>
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.Infinite, ended);
        });

        await asker.ConnectAsync(silent);
        await asked.Task.WaitAsync(Late);
        await asker.ConnectAsync(Server());
        await asker.ConnectAsync(Server());

        (await changed.WaitAsync(Late)).Should().Be(Reachability.Public);
    }

    [Fact]
    public async Task A_peer_that_was_dialled_by_a_name_is_dialled_back_at_its_address()
    {
        Libp2pHost server = Server();
        Libp2pHost asker = Start();
        asker.ListenAddresses[0].TryGetTcp(out _, out ushort port).Should().BeTrue();
        PeerConnection connection = await server.DialAsync(Multiaddr.Parse($"/dns4/localhost/tcp/{port}/p2p/{asker.PeerId}"), Late);
        connection.RemoteIp.Should().Be(IPAddress.Loopback);
        await asker.ConnectionToAsync(server.PeerId);

        (await AskAsync(asker, server, new AutonatMessage.Dial(asker.PeerId, asker.ListenAddresses))).Status.Should().Be(AutonatStatus.Ok);
    }

    [Fact]
    public async Task Others_are_not_dialled_for_us()
    {
        Libp2pHost server = Server();
        Libp2pHost asker = Start();
        await asker.ConnectAsync(server);
        Multiaddr third = Multiaddr.Parse("/ip4/127.0.0.2/tcp/4001");

        (await AskAsync(asker, server, new AutonatMessage.Dial(asker.PeerId, [third]))).Status.Should().Be(AutonatStatus.DialRefused);
        (await AskAsync(asker, server, new AutonatMessage.Dial(Hosts.Peer(99), [asker.ListenAddresses[0]]))).Status.Should().Be(AutonatStatus.BadRequest);
    }

    [Fact]
    public async Task Loopback_is_not_dialled_by_default()
    {
        Libp2pHost server = Server(Here with { DialsPrivateAddresses = false });
        Libp2pHost asker = Start();
        await asker.ConnectAsync(server);

        (await AskAsync(asker, server, new AutonatMessage.Dial(asker.PeerId, asker.ListenAddresses))).Status.Should().Be(AutonatStatus.DialRefused);
    }

    [Fact]
    public async Task Too_many_requests_are_refused()
    {
        Libp2pHost server = Server(limits: new AutonatLimits { DialsPerMinutePerPeer = 1 });
        Libp2pHost asker = Start();
        await asker.ConnectAsync(server);
        AutonatMessage.Dial dial = new(asker.PeerId, asker.ListenAddresses);

        (await AskAsync(asker, server, dial)).Status.Should().Be(AutonatStatus.Ok);
        (await AskAsync(asker, server, dial)).Status.Should().Be(AutonatStatus.DialRefused);
    }

    [Fact]
    public async Task A_request_through_a_relay_is_refused()
    {
        Libp2pHost relay = Start();
        _ = new CircuitRelay(relay, new CircuitRelayOptions { Serves = true });
        Libp2pHost server = Server();
        RelayReservation reservation = await new CircuitRelay(server, new CircuitRelayOptions()).ReserveAsync(relay.ListenAddresses[0], Late);
        Libp2pHost asker = Start();
        await asker.DialAsync(reservation.Addresses[0], Late);

        (await AskAsync(asker, server, new AutonatMessage.Dial(asker.PeerId, asker.ListenAddresses))).Status.Should().Be(AutonatStatus.DialRefused);
    }

    [Fact]
    public async Task What_is_no_request_is_named()
    {
        Libp2pHost server = Server();
        Libp2pHost asker = Start();
        await asker.ConnectAsync(server);

        (await AskAsync(asker, server, new AutonatMessage.Response(AutonatStatus.Ok, "", null))).Status.Should().Be(AutonatStatus.BadRequest);
    }

    [Fact]
    public async Task A_private_host_reserves_at_the_relays_that_it_knows_and_announces_it()
    {
        Libp2pHost relay = Start();
        _ = new CircuitRelay(relay, new CircuitRelayOptions { Serves = true });
        Libp2pHost hidden = Start(options => options with { ListenAddresses = [], AnnounceAddresses = [NobodyListens] });
        await using Libp2p.Autonat autonat = new(hidden, Here);
        await using CircuitRelay client = new(hidden, new CircuitRelayOptions { Relays = [relay.ListenAddresses[0]], Autonat = autonat });
        TaskCompletionSource reserved = new();
        client.ReservationsChanged += () => reserved.TrySetResult();

        PeerConnection toServer = await hidden.ConnectAsync(Server());
        await hidden.ConnectAsync(Server());
        await reserved.Task.WaitAsync(Late);

        autonat.Reachability.Should().Be(Reachability.Private);
        Multiaddr expected = relay.ListenAddresses[0].ThroughCircuit();
        hidden.AnnouncedAddresses.Should().Equal(NobodyListens, expected);
        Libp2pHost stranger = Start();
        (await stranger.DialAsync(expected.WithPeer(hidden.PeerId), Late)).IsRelayed.Should().BeTrue();
        Libp2pHost server = _hosts.Single(host => host.PeerId == toServer.Remote);
        await UntilAsync(() => server.AddressBook.AddressesOf(hidden.PeerId).Any(known => known.Address.Equals(expected)));
    }

    [Fact]
    public async Task A_lost_reservation_is_made_anew()
    {
        Libp2pHost relay = Start();
        CircuitRelay hop = new(relay, new CircuitRelayOptions { Serves = true });
        Libp2pHost hidden = Start(options => options with { ListenAddresses = [] });
        await using CircuitRelay client = new(hidden, new CircuitRelayOptions { Relays = [relay.ListenAddresses[0]], Use = RelayUse.Always });
        await UntilAsync(() => hop.Reserved.Count == 1);

        await relay.FindConnection(hidden.PeerId)!.CloseAsync();

        await UntilAsync(() => client.Reservations.Count == 0);
        await UntilAsync(() => client.Reservations.Count == 1);
        hop.Reserved.Should().Equal(hidden.PeerId);
    }

    [Fact]
    public async Task A_reservation_is_refreshed_before_it_ends()
    {
        ManualTime time = new();

        // The clock is moved on while an answer may be on its way, which must not make it late.
        Libp2pHost relay = Start(options => options with { Time = time, NegotiationDeadline = TimeSpan.FromDays(1) });
        _ = new CircuitRelay(relay, new CircuitRelayOptions { Serves = true });
        Libp2pHost hidden = Start(options => options with { Time = time, NegotiationDeadline = TimeSpan.FromDays(1), ListenAddresses = [] });
        await using CircuitRelay client = new(hidden, new CircuitRelayOptions());
        RelayReservation first = await client.ReserveAsync(relay.ListenAddresses[0], Late);
        TaskCompletionSource refreshed = new();
        client.ReservationsChanged += () => refreshed.TrySetResult();
        int before = time.PendingTimers;

        while (!refreshed.Task.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(20));
            await hidden.PingAsync(relay.PeerId, Late);
        }

        client.Reservations.Single().Expires.Should().BeAfter(first.Expires);
        before.Should().BePositive();
    }

    private static Task<Reachability> NextOf(Libp2p.Autonat autonat)
    {
        TaskCompletionSource<Reachability> changed = new();
        autonat.Changed += reachability => changed.TrySetResult(reachability);
        return changed.Task;
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(20, Late);
        }
    }

    private Libp2pHost Start(Func<Libp2pHostOptions, Libp2pHostOptions>? change = null)
    {
        Libp2pHost host = Hosts.Start(_next++, change);
        _hosts.Add(host);
        return host;
    }

    private Libp2pHost Server(AutonatOptions? autonat = null, AutonatLimits? limits = null)
    {
        Libp2pHost host = Start(options => options with { Limits = new ResourceLimits { Autonat = limits ?? new AutonatLimits() } });
        _ = new Libp2p.Autonat(host, (autonat ?? Here) with { Asks = false });
        return host;
    }

    private async Task<AutonatMessage.Response> AskAsync(Libp2pHost asker, Libp2pHost server, AutonatMessage request)
    {
        await using Libp2pStream stream = await asker.OpenStreamAsync(server.PeerId, Libp2p.Autonat.Id, Late);
        await LengthPrefix.WriteAsync(stream.Output, request.ToArray(), Late);
        byte[]? bytes = await LengthPrefix.ReadAsync(stream.Input, AutonatMessage.MaximumLength, Late);
        AutonatMessage.TryRead(bytes, out AutonatMessage? answer).Should().BeTrue();
        return (AutonatMessage.Response)answer!;
    }
}
