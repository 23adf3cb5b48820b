using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>What the rules want done: a closed choice, performed in order after the step's records are synced.</summary>
/// <remarks>Effects with an id end in exactly one <see cref="PartnerEvent.EffectEnded"/>, cancelled or not.</remarks>
public abstract record Effect
{
    private Effect()
    {
    }

    /// <summary>Sends a message to each of <paramref name="To"/>, one way; it may be lost. Never lists the member itself.</summary>
    public sealed record Send(Sequence<MemberId> To, PeerMessage Message) : Effect;

    /// <summary>Says something for the first time to everyone: a manifest, a proposal, a vote or a certificate. Travels by gossip; it may be lost.</summary>
    /// <param name="To">Who waits for it; the others may hear it too. Never lists the member itself.</param>
    /// <param name="Message">What is said. Never a receipt, a settlement or a question.</param>
    public sealed record Publish(Sequence<MemberId> To, PeerMessage Message) : Effect;

    /// <summary>Trains H inner steps from a base, encodes base - local + residual, stores the shards. Ends in Trained.</summary>
    /// <param name="Id">Names the effect.</param>
    /// <param name="Round">The round, for progress and the learning-rate schedule.</param>
    /// <param name="Base">The base to start from; held.</param>
    /// <param name="Residual">The residual to add; zero for none.</param>
    public sealed record Train(EffectId Id, long Round, Digest Base, Digest Residual) : Effect;

    /// <summary>Fetches, checks and measures all shards of a manifest. Ends in ShardsChecked.</summary>
    public sealed record CheckShards(EffectId Id, Statement.Manifest Manifest, Sequence<MemberId> Providers) : Effect;

    /// <summary>Aggregates slices of a decided set; missing shards are fetched from the providers. Ends in Aggregated.</summary>
    /// <param name="Id">Names the effect.</param>
    /// <param name="Base">The base to step from.</param>
    /// <param name="Contributions">What to average, ascending by member.</param>
    /// <param name="Slices">Which slices, ascending.</param>
    /// <param name="Providers">Who may hold the shards.</param>
    public sealed record Aggregate(
        EffectId Id, Digest Base, Sequence<Contribution> Contributions, Sequence<int> Slices, Sequence<MemberId> Providers) : Effect;

    /// <summary>Fetches the encoded aggregates, applies them to the old base, syncs the new one. Ends in BaseReady.</summary>
    /// <param name="Id">Names the effect.</param>
    /// <param name="Base">The old base; held.</param>
    /// <param name="Result">The certified result.</param>
    /// <param name="Providers">Who may hold the aggregates.</param>
    public sealed record ApplyAggregate(EffectId Id, Digest Base, DecidedValue.Result Result, Sequence<MemberId> Providers) : Effect;

    /// <summary>Fetches a whole base by digest (catch-up). Ends in BaseReady.</summary>
    public sealed record FetchBase(EffectId Id, Digest Base, Sequence<MemberId> Providers) : Effect;

    /// <summary>Fetches a body of at most 64 KiB by digest from the first provider whose answer is one. Ends in Fetched.</summary>
    /// <param name="Id">Names the effect.</param>
    /// <param name="Kind">What is fetched.</param>
    /// <param name="Body">Its digest.</param>
    /// <param name="Providers">Who may have it, in the order to ask.</param>
    public sealed record FetchBody(EffectId Id, BodyKind Kind, Digest Body, Sequence<MemberId> Providers) : Effect
    {
        /// <summary>Whether a provider's answer is what was asked for; if not, the next provider is asked.</summary>
        public bool IsAnsweredBy(ByteString answer) =>
            Kind == BodyKind.Value ? Digest.Of(answer.Span) == Body : Bodies.TryReadManifest(answer, Body, out _);
    }

    /// <summary>Fetches the record of a round (table Rounds). Ends in Fetched.</summary>
    public sealed record FetchRound(EffectId Id, long Round, Sequence<MemberId> Providers) : Effect;

    /// <summary>Stops an effect that has not ended; it ends in Failed(Cancelled).</summary>
    public sealed record Cancel(EffectId Id) : Effect;

    /// <summary>Sets a timer, replacing one of the same kind, round and agreement.</summary>
    public sealed record SetTimer(TimerId Timer, long AtMonotonicMs) : Effect;

    /// <summary>A peer did wrong; counted and logged.</summary>
    public sealed record Report(MemberId Member, MemberFault Fault) : Effect;

    /// <summary>A round ended, for people and metrics: nothing depends on it.</summary>
    public sealed record RoundEnded(RoundSummary Summary) : Effect;

    /// <summary>Blobs named only by rounds before a round may be deleted, except the base that the member stands on and what is kept.</summary>
    /// <param name="Round">The first round whose blobs stay.</param>
    /// <param name="Keep">Roots that an older round named and that are still needed: the residual, and an update that a VOID left over.</param>
    public sealed record Forget(long Round, Sequence<Digest> Keep) : Effect;

    /// <summary>Nothing further can be done; the process must stop, keep its data and say why.</summary>
    public sealed record Halt(string Reason) : Effect;
}

/// <summary>One included update as aggregation needs it.</summary>
public sealed record Contribution(
    MemberId Member, Digest Manifest, Codec Codec, Sequence<Digest> ShardRoots, double Scale, long Weight);

/// <summary>What a round came to.</summary>
/// <param name="Round">The number.</param>
/// <param name="IsVoid">Whether it was VOID.</param>
/// <param name="Base">The base after it.</param>
/// <param name="Included">Who counted.</param>
/// <param name="Views">Views used by the set and by the result agreement.</param>
/// <param name="TreeSize">Ledger leaves after it.</param>
/// <param name="TreeRoot">Ledger root after it.</param>
/// <param name="ElapsedMs">From the round's start at this member.</param>
public sealed record RoundSummary(
    long Round, bool IsVoid, Digest Base, Sequence<MemberId> Included, int Views, long TreeSize, Digest TreeRoot, long ElapsedMs);

/// <summary>What a member did wrong, as the rules saw it.</summary>
public enum MemberFault : byte
{
    /// <summary>Wrong network.</summary>
    WrongGenesis = 1,

    /// <summary>Wrong plan.</summary>
    WrongPlan = 2,

    /// <summary>Not a member, or not of the committee.</summary>
    Stranger = 3,

    /// <summary>A manifest for another base.</summary>
    WrongBase = 4,

    /// <summary>A manifest whose shape, sequence or numbers break the plan.</summary>
    BadManifest = 5,

    /// <summary>Shards that do not match the manifest or the codec.</summary>
    BadShards = 6,

    /// <summary>A receipt or settlement that breaks its rules.</summary>
    BadReceipt = 7,

    /// <summary>Two different signed values in one slot.</summary>
    Equivocation = 8,

    /// <summary>A body, certificate or round record that does not check out.</summary>
    BadBody = 9,

    /// <summary>Bytes that do not decode.</summary>
    Malformed = 10,

    /// <summary>A signature that does not hold.</summary>
    BadSignature = 11,

    /// <summary>More than its bound.</summary>
    TooLarge = 12,
}
