using FluentAssertions;
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
