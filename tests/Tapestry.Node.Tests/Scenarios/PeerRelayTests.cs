using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary><c>tapestry peer relay</c>, as a relay and behind one, with js-libp2p at the other end.</summary>
public sealed class PeerRelayTests
{
    private readonly CancellationToken _late = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Fact]
    public async Task A_relay_of_ours_carries_a_ping_to_js()
    {
        PeerVerb relay = PeerVerb.Start(ExitCode.Ok, "peer", "relay");
        string address = await relay.HearAsync("listening", _late);
        await using ForeignPeer js = await ForeignPeer.StartAsync(_late);
        JsonElement reserved = await js.AskAsync("reserve", new { relay = address }, _late);
        string through = reserved.GetProperty("addresses")[0].GetString()!;

        JsonElement pinged = await PeerVerb.RunAsync(ExitCode.Ok, "peer", "ping", through, "--count", "2");

        pinged.GetProperty("peerId").GetString().Should().Be(js.PeerId);
        (await relay.HearAsync("carried", _late)).Should().Contain($"to {js.PeerId}");
        JsonElement served = await relay.StopAsync();
        served.GetProperty("reserved").EnumerateArray().Select(peer => peer.GetString()).Should().Equal(js.PeerId);
        served.GetProperty("circuits").GetInt32().Should().Be(1);
    }

    [Fact]
    public async Task Behind_a_relay_of_js_we_are_reached_and_say_how()
    {
        await using ForeignPeer js = await ForeignPeer.StartAsync(["--with", "relay"], _late);
        PeerVerb hidden = PeerVerb.Start(ExitCode.Ok, "peer", "relay", js.Address);
        string through = await hidden.HearAsync("reached at", _late);

        await PeerVerb.RunAsync(ExitCode.Ok, "peer", "ping", through, "--count", "1");

        JsonElement reachable = await hidden.StopAsync();
        reachable.GetProperty("connections").GetInt32().Should().Be(1);
        JsonElement reservation = reachable.GetProperty("reservations")[0];
        reservation.GetProperty("relay").GetString().Should().Be(js.PeerId);
        reservation.GetProperty("hasVoucher").GetBoolean().Should().BeTrue();
        reservation.GetProperty("limitBytes").GetInt64().Should().BePositive();
    }

    [Fact]
    public async Task A_peer_that_is_no_relay_is_an_error_with_a_hint()
    {
        await using Libp2pHost plain = new(
            new Libp2pIdentity(SigningKey.FromSeed([.. Enumerable.Repeat((byte)9, SigningKey.SeedLength)])),
            new Libp2pHostOptions { ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
        plain.Start();
        JsonElement error = await PeerVerb.RunAsync(ExitCode.Unreachable, "peer", "relay", plain.ListenAddresses[0].ToString());
        error.GetProperty("code").GetString().Should().Be("protocol-not-supported");
        error.GetProperty("hint").GetString().Should().NotBeEmpty();
    }
}
