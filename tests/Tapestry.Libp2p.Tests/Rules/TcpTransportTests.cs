using System.Net.Sockets;
using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

public sealed class TcpTransportTests
{
    [Theory]
    [InlineData(SocketError.AddressFamilyNotSupported)]
    [InlineData(SocketError.TooManyOpenSockets)]
    public async Task Where_the_kernel_gives_no_socket_the_address_is_unreachable(SocketError error)
    {
        Func<Task> dial = () => TcpTransport.DialAsync(
            Multiaddr.Parse("/ip6/2001:db8::1/tcp/4001"), _ => throw new SocketException((int)error), Hosts.Patience);

        (await dial.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.Unreachable);
    }
}
