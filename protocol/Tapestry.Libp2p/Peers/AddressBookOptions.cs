namespace Tapestry.Libp2p;

/// <summary>Whose addresses an <see cref="AddressBook"/> keeps, how long, and how patiently they are dialled.</summary>
public sealed record AddressBookOptions
{
    /// <summary>Of whom records are kept. Default: anyone, within <see cref="ResourceLimits.KnownPeers"/>.</summary>
    public Predicate<PeerId> Believes { get; init; } = static _ => true;

    /// <summary>How long a record that nobody repeats is kept. Default 30 days: longer than a site stays down for a holiday, shorter than addresses last.</summary>
    public TimeSpan RecordLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long an address is left alone after its first failure; it doubles with each further one. Default 1 s.</summary>
    public TimeSpan FirstRest { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest that an address is left alone, and at once so long where somebody else answered. Default 5 min.</summary>
    public TimeSpan LongestRest { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>After which the next address of a peer is dialled while the last has not answered. Default 250 ms, as RFC 8305 recommends.</summary>
    public TimeSpan Stagger { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Seed of the random half of every rest, which keeps peers that were cut off together from coming back together. Default: another one each time.</summary>
    public int? Seed { get; init; }

    /// <summary>Where records survive a restart. Default: nowhere.</summary>
    public IPeerRecordStore? Store { get; init; }
}
