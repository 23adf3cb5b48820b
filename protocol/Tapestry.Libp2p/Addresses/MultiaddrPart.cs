namespace Tapestry.Libp2p;

/// <summary>The protocols that a <see cref="Multiaddr"/> may name, by their code on the wire.</summary>
/// <remarks>multiformats/multiaddr, protocols.csv. Addresses with other protocols are not for us, and are not read.</remarks>
public enum MultiaddrProtocol : ushort
{
    /// <summary>An IPv4 address, 4 bytes.</summary>
    Ip4 = 4,

    /// <summary>A TCP port, 2 bytes, big-endian.</summary>
    Tcp = 6,

    /// <summary>An IPv6 address, 16 bytes.</summary>
    Ip6 = 41,

    /// <summary>A name that resolves to addresses of either version.</summary>
    Dns = 53,

    /// <summary>A name that resolves to IPv4 addresses.</summary>
    Dns4 = 54,

    /// <summary>A name that resolves to IPv6 addresses.</summary>
    Dns6 = 55,

    /// <summary>No place of its own: the peer before it passes bytes on to the peer after it. Has no value.</summary>
    P2pCircuit = 290,

    /// <summary>A peer id.</summary>
    P2p = 421,
}

/// <summary>One part of a <see cref="Multiaddr"/>.</summary>
/// <param name="Protocol">What the part is.</param>
/// <param name="Value">Its value as text, in the one canonical form; empty where the protocol has none.</param>
public readonly record struct MultiaddrPart(MultiaddrProtocol Protocol, string Value);
