using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Relay;

/// <summary>Peers, and relays, that want more than they are given.</summary>
public sealed class RelayAbuseTests : IAsyncLifetime
{
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
    public async Task One_reservation_too_many_is_refused()
    {
        Libp2pHost relay = Relay(limits: new RelayLimits { Reservations = 1 });
        await ReserveAsync(Start(), relay);

        await FaultsAsync(() => ReserveAsync(Start(), relay), Libp2pFault.RelayReservationRefused);
    }

    [Fact]
    public async Task One_reservation_too_many_from_an_address_is_refused()
    {
        Libp2pHost relay = Relay(limits: new RelayLimits { ReservationsPerAddress = 2 });
        Libp2pHost first = Start();
        await ReserveAsync(first, relay);
        await ReserveAsync(first, relay);
        await ReserveAsync(Start(), relay);

        await FaultsAsync(() => ReserveAsync(Start(), relay), Libp2pFault.RelayReservationRefused);
    }

    [Fact]
    public async Task Who_may_not_reserve_is_told_so()
    {
        Libp2pHost relay = Relay(options => options with { MayReserve = _ => false });

        await FaultsAsync(() => ReserveAsync(Start(), relay), Libp2pFault.RelayPermissionDenied);
    }

    [Fact]
    public async Task A_peer_without_a_reservation_is_not_connected_to()
    {
        Libp2pHost relay = Relay();
        Libp2pHost connected = Start();
        await connected.ConnectAsync(relay);

        await FaultsAsync(() => Start().DialAsync(Through(relay, connected.PeerId), Late), Libp2pFault.RelayNoReservation);
        await FaultsAsync(() => Start().DialAsync(Through(relay, Hosts.Peer(99)), Late), Libp2pFault.RelayNoReservation);
    }

    [Fact]
    public async Task A_reservation_ends_with_its_connection()
    {
        Libp2pHost relay = Relay();
        Libp2pHost hidden = Start();
        CircuitRelay client = new(hidden, new CircuitRelayOptions());
        RelayReservation reservation = await client.ReserveAsync(relay.ListenAddresses[0], Late);
        TaskCompletionSource gone = new();
        TaskCompletionSource given = new();
        relay.ConnectionClosed += (_, _) => gone.TrySetResult();
        client.ReservationsChanged += () => given.TrySetResult();
        await hidden.FindConnection(relay.PeerId)!.CloseAsync();
        await gone.Task.WaitAsync(Late);
        await given.Task.WaitAsync(Late);

        // It comes back, and has to reserve anew.
        await hidden.ConnectAsync(relay);

        await FaultsAsync(() => Start().DialAsync(reservation.Addresses[0], Late), Libp2pFault.RelayNoReservation);
    }

    [Fact]
    public async Task A_peer_is_not_connected_to_itself()
    {
        Libp2pHost relay = Relay();
        Libp2pHost hidden = Start();
        await ReserveAsync(hidden, relay);

        HopMessage? answer = await AskAsync(hidden, relay, new HopMessage { Type = HopMessageType.Connect, Peer = hidden.PeerId }.ToArray());

        answer!.Status.Should().Be(RelayStatus.PermissionDenied);
    }

    [Fact]
    public async Task Who_may_not_connect_is_told_so()
    {
        Libp2pHost relay = Relay(options => options with { MayConnect = (_, _) => false });
        RelayReservation reservation = await ReserveAsync(Start(), relay);

        await FaultsAsync(() => Start().DialAsync(reservation.Addresses[0], Late), Libp2pFault.RelayPermissionDenied);
    }

    [Fact]
    public async Task More_connections_of_a_peer_than_the_limit_are_refused()
    {
        Libp2pHost relay = Relay(limits: new RelayLimits { CircuitsPerPeer = 1 });
        RelayReservation reservation = await ReserveAsync(Start(), relay);
        await Start().DialAsync(reservation.Addresses[0], Late);

        await FaultsAsync(() => Start().DialAsync(reservation.Addresses[0], Late), Libp2pFault.RelayLimitExceeded);
    }

    [Fact]
    public async Task A_refusal_is_told_where_it_was_the_peers_own_fault_and_not_where_others_were_in_the_way()
    {
        List<(PeerId, RelayStatus)> told = [];
        Libp2pHost relay = Start(options => options with { Limits = new ResourceLimits { Relay = new RelayLimits { Circuits = 0, Reservations = 1 } } });
        Libp2pHost asker = Start();
        Libp2pHost stranger = Start();
        CircuitRelay hop = new(relay, new CircuitRelayOptions { Serves = true, MayReserve = peer => peer != stranger.PeerId });
        hop.RequestRefused += (peer, status) => told.Add((peer, status));
        RelayReservation reservation = await ReserveAsync(Start(), relay);

        await FaultsAsync(() => asker.DialAsync(Through(relay, Hosts.Peer(99)), Late), Libp2pFault.RelayNoReservation);
        await FaultsAsync(() => asker.DialAsync(reservation.Addresses[0], Late), Libp2pFault.RelayLimitExceeded);
        await FaultsAsync(() => ReserveAsync(asker, relay), Libp2pFault.RelayReservationRefused);
        await FaultsAsync(() => ReserveAsync(stranger, relay), Libp2pFault.RelayPermissionDenied);

        told.Should().Equal((stranger.PeerId, RelayStatus.PermissionDenied));
    }

    [Fact]
    public async Task A_connection_that_is_open_for_too_long_is_cut()
    {
        ManualTime time = new();
        TaskCompletionSource<CircuitEnd> ended = new();
        Libp2pHost relay = Start(options => options with { Time = time });
        CircuitRelay hop = new(relay, new CircuitRelayOptions { Serves = true });
        hop.CircuitEnded += (_, _, end) => ended.SetResult(end);
        RelayReservation reservation = await ReserveAsync(Start(options => options with { Time = time }), relay);
        PeerConnection connection = await Start().DialAsync(reservation.Addresses[0], Late);

        time.Advance(relay.Options.Limits.Relay.CircuitDuration);

        (await ended.Task.WaitAsync(Late)).Should().Be(CircuitEnd.TimeLimit);
        (await connection.Completion.WaitAsync(Late)).Should().Be(Libp2pFault.ConnectionLost);
    }

    [Fact]
    public async Task Nothing_is_reserved_or_connected_over_a_relayed_connection()
    {
        Libp2pHost relay = Relay();
        Libp2pHost second = Relay();
        RelayReservation reservation = await ReserveAsync(second, relay);
        Libp2pHost dialer = Start();
        PeerConnection relayed = await dialer.DialAsync(reservation.Addresses[0], Late);
        relayed.IsRelayed.Should().BeTrue();

        foreach (HopMessage request in new[] { new HopMessage { Type = HopMessageType.Reserve }, new HopMessage { Type = HopMessageType.Connect, Peer = relay.PeerId } })
        {
            await using Libp2pStream stream = await relayed.OpenStreamAsync(CircuitRelay.HopId, Late);
            await LengthPrefix.WriteAsync(stream.Output, request.ToArray(), Late);
            HopMessage.TryRead((await LengthPrefix.ReadAsync(stream.Input, HopMessage.MaximumLength, Late))!, out HopMessage? answer).Should().BeTrue();
            answer!.Status.Should().Be(RelayStatus.PermissionDenied);
        }
    }

    [Fact]
    public async Task Addresses_through_two_relays_or_through_the_peer_itself_are_not_dialled()
    {
        Libp2pHost relay = Relay();
        Libp2pHost dialer = Start();
        Multiaddr twice = Multiaddr.Parse($"{relay.ListenAddresses[0]}/p2p-circuit/p2p/{Hosts.Peer(98)}/p2p-circuit/p2p/{Hosts.Peer(99)}");

        await FaultsAsync(() => dialer.DialAsync(twice, Late), Libp2pFault.Unreachable);
        await FaultsAsync(() => dialer.DialAsync(Through(relay, relay.PeerId), Late), Libp2pFault.Unreachable);
        await FaultsAsync(() => relay.DialAsync(Through(relay, Hosts.Peer(99)), Late), Libp2pFault.Unreachable);
    }

    [Theory]
    [InlineData("ff", RelayStatus.MalformedMessage)]
    [InlineData("0801", RelayStatus.MalformedMessage)] // connect, to nobody
    [InlineData("08022864", RelayStatus.UnexpectedMessage)] // a status is no request
    public async Task What_is_no_request_is_named(string hex, RelayStatus expected)
    {
        Libp2pHost relay = Relay();

        HopMessage? answer = await AskAsync(Start(), relay, Convert.FromHexString(hex));

        answer!.Status.Should().Be(expected);
    }

    [Fact]
    public async Task A_relay_where_we_have_no_reservation_brings_us_nobody()
    {
        Libp2pHost victim = Start();
        _ = new CircuitRelay(victim, new CircuitRelayOptions());
        Libp2pHost stranger = Start();

        (await StopAsync(stranger, victim, Hosts.Peer(99))).Should().Be(RelayStatus.PermissionDenied);
    }

    [Fact]
    public async Task Our_relay_brings_us_neither_ourselves_nor_itself()
    {
        Libp2pHost relay = Relay();
        Libp2pHost hidden = Start();
        await ReserveAsync(hidden, relay);

        (await StopAsync(relay, hidden, hidden.PeerId)).Should().Be(RelayStatus.PermissionDenied);
        (await StopAsync(relay, hidden, relay.PeerId)).Should().Be(RelayStatus.PermissionDenied);
    }

    [Fact]
    public async Task A_relay_that_announces_another_peer_than_comes_is_found_out()
    {
        Libp2pHost liar = Start();
        Libp2pHost hidden = Start();
        TaskCompletionSource<Libp2pException> refused = new();
        hidden.InboundRefused += (_, refusal) => refused.TrySetResult(refusal);
        AnswerReservations(liar, peer => RelayVoucher.Seal(liar.Identity, peer, Tomorrow()));
        await ReserveAsync(hidden, liar);

        // The relay dials through its own stream, under its own name, having announced somebody else.
        Libp2pStream stream = await liar.FindConnection(hidden.PeerId)!.OpenStreamAsync(CircuitRelay.StopId, Late);
        await LengthPrefix.WriteAsync(stream.Output, new StopMessage { Type = StopMessageType.Connect, Peer = Hosts.Peer(99) }.ToArray(), Late);
        await LengthPrefix.ReadAsync(stream.Input, StopMessage.MaximumLength, Late);
        _ = liar.UpgradeAsync(stream.AsStream(TimeProvider.System), hidden.ListenAddresses[0], isDialer: true, limit: null, Late);

        (await refused.Task.WaitAsync(Late)).Fault.Should().Be(Libp2pFault.WrongPeer);
    }

    [Fact]
    public async Task A_forged_voucher_is_refused()
    {
        Libp2pHost liar = Start();
        using Libp2pIdentity other = Hosts.Identity(77);
        AnswerReservations(liar, peer => RelayVoucher.Seal(other, peer, Tomorrow()));
        await FaultsAsync(() => ReserveAsync(Start(), liar), Libp2pFault.RelayVoucher);

        AnswerReservations(liar, _ => RelayVoucher.Seal(liar.Identity, Hosts.Peer(99), Tomorrow()));
        await FaultsAsync(() => ReserveAsync(Start(), liar), Libp2pFault.RelayVoucher);
    }

    [Fact]
    public async Task A_reservation_that_has_ended_already_is_refused()
    {
        Libp2pHost liar = Start();
        AnswerReservations(liar, peer => RelayVoucher.Seal(liar.Identity, peer, Tomorrow()), DateTimeOffset.UnixEpoch.AddDays(1));

        await FaultsAsync(() => ReserveAsync(Start(), liar), Libp2pFault.RelayVoucher);
    }

    [Fact]
    public async Task A_relay_that_does_not_answer_is_left_at_the_deadline()
    {
        ManualTime time = new();
        Libp2pHost silent = Start();
        TaskCompletionSource asked = new();
        silent.Handle(CircuitRelay.HopId, (_, _, ended) =>
        {
            asked.SetResult();
            return Task.Delay(Timeout.Infinite, ended);
        });
        Libp2pHost hidden = Start(options => options with { Time = time });
        Task<RelayReservation> reserving = ReserveAsync(hidden, silent);
        await asked.Task.WaitAsync(Late);

        time.Advance(hidden.Options.NegotiationDeadline);

        await FaultsAsync(() => reserving, Libp2pFault.DeadlinePassed);
    }

    [Fact]
    public async Task Relays_with_names_without_end_do_not_keep_us_from_announcing_what_they_give()
    {
        string name = string.Join('.', Enumerable.Repeat(new string('x', 60), 4));
        Multiaddr[] told = [.. Enumerable.Range(1, 15).Select(number => Multiaddr.Parse($"/dns4/{name}.{number}/tcp/1")), Multiaddr.Parse("/ip4/192.0.2.1/tcp/1")];
        Libp2pHost hidden = Start();
        CircuitRelay client = new(hidden, new CircuitRelayOptions());
        List<Multiaddr> given = [];
        for (int number = 0; number < 3; number++)
        {
            Libp2pHost liar = Start();
            AnswerReservations(liar, peer => RelayVoucher.Seal(liar.Identity, peer, Tomorrow()), addresses: told);
            RelayReservation reservation = await client.ReserveAsync(liar.ListenAddresses[0], Late);
            reservation.Addresses.Should().HaveCount(2, "of what a relay says of itself only IP addresses are taken");
            given.AddRange(reservation.Addresses.Select(address => address.WithoutPeer()));
        }

        hidden.AnnouncedAddresses.Should().Contain(given);
        hidden.AddressBook.RecordOf(hidden.PeerId)!.Record.Addresses.Should().Equal(hidden.AnnouncedAddresses);
    }

    [Fact]
    public async Task One_refresh_that_fails_does_not_cost_the_reservation()
    {
        ManualTime time = new();

        // The clock is moved on while an answer may be on its way, which must not make it late.
        Libp2pHost relay = Start(options => options with { Time = time, NegotiationDeadline = TimeSpan.FromDays(1) });
        Libp2pHost hidden = Start(options => options with { Time = time, NegotiationDeadline = TimeSpan.FromDays(1) });
        int asked = 0;
        StreamHandler answer = AnswerOf(peer => RelayVoucher.Seal(relay.Identity, peer, time.GetUtcNow().AddHours(1)), () => time.GetUtcNow().AddHours(1), []);
        relay.Handle(CircuitRelay.HopId, (stream, connection, ended) =>
            Interlocked.Increment(ref asked) == 2 ? throw new IOException("a moment of trouble") : answer(stream, connection, ended));
        CircuitRelay client = new(hidden, new CircuitRelayOptions());
        RelayReservation first = await client.ReserveAsync(relay.ListenAddresses[0], Late);
        List<int> held = [];
        client.ReservationsChanged += () => held.Add(client.Reservations.Count);

        while (held.Count == 0)
        {
            time.Advance(TimeSpan.FromSeconds(20));
            await hidden.PingAsync(relay.PeerId, Late);
        }

        held.Should().OnlyContain(count => count == 1);
        client.Reservations.Single().Expires.Should().BeAfter(first.Expires);
        asked.Should().Be(3);
    }

    [Fact]
    public async Task A_peer_that_does_not_take_the_connection_fails_it()
    {
        Libp2pHost relay = Relay();
        Libp2pHost hidden = Start();
        RelayReservation reservation = await ReserveAsync(hidden, relay);
        hidden.Handle(CircuitRelay.StopId, (stream, _, _) =>
        {
            stream.Reset();
            return Task.CompletedTask;
        });

        await FaultsAsync(() => Start().DialAsync(reservation.Addresses[0], Late), Libp2pFault.RelayConnectionFailed);
    }

    private static DateTimeOffset Tomorrow() => TimeProvider.System.GetUtcNow().AddDays(1);

    private static Multiaddr Through(Libp2pHost relay, PeerId target) => relay.ListenAddresses[0].ThroughCircuit().WithPeer(target);

    private static void AnswerReservations(
        Libp2pHost relay, Func<PeerId, SignedEnvelope> voucher, DateTimeOffset? expires = null, IReadOnlyList<Multiaddr>? addresses = null) =>
        relay.Handle(CircuitRelay.HopId, AnswerOf(voucher, () => expires ?? Tomorrow(), addresses ?? []));

    private static StreamHandler AnswerOf(
        Func<PeerId, SignedEnvelope> voucher, Func<DateTimeOffset> expires, IReadOnlyList<Multiaddr> addresses) =>
        async (stream, connection, ended) =>
        {
            await LengthPrefix.ReadAsync(stream.Input, HopMessage.MaximumLength, ended);
            HopMessage answer = new()
            {
                Type = HopMessageType.Status,
                Status = RelayStatus.Ok,
                Reservation = new ReservationMessage(expires(), addresses, voucher(connection.Remote).Encoded),
            };
            await LengthPrefix.WriteAsync(stream.Output, answer.ToArray(), ended);
            await stream.CompleteWriteAsync(ended);
            await StreamEnd.WaitAsync(stream.Input, ended);
        };

    private static async Task FaultsAsync(Func<Task> operation, Libp2pFault fault) =>
        (await operation.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(fault);

    private Libp2pHost Start(Func<Libp2pHostOptions, Libp2pHostOptions>? change = null)
    {
        Libp2pHost host = Hosts.Start(_next++, change);
        _hosts.Add(host);
        return host;
    }

    private Libp2pHost Relay(Func<CircuitRelayOptions, CircuitRelayOptions>? change = null, RelayLimits? limits = null)
    {
        Libp2pHost host = Start(options => options with { Limits = new ResourceLimits { Relay = limits ?? new RelayLimits() } });
        CircuitRelayOptions serving = new() { Serves = true };
        _ = new CircuitRelay(host, change is null ? serving : change(serving));
        return host;
    }

    private Task<RelayReservation> ReserveAsync(Libp2pHost peer, Libp2pHost relay) =>
        new CircuitRelay(peer, new CircuitRelayOptions()).ReserveAsync(relay.ListenAddresses[0], Late);

    private async Task<HopMessage?> AskAsync(Libp2pHost peer, Libp2pHost relay, byte[] request)
    {
        PeerConnection connection = await peer.ConnectAsync(relay);
        await using Libp2pStream stream = await connection.OpenStreamAsync(CircuitRelay.HopId, Late);
        await LengthPrefix.WriteAsync(stream.Output, request, Late);
        byte[]? bytes = await LengthPrefix.ReadAsync(stream.Input, HopMessage.MaximumLength, Late);
        return HopMessage.TryRead(bytes, out HopMessage? answer) ? answer : null;
    }

    private async Task<RelayStatus> StopAsync(Libp2pHost from, Libp2pHost to, PeerId announced)
    {
        PeerConnection connection = await from.ConnectAsync(to);
        await using Libp2pStream stream = await connection.OpenStreamAsync(CircuitRelay.StopId, Late);
        await LengthPrefix.WriteAsync(stream.Output, new StopMessage { Type = StopMessageType.Connect, Peer = announced }.ToArray(), Late);
        byte[]? bytes = await LengthPrefix.ReadAsync(stream.Input, StopMessage.MaximumLength, Late);
        StopMessage.TryRead(bytes, out StopMessage? answer).Should().BeTrue();
        return answer!.Status;
    }
}
