namespace Tapestry.Node.Demo;

/// <summary>What <c>tapestry demo --json</c> reports.</summary>
/// <param name="Rounds">Rounds that every member ended, as each daemon says.</param>
/// <param name="Members">The four members.</param>
/// <param name="Loss">Held-out bits per byte of each language.</param>
/// <param name="Overall">The same over all languages.</param>
/// <param name="Bytes">What a round costs on the network.</param>
/// <param name="Ledger">What the fifth process found.</param>
/// <param name="Kill">What became of the member that was killed; null without <c>--kill</c>.</param>
/// <param name="Samples">A text from the shared base for each language.</param>
/// <param name="ElapsedMs">The whole demo.</param>
internal sealed record DemoReport(
    long Rounds,
    IReadOnlyList<DemoMember> Members,
    IReadOnlyList<DemoLoss> Loss,
    DemoOverall Overall,
    DemoBytes Bytes,
    DemoLedger Ledger,
    DemoKill? Kill,
    IReadOnlyList<DemoSample> Samples,
    long ElapsedMs);

/// <summary>One member at the end.</summary>
internal sealed record DemoMember(
    string Name, string PeerId, IReadOnlyList<string> Languages, string BaseDigest, long BytesSent, long BytesReceived);

/// <summary>Held-out bits per byte of one language.</summary>
/// <param name="Language">Its name.</param>
/// <param name="Owner">Who owns its text.</param>
/// <param name="Untrained">Of B_0.</param>
/// <param name="Base">Of the shared base.</param>
/// <param name="AloneOwner">Of its owner, trained alone for as many steps.</param>
/// <param name="AloneOthers">The mean of the other partners, trained alone.</param>
/// <param name="DerivativeOwner">Of its owner's derivative of the shared base.</param>
/// <param name="DerivativeOthers">The mean of the other partners' derivatives.</param>
internal sealed record DemoLoss(
    string Language, string Owner, double Untrained, double Base, double AloneOwner, double AloneOthers, double DerivativeOwner,
    double DerivativeOthers);

/// <summary>Held-out bits per byte over all languages.</summary>
/// <param name="Untrained">Of B_0.</param>
/// <param name="Base">Of the shared base.</param>
/// <param name="Alone">Of each partner alone.</param>
/// <param name="AloneOwn">Alone, on the partner's own languages; mean over partners.</param>
/// <param name="AloneOthers">Alone, on the others' languages; mean over partners.</param>
/// <param name="DerivativeOwn">Derivatives, on the partner's own languages.</param>
/// <param name="DerivativeOthers">Derivatives, on the others' languages.</param>
internal sealed record DemoOverall(
    double Untrained, double Base, IReadOnlyDictionary<string, double> Alone, double AloneOwn, double AloneOthers, double DerivativeOwn,
    double DerivativeOthers);

/// <summary>Bytes that all members together received, in all their lives; of a killed one, up to its last answer.</summary>
/// <param name="PerRound">In a round, measured.</param>
/// <param name="AsFp32">In a round, if updates and aggregates went the same ways as FP32.</param>
/// <param name="Ratio">How many times less.</param>
/// <param name="Bound">An update up, f + 1 times, and an aggregate down, for each that counted: see <see cref="DemoBound"/>.</param>
/// <param name="OverBound">How many times as much was moved; 0 where no round was certified.</param>
/// <param name="Least">The least that a round can have moved, by what the ledger tells.</param>
/// <param name="OverLeast">How many times as much was moved: 1 or more, but for what a killed daemon received after its last answer; 0 where no round was certified.</param>
internal sealed record DemoBytes(long PerRound, long AsFp32, double Ratio, long Bound, double OverBound, long Least, double OverLeast);

/// <summary>What a process without data or keys found in a copy of the ledger.</summary>
internal sealed record DemoLedger(long Entries, string Root, bool Verified);

/// <summary>What became of a member that was killed and started again.</summary>
/// <param name="Member">Who.</param>
/// <param name="Moment">"manifest" or "leader".</param>
/// <param name="Round">The round in which it was killed.</param>
/// <param name="OthersRounds">Rounds that the others ended while it was down.</param>
/// <param name="SameBase">Whether it holds the same base at the end.</param>
/// <param name="SlotsKept">Signatures made before the kill that were compared with those at the end.</param>
/// <param name="SlotsChanged">How many of them differ: signed twice.</param>
/// <param name="Evidence">Rows of evidence that anybody holds against anybody.</param>
/// <param name="RoundsKept">Rounds certified before the kill that it still has, byte for byte as the others.</param>
/// <param name="RoundsLost">Rounds certified before the kill that it lacks.</param>
internal sealed record DemoKill(
    string Member, string Moment, long Round, long OthersRounds, bool SameBase, int SlotsKept, int SlotsChanged, int Evidence,
    int RoundsKept, int RoundsLost)
{
    /// <summary>Whether the promise held.</summary>
    public bool Held => SameBase && SlotsChanged == 0 && Evidence == 0 && RoundsLost == 0;
}

/// <summary>A text that the shared base writes.</summary>
internal sealed record DemoSample(string Language, string Prompt, string Text);
