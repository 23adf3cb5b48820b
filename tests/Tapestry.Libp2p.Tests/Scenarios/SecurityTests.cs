using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>Two hosts that agree, or do not, on how to be secure.</summary>
public sealed class SecurityTests
{
    private static readonly SecurityProtocol[] NoiseOnly = [SecurityProtocol.Noise];
    private static readonly SecurityProtocol[] TlsOnly = [SecurityProtocol.Tls];

    [Theory]
    [InlineData("noise")]
    [InlineData("tls")]
    public async Task Every_way_carries_streams_and_agrees_on_the_muxer_in_its_handshake(string name)
    {
        SecurityProtocol.TryParse(name, out SecurityProtocol? protocol).Should().BeTrue();
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Security = [protocol!], AnswersPerf = true });
        await using Libp2pHost bob = Hosts.Start(2, options => options with { Security = [protocol!] });

        PeerConnection connection = await bob.ConnectAsync(alice);
        PerfMeasurement measured = await bob.MeasureAsync(alice.PeerId, 3_000_000, 5_000_000, Hosts.Patience);

        connection.SecurityProtocol.Should().Be(protocol!.Id);
        connection.Remote.Should().Be(alice.PeerId);
        connection.UsedEarlyMuxer.Should().BeTrue();
        alice.FindConnection(bob.PeerId)!.SecurityProtocol.Should().Be(protocol.Id);
        measured.Downloaded.Should().BePositive();
    }

    [Fact]
    public async Task The_dialler_prefers_and_the_listener_allows()
    {
        await using Libp2pHost both = Hosts.Start(1);
        await using Libp2pHost tlsFirst = Hosts.Start(2, options => options with { Security = [SecurityProtocol.Tls, SecurityProtocol.Noise] });
        await using Libp2pHost noise = Hosts.Start(3, options => options with { Security = NoiseOnly });
        await using Libp2pHost tls = Hosts.Start(4, options => options with { Security = TlsOnly });

        (await both.ConnectAsync(tlsFirst)).SecurityProtocol.Should().Be("/noise");
        (await tlsFirst.ConnectAsync(noise)).SecurityProtocol.Should().Be("/noise", "the listener refuses TLS, and Noise is next");
        (await both.ConnectAsync(tls)).SecurityProtocol.Should().Be("/tls/1.0.0");
        (await FluentActions.Awaiting(() => noise.ConnectAsync(tls)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.ProtocolNotSupported);
    }

    [Theory]
    [InlineData("noise")]
    [InlineData("tls")]
    public async Task Whoever_answers_with_another_identity_is_not_the_peer_that_was_dialled(string name)
    {
        SecurityProtocol.TryParse(name, out SecurityProtocol? protocol).Should().BeTrue();
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2, options => options with { Security = [protocol!] });
        Multiaddr wrong = alice.ListenAddresses[0].WithoutPeer().WithPeer(Hosts.Peer(9));

        (await FluentActions.Awaiting(() => bob.DialAsync(wrong, Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.WrongPeer);
    }
}
