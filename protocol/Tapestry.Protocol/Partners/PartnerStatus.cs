using Tapestry.Crypto;

namespace Tapestry.Protocol.Partners;

/// <summary>Where a partner stands, for people.</summary>
/// <param name="Round">The round that it works on.</param>
/// <param name="Phase">What it does in it.</param>
/// <param name="Base">The base that the round starts from.</param>
/// <param name="HoldsBase">Whether that base is held.</param>
/// <param name="Committee">The round's committee, ascending.</param>
/// <param name="Heard">Members heard from in this round, ascending.</param>
/// <param name="TreeSize">Ledger leaves.</param>
/// <param name="TreeRoot">Ledger root.</param>
/// <param name="SetView">The view of the set agreement; 0 before it starts.</param>
/// <param name="ResultView">The view of the result agreement; 0 before it starts.</param>
public sealed record PartnerStatus(
    long Round,
    Phase Phase,
    Digest Base,
    bool HoldsBase,
    Sequence<MemberId> Committee,
    Sequence<MemberId> Heard,
    long TreeSize,
    Digest TreeRoot,
    int SetView,
    int ResultView);

/// <summary>What a partner does in its round.</summary>
public enum Phase : byte
{
    /// <summary>Trains, signs its manifest, checks others' shards.</summary>
    Contribute = 1,

    /// <summary>The set agreement runs here.</summary>
    Close = 2,

    /// <summary>The set is decided; slices are aggregated and settled.</summary>
    Settle = 3,

    /// <summary>The result agreement runs here.</summary>
    Certify = 4,

    /// <summary>The result is decided; the new base is being made.</summary>
    Apply = 5,

    /// <summary>Behind the others: takes over recorded rounds, or fetches the base.</summary>
    CatchUp = 6,

    /// <summary>The plan's last round is over; keeps serving.</summary>
    Idle = 7,

    /// <summary>Cannot go on; the log says why.</summary>
    Halted = 8,
}

/// <summary>What to do with a message before its signature is checked.</summary>
public enum TriageDecision : byte
{
    /// <summary>Not for now: costs nothing more.</summary>
    Drop = 0,

    /// <summary>Check its signatures and hand it in.</summary>
    Verify = 1,
}
