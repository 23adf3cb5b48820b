using System.Text.Json;
using FluentAssertions;
using Tapestry.Testing;

namespace Tapestry.Libp2p.Tests.Scenarios.Relay;

/// <summary>Peers that cannot reach each other, each in a process and network namespace of its own.</summary>
public sealed class BehindFirewallsTests : IDisposable
{
    private readonly NetworkStar _star = new(leaves: 2);

    private CancellationToken Late { get; } = Hosts.Patience;

    public void Dispose() => _star.Dispose();

    [NamespacesFact]
    public async Task Two_peers_that_cannot_reach_each_other_talk_through_a_third()
    {
        await using ForeignPeer relay = await OursAsync(_star.Hub, "--serve", "--listen", "/ip4/0.0.0.0/tcp/4001");
        // A firewall lets nobody in: they listen where only their own machine can dial.
        await using ForeignPeer alice = await OursAsync(_star.Leaf(0), "--listen", "/ip4/127.0.0.1/tcp/4001", "--relay", RelayFor(0, relay));
        await using ForeignPeer bob = await OursAsync(_star.Leaf(1), "--listen", "/ip4/127.0.0.1/tcp/4001", "--relay", RelayFor(1, relay));

        await alice.AskAsync("dial", new { address = RelayFor(0, relay) }, Late);
        await bob.AskAsync("dial", new { address = RelayFor(1, relay) }, Late);
        Multiaddr toAlice = await ReservationAsync(alice);
        await ReservationAsync(bob);

        Func<Task> direct = () => bob.AskAsync("dial", new { address = $"/ip4/{NetworkStar.AddressOf(0)}/tcp/4001/p2p/{alice.PeerId}", seconds = 1 }, Late);
        await direct.Should().ThrowAsync<InvalidOperationException>();
        string fromBob = $"{RelayFor(1, relay)}/p2p-circuit/p2p/{alice.PeerId}";
        JsonElement dialled = await bob.AskAsync("dial", new { address = fromBob }, Late);

        dialled.GetProperty("relayed").GetBoolean().Should().BeTrue();
        (await bob.AskAsync("echo", new { peer = alice.PeerId, bytes = 8 * 1024 * 1024 }, Late)).GetProperty("bytes").GetInt32().Should().Be(8 * 1024 * 1024);
        (await alice.AskAsync("echo", new { peer = bob.PeerId, bytes = 1024 }, Late)).GetProperty("bytes").GetInt32().Should().Be(1024);
        toAlice.TryGetRelay(out Multiaddr? through).Should().BeTrue();
        through!.Peer!.ToString().Should().Be(relay.PeerId);
    }

    [NamespacesFact]
    public async Task A_peer_that_others_reach_learns_so_and_reserves_nowhere()
    {
        await using ForeignPeer server = await OursAsync(_star.Hub, "--serve", "--listen", "/ip4/0.0.0.0/tcp/4001");
        await using ForeignPeer asker = await OursAsync(_star.Leaf(0), "--listen", "/ip4/0.0.0.0/tcp/4002", "--relay", RelayFor(0, server));

        await asker.AskAsync("dial", new { address = RelayFor(0, server) }, Late);
        JsonElement answer = await asker.AskAsync("ask", new { peer = server.PeerId }, Late);

        answer.GetProperty("status").GetString().Should().Be(nameof(AutonatStatus.Ok));
        answer.GetProperty("address").GetString().Should().Be($"/ip4/{NetworkStar.AddressOf(0)}/tcp/4002");
        JsonElement state = await asker.AskAsync("reachability", new { }, Late);
        state.GetProperty("reachability").GetString().Should().Be(nameof(Reachability.Public));
        state.GetProperty("reservations").GetArrayLength().Should().Be(0);
    }

    [NamespacesFact]
    public async Task Js_learns_from_us_that_it_is_reached()
    {
        await using ForeignPeer server = await OursAsync(_star.Hub, "--serve", "--listen", "/ip4/0.0.0.0/tcp/4001");
        await using ForeignPeer js = await JsAsync(_star.Leaf(0), $"/ip4/{NetworkStar.AddressOf(0)}/tcp/4002");

        await js.AskAsync("dial", new { address = RelayFor(0, server) }, Late);

        await UntilAsync(async () => (await js.AskAsync("verified", new { }, Late)).GetProperty("addresses").EnumerateArray()
            .Any(address => address.GetString()!.StartsWith($"/ip4/{NetworkStar.AddressOf(0)}/tcp/4002", StringComparison.Ordinal)));
    }

    [NamespacesFact]
    public async Task Js_hangs_up_on_who_asks_it_and_has_no_voice()
    {
        await using ForeignPeer js = await JsAsync(_star.Leaf(0), $"/ip4/{NetworkStar.AddressOf(0)}/tcp/4001");
        await using ForeignPeer asker = await OursAsync(_star.Hub, "--listen", $"/ip4/{NetworkStar.HubAddressFor(0)}/tcp/4002");

        await asker.AskAsync("dial", new { address = js.Address }, Late);
        Func<Task> ask = () => asker.AskAsync("ask", new { peer = js.PeerId }, Late);

        // js dials "back" by the connection that it has, finds another port there, and closes it.
        await ask.Should().ThrowAsync<InvalidOperationException>();
        (await asker.AskAsync("reachability", new { }, Late)).GetProperty("reachability").GetString().Should().Be(nameof(Reachability.Unknown));
    }

    private static string RelayFor(int leaf, ForeignPeer relay) => $"/ip4/{NetworkStar.HubAddressFor(leaf)}/tcp/4001/p2p/{relay.PeerId}";

    private static string Peer => Path.Combine(AppContext.BaseDirectory.Replace("Tapestry.Libp2p.Tests", "Tapestry.Libp2p.Peer", StringComparison.Ordinal), "Tapestry.Libp2p.Peer.dll");

    private Task<ForeignPeer> OursAsync(string ns, params string[] switches) =>
        ForeignPeer.StartAsync(NetworkStar.Program(ns, Environment.ProcessPath!, [Peer, .. switches]), Late);

    private Task<ForeignPeer> JsAsync(string ns, string listen) => ForeignPeer.StartInAsync(ns, ["--with", "autonat", "--listen", listen], Late);

    private async Task<Multiaddr> ReservationAsync(ForeignPeer peer)
    {
        JsonElement state = default;
        await UntilAsync(async () =>
        {
            state = await peer.AskAsync("reachability", new { }, Late);
            return state.GetProperty("reservations").GetArrayLength() > 0;
        });
        state.GetProperty("reachability").GetString().Should().Be(nameof(Reachability.Private));
        return Multiaddr.Parse(state.GetProperty("reservations")[0].GetString()!);
    }

    private async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(50, Late);
        }
    }
}
