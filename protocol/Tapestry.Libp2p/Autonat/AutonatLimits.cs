namespace Tapestry.Libp2p;

/// <summary>What others may make us dial, to tell them whether they can be dialled.</summary>
/// <remarks>specs/50-network.md, "Reachability". Only the IP address that a request came from is ever dialled.</remarks>
public sealed record AutonatLimits
{
    /// <summary>Addresses of one request that are dialled. Default 16: what go-libp2p dials.</summary>
    public int AddressesPerRequest { get; init; } = 16;

    /// <summary>Requests a minute that are answered by dialling. Default 30: a large consortium at its start, over some minutes.</summary>
    public int DialsPerMinute { get; init; } = 30;

    /// <summary>Of these, how many for one peer. Default 3: one, and two more after its addresses changed.</summary>
    public int DialsPerMinutePerPeer { get; init; } = 3;

    /// <summary>For all the dials of one request. Default 15 s: a connection attempt, repeated three times by the kernel.</summary>
    public TimeSpan DialDeadline { get; init; } = TimeSpan.FromSeconds(15);
}
