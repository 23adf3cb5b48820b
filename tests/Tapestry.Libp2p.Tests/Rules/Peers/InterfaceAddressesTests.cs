using System.Net;
using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Peers;

public sealed class InterfaceAddressesTests
{
    private static readonly IPAddress[] Machine =
        [.. new[] { "127.0.0.1", "192.0.2.7", "10.0.0.2", "::1", "fe80::1%2", "2001:db8::7" }.Select(IPAddress.Parse)];

    [Theory]
    [InlineData("/ip4/0.0.0.0/tcp/4610", "/ip4/192.0.2.7/tcp/4610 /ip4/10.0.0.2/tcp/4610")]
    [InlineData("/ip6/::/tcp/4610", "/ip6/2001:db8::7/tcp/4610")]
    [InlineData("/ip4/127.0.0.1/tcp/4610", "/ip4/127.0.0.1/tcp/4610")]
    [InlineData("/ip4/198.51.100.1/tcp/4610", "/ip4/198.51.100.1/tcp/4610")]
    public void All_addresses_of_this_machine_become_each_of_them(string listening, string announced) =>
        Expand(Machine, listening).Should().Equal(announced.Split(' '));

    [Fact]
    public void Loopback_is_announced_where_there_is_nothing_else() =>
        Expand([IPAddress.Loopback], "/ip4/0.0.0.0/tcp/4610").Should().Equal("/ip4/127.0.0.1/tcp/4610");

    [Fact]
    public void Nothing_is_announced_twice() =>
        Expand(Machine, "/ip4/10.0.0.2/tcp/1", "/ip4/0.0.0.0/tcp/1").Should().Equal("/ip4/10.0.0.2/tcp/1", "/ip4/192.0.2.7/tcp/1");

    private static IEnumerable<string> Expand(IPAddress[] machine, params string[] listening) =>
        InterfaceAddresses.Expand([.. listening.Select(Multiaddr.Parse)], () => machine).Select(address => address.ToString());
}
