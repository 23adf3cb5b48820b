using System.Net;
using System.Net.NetworkInformation;

namespace Tapestry.Libp2p;

/// <summary>Turns addresses that are listened on into ones to be reached at: "all of this machine's" becomes each of them.</summary>
internal static class InterfaceAddresses
{
    /// <summary>What can be announced for listen addresses; loopback only where nothing else is left.</summary>
    internal static IReadOnlyList<Multiaddr> Expand(IReadOnlyList<Multiaddr> listening) => Expand(listening, OfThisMachine);

    /// <summary>As above, with the addresses of the machine given.</summary>
    internal static IReadOnlyList<Multiaddr> Expand(IReadOnlyList<Multiaddr> listening, Func<IEnumerable<IPAddress>> ofMachine)
    {
        List<Multiaddr> reached = [];
        foreach (Multiaddr address in listening)
        {
            if (!address.TryGetTcp(out MultiaddrPart host, out ushort port)
                || !IPAddress.TryParse(host.Value, out IPAddress? ip)
                || !(ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)))
            {
                reached.Add(address.WithoutPeer());
                continue;
            }

            List<IPAddress> own = [.. ofMachine().Where(own => own.AddressFamily == ip.AddressFamily && !own.IsIPv6LinkLocal && !own.IsIPv6Multicast)];
            List<IPAddress> outside = [.. own.Where(own => !IPAddress.IsLoopback(own))];
            reached.AddRange((outside.Count > 0 ? outside : own).Select(own => Multiaddr.From(new IPEndPoint(own, port))));
        }

        return [.. reached.Distinct()];
    }

    private static IEnumerable<IPAddress> OfThisMachine()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .Where(network => network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                    .SelectMany(network => network.GetIPProperties().UnicastAddresses)
                    .Select(unicast => unicast.Address),
            ];
        }
        catch (NetworkInformationException)
        {
            // A sandbox may hide the interfaces; what people and peers say of us is left.
            return [];
        }
    }
}
