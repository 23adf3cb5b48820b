using System.Text.Json;
using FluentAssertions;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Libp2p.Tests.Interop;

/// <summary>Relays and reachability between ours and js-libp2p, each in every part.</summary>
public sealed class JsRelayTests : IAsyncLifetime
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    private readonly List<Libp2pHost> _hosts = [];
    private byte _next = 1;
    private ForeignPeer _js = null!;

    private CancellationToken Late { get; } = Hosts.Patience;

    private Multiaddr JsAddress => Multiaddr.Parse(_js.Address);

    public async Task InitializeAsync() => _js = await ForeignPeer.StartAsync(["--with", "relay,autonat"], Late);

    public async Task DisposeAsync()
    {
        foreach (Libp2pHost host in _hosts)
        {
            await host.DisposeAsync();
        }

        await _js.DisposeAsync();
    }

    [Fact]
    public async Task Js_dials_us_through_our_relay()
    {
        Libp2pHost relay = Relay(members: true);
        Libp2pHost hidden = Hidden();
        new TestProtocols().AnswerOn(hidden);
        RelayReservation reservation = await ReserveAsync(hidden, relay.ListenAddresses[0]);

        await _js.AskAsync("dial", new { address = reservation.Addresses[0].ToString() }, Late);

        string us = hidden.PeerId.ToString();
        (await EchoAsync(us, 4 * MiB)).Should().Be(4 * MiB);
        PeerConnection atUs = hidden.FindConnection(JsAddress.Peer!)!;
        atUs.IsRelayed.Should().BeTrue();
        atUs.Limit.Should().BeNull();
        (await LimitsAsync(us)).GetProperty("limits")[0].ValueKind.Should().Be(JsonValueKind.Null);
    }

    [Fact]
    public async Task Js_sees_our_relays_limits()
    {
        Libp2pHost relay = Relay();
        Libp2pHost hidden = Hidden();
        RelayReservation reservation = await ReserveAsync(hidden, relay.ListenAddresses[0]);

        await _js.AskAsync("dial", new { address = reservation.Addresses[0].ToString() }, Late);
        await _js.AskAsync("ping", new { peer = hidden.PeerId.ToString() }, Late);

        JsonElement limit = (await LimitsAsync(hidden.PeerId.ToString())).GetProperty("limits")[0];
        limit.GetProperty("bytes").GetInt32().Should().BeInRange(100 * KiB, 128 * KiB, "js counts what has passed already");
        limit.GetProperty("seconds").GetInt32().Should().BeInRange(110, 120);
    }

    [Fact]
    public async Task Js_is_the_relay_for_two_of_ours()
    {
        Libp2pHost hidden = Hidden();
        new TestProtocols().AnswerOn(hidden);
        RelayReservation reservation = await ReserveAsync(hidden, JsAddress);

        PeerConnection connection = await Hidden().DialAsync(reservation.Addresses[0], Late);

        reservation.Voucher!.Relay.ToString().Should().Be(_js.PeerId);
        reservation.Limit.Should().Be(new ConnectionLimit(TimeSpan.FromSeconds(120_000), 128 * KiB), "js writes milliseconds where the specification has seconds");
        connection.Remote.Should().Be(hidden.PeerId);
        connection.Limit.Should().Be(reservation.Limit);
        (await TestProtocols.UploadAsync(connection, 32 * KiB, Late)).Should().Be(32 * KiB);
        JsonElement reservations = await _js.AskAsync("reservations", new { }, Late);
        reservations.GetProperty("peers").EnumerateArray().Select(peer => peer.GetString()).Should().Equal(hidden.PeerId.ToString());
    }

    [Fact]
    public async Task Js_cuts_us_at_its_limit()
    {
        Libp2pHost hidden = Hidden();
        new TestProtocols().AnswerOn(hidden);
        RelayReservation reservation = await ReserveAsync(hidden, JsAddress);
        PeerConnection connection = await Hidden().DialAsync(reservation.Addresses[0], Late);

        Func<Task> upload = () => TestProtocols.UploadAsync(connection, MiB, Late);

        await upload.Should().ThrowAsync<Libp2pException>();
        (await connection.Completion.WaitAsync(Late)).Should().Be(Libp2pFault.ConnectionLost);
    }

    [Fact]
    public async Task We_dial_js_through_our_relay()
    {
        Libp2pHost relay = Relay(members: true);
        await using ForeignPeer hidden = await ForeignPeer.StartAsync([], Late);
        JsonElement reserved = await hidden.AskAsync("reserve", new { relay = relay.ListenAddresses[0].ToString() }, Late);
        Multiaddr address = Multiaddr.Parse(reserved.GetProperty("addresses")[0].GetString()!);
        address.Should().Be(relay.ListenAddresses[0].ThroughCircuit().WithPeer(PeerId.Parse(hidden.PeerId)));

        PeerConnection connection = await Hidden().DialAsync(address, Late);

        connection.IsRelayed.Should().BeTrue();
        connection.Remote.ToString().Should().Be(hidden.PeerId);
        (await TestProtocols.UploadAsync(connection, 4 * MiB, Late)).Should().Be(4 * MiB);
        (await TestProtocols.DownloadAsync(connection, 4 * MiB, Late)).Should().Be(4 * MiB);
    }

    [Fact]
    public async Task Js_without_a_reservation_is_not_reached()
    {
        Libp2pHost relay = Relay();
        await _js.AskAsync("dial", new { address = relay.ListenAddresses[0].ToString() }, Late);

        Func<Task> dial = () => Hidden().DialAsync(relay.ListenAddresses[0].ThroughCircuit().WithPeer(JsAddress.Peer!), Late);

        (await dial.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.RelayNoReservation);
    }

    [Fact]
    public async Task Js_dials_nobody_back_on_loopback()
    {
        Libp2pHost asker = Start();
        await using Libp2p.Autonat autonat = new(asker, new AutonatOptions { Asks = false });
        await asker.DialAsync(JsAddress, Late);

        (await autonat.AskAsync(JsAddress.Peer!, Late)).Status.Should().Be(AutonatStatus.DialRefused, "js has no setting for it");
    }

    private Libp2pHost Start(Func<Libp2pHostOptions, Libp2pHostOptions>? change = null)
    {
        Libp2pHost host = Hosts.Start(_next++, change);
        _hosts.Add(host);
        return host;
    }

    private Libp2pHost Hidden() => Start(options => options with { ListenAddresses = [] });

    private Libp2pHost Relay(bool members = false)
    {
        Libp2pHost relay = Start();
        _ = new CircuitRelay(relay, new CircuitRelayOptions { Serves = true, IsUnlimited = _ => members });
        return relay;
    }

    private Task<RelayReservation> ReserveAsync(Libp2pHost host, Multiaddr relay) =>
        new CircuitRelay(host, new CircuitRelayOptions()).ReserveAsync(relay, Late);

    private async Task<int> EchoAsync(string peer, int bytes) =>
        (await _js.AskAsync("echo", new { peer, bytes }, Late)).GetProperty("bytes").GetInt32();

    private Task<JsonElement> LimitsAsync(string peer) => _js.AskAsync("limits", new { peer }, Late);
}
