using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

public sealed class TwoHostsTests
{
    [Fact]
    public async Task Hosts_connect_identify_and_ping()
    {
        await using Libp2pHost alice = Hosts.Start(1, options => options with { AgentVersion = "alice/1" });
        await using Libp2pHost bob = Hosts.Start(2);

        PeerConnection connection = await bob.ConnectAsync(alice);
        connection.Remote.Should().Be(alice.PeerId);
        connection.IsDialer.Should().BeTrue();

        IdentifyMessage? identified = await connection.Identified;
        identified!.AgentVersion.Should().Be("alice/1");
        identified.PublicKey!.TryGetEd25519(out _).Should().BeTrue();
        PeerId.From(identified.PublicKey).Should().Be(alice.PeerId);
        identified.ListenAddresses.Should().Equal(alice.ListenAddresses[0].WithoutPeer());
        identified.Protocols.Should().Contain(["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"]);

        (await bob.PingAsync(alice.PeerId, Hosts.Patience)).Should().BePositive();
        (await alice.PingAsync(bob.PeerId, Hosts.Patience)).Should().BePositive();
    }

    [Fact]
    public async Task A_push_replaces_what_it_names_and_keeps_the_rest()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2, options => options with { AgentVersion = "bob/1" });
        TaskCompletionSource<PeerConnection> opened = new();
        alice.ConnectionOpened += opened.SetResult;
        await bob.ConnectAsync(alice);
        PeerConnection atAlice = await opened.Task;
        IdentifyMessage before = (await atAlice.Identified)!;

        await using Libp2pStream push = await bob.OpenStreamAsync(alice.PeerId, "/ipfs/id/push/1.0.0", Hosts.Patience);
        IdentifyMessage changed = new() { Protocols = ["/new/1"], ProtocolVersion = "" };
        await LengthPrefix.WriteAsync(push.Output, changed.ToArray(), Hosts.Patience);
        await push.CompleteWriteAsync(Hosts.Patience);
        (await push.Input.ReadAsync(Hosts.Patience)).IsCompleted.Should().BeTrue("the end of the other direction says that it was taken");

        IdentifyMessage after = (await atAlice.Identified)!;
        after.Protocols.Should().Equal("/new/1");
        after.AgentVersion.Should().Be("bob/1");
        after.ListenAddresses.Should().Equal(before.ListenAddresses);
    }

    [Fact]
    public async Task A_stream_knows_which_of_several_protocols_was_agreed_on_at_both_ends()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        TaskCompletionSource<string> atAlice = new();
        alice.Handle("/old", async (stream, _, ended) =>
        {
            atAlice.SetResult(stream.Protocol);
            await StreamEnd.WaitAsync(stream.Input, ended);
        });
        PeerConnection connection = await bob.ConnectAsync(alice);

        await using Libp2pStream stream = await connection.OpenStreamAsync(["/new", "/old"], Hosts.Patience);

        stream.Protocol.Should().Be("/old");
        (await atAlice.Task.WaitAsync(Hosts.Patience)).Should().Be("/old");
    }

    [Fact]
    public async Task Perf_is_answered_only_where_it_is_configured()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        await bob.ConnectAsync(alice);

        Func<Task> measure = () => bob.MeasureAsync(alice.PeerId, 1, 1, Hosts.Patience);

        (await measure.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.ProtocolNotSupported);
    }

    [Fact]
    public async Task Perf_moves_64_MiB_each_way()
    {
        const ulong Bytes = 64 * 1024 * 1024;
        await using Libp2pHost alice = Hosts.Start(1, options => options with { AnswersPerf = true });
        await using Libp2pHost bob = Hosts.Start(2);
        await bob.ConnectAsync(alice);

        PerfMeasurement measured = await bob.MeasureAsync(alice.PeerId, Bytes, Bytes, Hosts.Patience);

        measured.Downloaded.Should().BePositive();
    }
}
