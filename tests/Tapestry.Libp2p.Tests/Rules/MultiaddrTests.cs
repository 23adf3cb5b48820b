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

    [Theory]
    [InlineData("")]
    [InlineData("/")]
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
