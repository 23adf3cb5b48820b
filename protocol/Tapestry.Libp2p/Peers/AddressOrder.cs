using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>Which addresses are worth dialling, and which first.</summary>
internal static class AddressOrder
{
    private const int RankPublic = 0;
    private const int RankPrivate = 1;
    private const int RankLoopback = 2;
    private const int RankRelayed = 3;

    /// <summary>Smaller is dialled first: public and named, private, this machine's own, relayed.</summary>
    internal static int RankOf(Multiaddr address)
    {
        if (address.IsCircuit)
        {
            return RankRelayed;
        }

        return !IPAddress.TryParse(address.Parts[0].Value, out IPAddress? ip) ? RankPublic
            : IPAddress.IsLoopback(ip) ? RankLoopback
            : IsPrivate(ip) ? RankPrivate
            : RankPublic;
    }

    /// <summary>Whether an address can be one to dial at all, from another machine.</summary>
    internal static bool IsDialable(Multiaddr address)
    {
        if (address.IsCircuit)
        {
            return true;
        }

        if (!address.TryGetTcp(out MultiaddrPart host, out ushort port) || port == 0)
        {
            return false;
        }

        return !IPAddress.TryParse(host.Value, out IPAddress? ip)
            || !(ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any) || ip.Equals(IPAddress.Broadcast) || IsMulticast(ip) || ip.IsIPv6LinkLocal);
    }

    // RFC 1918, RFC 6598 (carriers' NAT), RFC 3927 (link-local), RFC 4193 (unique local).
    private static bool IsPrivate(IPAddress ip)
    {
        if (ip.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return ip.IsIPv6UniqueLocal || ip.IsIPv6LinkLocal;
        }

        byte[] bytes = ip.GetAddressBytes();
        return bytes[0] == 10
            || (bytes[0] == 172 && bytes[1] is >= 16 and < 32)
            || (bytes[0] == 192 && bytes[1] == 168)
            || (bytes[0] == 169 && bytes[1] == 254)
            || (bytes[0] == 100 && bytes[1] is >= 64 and < 128);
    }

    private static bool IsMulticast(IPAddress ip) =>
        ip.IsIPv6Multicast || (ip.AddressFamily == AddressFamily.InterNetwork && ip.GetAddressBytes()[0] >= 224);
}
