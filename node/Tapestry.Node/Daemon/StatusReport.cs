namespace Tapestry.Node.Daemon;

/// <summary>Where a daemon stands, as <c>/status</c> and <c>tapestry status</c> show it.</summary>
/// <param name="Member">This member's id.</param>
/// <param name="Name">Its name in the genesis.</param>
/// <param name="Peer">Its libp2p identity.</param>
/// <param name="Addresses">Where it says that it is reached, with /p2p/.</param>
/// <param name="Network">Digest of the genesis.</param>
/// <param name="NetworkName">The network's name.</param>
/// <param name="Plan">Digest of the plan.</param>
/// <param name="Phase">What it is doing: starting, contribute, close, settle, certify, apply, catchUp, idle or halted.</param>
/// <param name="Round">Rounds that it has ended.</param>
/// <param name="Rounds">Rounds of the plan.</param>
/// <param name="Base">Digest of the base that it holds.</param>
/// <param name="LedgerEntries">Leaves of its ledger.</param>
/// <param name="LedgerRoot">Root of its ledger.</param>
/// <param name="Committee">Names of the members that aggregate and certify.</param>
/// <param name="Connected">Names of the members that it has a link to.</param>
/// <param name="Members">Where each other member is dialled first, and how that is known.</param>
/// <param name="SentBytes">Payload sent since it started.</param>
/// <param name="ReceivedBytes">Payload received since it started.</param>
/// <param name="ReceivedBlobBytes">How much of what was received were chunks of shards, aggregates and bases.</param>
/// <param name="LossBefore">Own held-out loss of the last base trained from, nats a token; null before training.</param>
/// <param name="LossAfter">The same after training.</param>
/// <param name="Contributed">The last round whose manifest it has sent in this life; 0 for none.</param>
/// <param name="Led">The last round in which it has sent a proposal in this life; 0 for none.</param>
/// <param name="Faults">Faults of others, counted as "name: fault".</param>
/// <param name="UptimeMs">Milliseconds since it started.</param>
internal sealed record StatusReport(
    string Member,
    string Name,
    string Peer,
    IReadOnlyList<string> Addresses,
    string Network,
    string NetworkName,
    string Plan,
    string Phase,
    long Round,
    long Rounds,
    string Base,
    long LedgerEntries,
    string LedgerRoot,
    IReadOnlyList<string> Committee,
    IReadOnlyList<string> Connected,
    IReadOnlyList<MemberReport> Members,
    long SentBytes,
    long ReceivedBytes,
    long ReceivedBlobBytes,
    double? LossBefore,
    double? LossAfter,
    long Contributed,
    long Led,
    IReadOnlyDictionary<string, long> Faults,
    long UptimeMs);

/// <summary>Another member, as far as finding it goes.</summary>
/// <param name="Name">Its name in the genesis.</param>
/// <param name="Address">The address that is dialled first; null when none is known.</param>
/// <param name="Source">How it is known: list (the peer list), signed (its own record, from whomever), told (by itself), unknown.</param>
internal sealed record MemberReport(string Name, string? Address, string Source);

/// <summary>One ended round, as <c>/rounds</c> lists it.</summary>
/// <param name="Round">Its number.</param>
/// <param name="IsVoid">Whether it ended without a result.</param>
/// <param name="Base">The base after it.</param>
/// <param name="Included">Names of the members that counted.</param>
/// <param name="Views">Views that its agreements took.</param>
/// <param name="LedgerEntries">Leaves after it.</param>
/// <param name="LedgerRoot">Root after it.</param>
/// <param name="ElapsedMs">From its start at this member.</param>
/// <param name="SentBytes">Payload sent since this member started.</param>
/// <param name="ReceivedBytes">Payload received since this member started.</param>
internal sealed record RoundReport(
    long Round,
    bool IsVoid,
    string Base,
    IReadOnlyList<string> Included,
    int Views,
    long LedgerEntries,
    string LedgerRoot,
    long ElapsedMs,
    long SentBytes,
    long ReceivedBytes);
