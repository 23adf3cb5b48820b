using System.Net;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

public sealed class MultiaddrTests
{
    private const string Peer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

    [Theory]
    [InlineData("/ip4/127.0.0.1/tcp/4001", "047f000001060fa1")]
    [InlineData("/ip6/::1/tcp/80", "290000000000000000000000000000000106" + "0050")]
    [InlineData("/dns4/example.org/tcp/443", "360b6578616d706c652e6f72670601bb")]
    [InlineData("/dns/a/tcp/1", "350161060001")]
    [InlineData("/ip4/127.0.0.1/tcp/1/p2p-circuit", "047f000001060001" + "a202")]
    public void Text_and_bytes_say_the_same(string text, string hex)
    {
        Multiaddr address = Multiaddr.Parse(text);

        Convert.ToHexStringLower(address.ToArray()).Should().Be(hex);
        Multiaddr.TryRead(Convert.FromHexString(hex), out Multiaddr? read).Should().BeTrue();
        read.Should().Be(address);
        read!.ToString().Should().Be(text);
    }

    [Fact]
    public void The_last_part_names_the_peer()
    {
        Multiaddr address = Multiaddr.Parse($"/ip4/192.0.2.7/tcp/4001/ipfs/{Peer}");

        address.Peer.Should().Be(PeerId.Parse(Peer));
        address.ToString().Should().EndWith($"/p2p/{Peer}", "ipfs is the old name of p2p");
        address.WithoutPeer().ToString().Should().Be("/ip4/192.0.2.7/tcp/4001");
        address.WithoutPeer().WithPeer(address.Peer!).Should().Be(address);
        address.TryGetTcp(out MultiaddrPart host, out ushort port).Should().BeTrue();
        (host.Value, port).Should().Be(("192.0.2.7", (ushort)4001));
        Multiaddr.TryRead(address.ToArray(), out Multiaddr? read).Should().BeTrue();
        read.Should().Be(address);
    }

    [Fact]
    public void An_address_through_a_relay_names_the_relay_and_the_peer()
    {
        const string Target = "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN";
        Multiaddr address = Multiaddr.Parse($"/ip4/192.0.2.7/tcp/4001/p2p/{Peer}/p2p-circuit/p2p/{Target}");

        address.ToString().Should().EndWith($"/p2p/{Peer}/p2p-circuit/p2p/{Target}");
        Multiaddr.TryRead(address.ToArray(), out Multiaddr? read).Should().BeTrue();
        read.Should().Be(address);
        address.IsCircuit.Should().BeTrue();
        address.Peer.Should().Be(PeerId.Parse(Target), "the last part names the peer");
        address.TryGetRelay(out Multiaddr? relay).Should().BeTrue();
        relay.Should().Be(Multiaddr.Parse($"/ip4/192.0.2.7/tcp/4001/p2p/{Peer}"));
        relay!.ThroughCircuit().WithPeer(PeerId.Parse(Target)).Should().Be(address);
        address.WithoutPeer().Peer.Should().BeNull();
        address.WithoutPeer().TryGetRelay(out relay).Should().BeTrue();
        address.TryGetTcp(out _, out _).Should().BeFalse("that is where the relay listens");
        Multiaddr.Parse($"/p2p/{Peer}/p2p-circuit/p2p/{Target}").TryGetRelay(out relay).Should().BeTrue();
        relay!.Peer.Should().Be(PeerId.Parse(Peer));
    }

    [Theory]
    [InlineData("/ip4/192.0.2.7/tcp/4001/p2p/" + Peer)] // direct
    [InlineData("/p2p-circuit/p2p/" + Peer)] // no relay
    [InlineData("/ip4/192.0.2.7/tcp/4001/p2p-circuit/p2p/" + Peer)] // a relay without a name
    [InlineData("/ip4/192.0.2.7/tcp/4001/p2p/" + Peer + "/p2p-circuit/ip4/192.0.2.8/tcp/1/p2p/" + Peer)] // goes on
    [InlineData("/p2p/" + Peer + "/p2p-circuit/p2p/" + Peer + "/p2p-circuit/p2p/" + Peer)] // a relay through a relay
    public void Other_addresses_lead_through_no_relay(string text)
    {
        Multiaddr.Parse(text).TryGetRelay(out Multiaddr? relay).Should().BeFalse();
        relay.Should().BeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/p2p-circuit/")]
    [InlineData("/p2p-circuit/x")]
    [InlineData("/p2p/p2p-circuit")]
    [InlineData("/ip4")]
    [InlineData("/ip4/")]
    [InlineData("ip4/127.0.0.1")]
    [InlineData("/ip4/127.0.0.1/")]
    [InlineData("/ip4/1/tcp/1")]
    [InlineData("/ip4/0x7f.0.0.1/tcp/1")]
    [InlineData("/ip4/::1/tcp/1")]
    [InlineData("/ip6/127.0.0.1/tcp/1")]
    [InlineData("/ip6/fe80::1%eth0/tcp/1")]
    [InlineData("/ip4/127.0.0.1/tcp/65536")]
    [InlineData("/ip4/127.0.0.1/tcp/-1")]
    [InlineData("/ip4/127.0.0.1/tcp/ 1")]
    [InlineData("/ip4/127.0.0.1/udp/1/quic-v1")]
    [InlineData("/dns/exa mple.org/tcp/1")]
    [InlineData("/dns//tcp/1")]
    [InlineData("/ip4/127.0.0.1/tcp/1/p2p/12D3KooW")]
    [InlineData("/ip4/1.1.1.1/ip4/1.1.1.1/ip4/1.1.1.1/ip4/1.1.1.1/ip4/1.1.1.1/ip4/1.1.1.1/ip4/1.1.1.1/ip4/1.1.1.1/ip4/1.1.1.1")]
    public void Anything_else_is_not_an_address(string text)
    {
        Multiaddr.TryParse(text, out Multiaddr? address).Should().BeFalse();
        address.Should().BeNull();
        FluentActions.Invoking(() => Multiaddr.Parse(text)).Should().Throw<FormatException>();
    }

    [Theory]
    [InlineData("04")]
    [InlineData("047f0000")]
    [InlineData("060f")]
    [InlineData("8400" + "7f000001")] // the code of ip4, not in its shortest form
    [InlineData("35ff")]
    [InlineData("3505616263")]
    [InlineData("35012f")] // a name with a slash in it
    [InlineData("a503020102")]
    [InlineData("11" + "0001")]
    public void Bytes_that_are_not_an_address_are_refused(string hex) =>
        Multiaddr.TryRead(Convert.FromHexString(hex), out _).Should().BeFalse();

    [Fact]
    public void Reading_any_bytes_gives_nothing_or_an_address_with_just_these_bytes() =>
        Prop.ForAll<byte[]>(bytes => !Multiaddr.TryRead(bytes, out Multiaddr? address) || address.ToArray().SequenceEqual(bytes))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void An_endpoint_loses_its_scope_and_its_mapping()
    {
        Multiaddr.From(new IPEndPoint(IPAddress.Parse("::ffff:192.0.2.1"), 5)).ToString().Should().Be("/ip4/192.0.2.1/tcp/5");
        Multiaddr.From(new IPEndPoint(IPAddress.Parse("fe80::1%3"), 5)).ToString().Should().Be("/ip6/fe80::1/tcp/5");
    }
}
