namespace Tapestry.Libp2p;

/// <summary>When a host holds reservations at the relays that it knows.</summary>
public enum RelayUse : byte
{
    /// <summary>Never by itself; <see cref="CircuitRelay.ReserveAsync"/> still works.</summary>
    Never = 0,

    /// <summary>While <see cref="Autonat"/> says that others cannot dial us.</summary>
    WhenPrivate,

    /// <summary>Always: who runs the host knows that others cannot dial it.</summary>
    Always,
}

/// <summary>What a <see cref="CircuitRelay"/> does for us and for others.</summary>
public sealed record CircuitRelayOptions
{
    /// <summary>The direct addresses of relays to reserve at, the preferred first; each ends in its peer. Default: none.</summary>
    public IReadOnlyList<Multiaddr> Relays { get; init; } = [];

    /// <summary>Whether to reserve, after <see cref="Relays"/>, at peers that we dialled and are connected to: whom we reach, others may. Default: no.</summary>
    public bool AsksConnectedPeers { get; init; }

    /// <summary>When to reserve at them. Default: while others cannot dial us.</summary>
    public RelayUse Use { get; init; } = RelayUse.WhenPrivate;

    /// <summary>What tells whether others can dial us; needed for <see cref="RelayUse.WhenPrivate"/>. Stays the caller's.</summary>
    public Autonat? Autonat { get; init; }

    /// <summary>At how many relays to hold a reservation at once. Default 2: one may fail.</summary>
    public int ReservationCount { get; init; } = 2;

    /// <summary>Whether to relay for others, within <see cref="ResourceLimits.Relay"/>. Default: no.</summary>
    public bool Serves { get; init; }

    /// <summary>Who may reserve here. Default: whoever the host admits.</summary>
    public Predicate<PeerId> MayReserve { get; init; } = static _ => true;

    /// <summary>Whether the first peer may be connected to the second through us. Default: any.</summary>
    public Func<PeerId, PeerId, bool> MayConnect { get; init; } = static (_, _) => true;

    /// <summary>Peers between which connections last as long and carry as much as they want. Default: none.</summary>
    public Predicate<PeerId> IsUnlimited { get; init; } = static _ => false;
}
