namespace Tapestry.Libp2p;

/// <summary>What others may make us relay, and what a relay may make us hold.</summary>
/// <remarks>specs/50-network.md, "Relays". Durations and bytes of a connection are those of libp2p/specs and go-libp2p; peers that
/// <see cref="CircuitRelayOptions.IsUnlimited"/> names are exempt from these two, and from nothing else.</remarks>
public sealed record RelayLimits
{
    /// <summary>Peers that may hold a reservation here at once. Default 128: what go-libp2p allows, and half of our connections.</summary>
    public int Reservations { get; init; } = 128;

    /// <summary>Reservations of peers with one IP address. Default 8: an institution's daemons behind one firewall, and no crowd of made-up peers.</summary>
    public int ReservationsPerAddress { get; init; } = 8;

    /// <summary>How long a reservation lasts unless it is refreshed. Default 1 h: long beside a refresh, short beside an abandoned peer.</summary>
    public TimeSpan ReservationDuration { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Connections that we carry at once. Default 256: each holds two streams, and their windows, of other connections.</summary>
    public int Circuits { get; init; } = 256;

    /// <summary>Connections that we carry for one peer, from it and to it together. Default 16: what go-libp2p allows.</summary>
    public int CircuitsPerPeer { get; init; } = 16;

    /// <summary>How long we carry a connection. Default 2 min: enough to agree on a direct one.</summary>
    public TimeSpan CircuitDuration { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How many bytes we carry each way of a connection. Default 128 KiB: enough to agree on a direct one.</summary>
    public long CircuitBytes { get; init; } = 128 * 1024;

    /// <summary>Connections through relays that may be in their handshake with us. Default 16: relays are few, and each is bounded itself.</summary>
    public int PendingHandshakes { get; init; } = 16;

    /// <summary>Connections that others may make to us through one relay. Default 64: a quarter of all, so that a relay that invents peers cannot take them all.</summary>
    public int ConnectionsPerRelay { get; init; } = 64;

    /// <summary>Addresses of itself that a relay may tell us. Default 16: some interfaces, over both versions of IP.</summary>
    public int AddressesPerRelay { get; init; } = 16;
}
