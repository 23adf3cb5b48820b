using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>Whether an IP address means the same machine everywhere.</summary>
/// <remarks>IANA's special-purpose address registries (RFC 6890), of which those that a peer may really have are listed.</remarks>
internal static class PublicAddress
{
    private static readonly IPNetwork[] NotPublic =
    [
        IPNetwork.Parse("0.0.0.0/8"),
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("224.0.0.0/3"),
        IPNetwork.Parse("::/127"),
        IPNetwork.Parse("fc00::/7"),
        IPNetwork.Parse("fe80::/10"),
        IPNetwork.Parse("ff00::/8"),
    ];

    internal static bool Is(IPAddress address)
    {
        IPAddress ip = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return ip.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 && !NotPublic.Any(network => network.Contains(ip));
    }
}
