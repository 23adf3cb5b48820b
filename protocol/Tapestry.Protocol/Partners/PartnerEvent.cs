using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>What happens to a partner: a closed choice, fed to <c>Partner.Step</c> one at a time.</summary>
public abstract record PartnerEvent
{
    private PartnerEvent()
    {
    }

    /// <summary>The host is ready; the first event after a start or restart.</summary>
    public sealed record Started : PartnerEvent;

    /// <summary>A message came over a link of <paramref name="From"/>, and every signature in it holds.</summary>
    public sealed record MessageReceived(MemberId From, PeerMessage Message) : PartnerEvent;

    /// <summary>A timer that was set ran out and was neither cancelled nor set again since.</summary>
    public sealed record TimerFired(TimerId Timer) : PartnerEvent;

    /// <summary>An effect that carries an id ended.</summary>
    public sealed record EffectEnded(EffectId Effect, EffectOutcome Outcome) : PartnerEvent;
}

/// <summary>Names an effect that ends; unique within one life of a partner.</summary>
public readonly record struct EffectId(long Number);

/// <summary>Names a timer by purpose, instance and generation: an old timer cannot be mistaken for a new one.</summary>
public readonly record struct TimerId(TimerKind Kind, long Round, AgreementKind Agreement, int Generation);

/// <summary>What a timer is for.</summary>
public enum TimerKind : byte
{
    /// <summary>The member's own deadline of the phase (contribute or aggregate).</summary>
    Deadline = 1,

    /// <summary>The view timer of an agreement.</summary>
    View = 2,

    /// <summary>Ask again: any message may be lost.</summary>
    Resend = 3,

    /// <summary>Try a failed fetch again.</summary>
    Retry = 4,
}

/// <summary>How an effect ended.</summary>
public abstract record EffectOutcome
{
    private EffectOutcome()
    {
    }

    /// <summary>Training ended and the shards and candidate residual are synced. Refused, and begun again, if a loss is not finite.</summary>
    public sealed record Trained(LocalUpdate Update) : EffectOutcome;

    /// <summary>All shards of a manifest are held and right; the sums per slice, in slice order.</summary>
    public sealed record ShardsChecked(Sequence<double> SumsOfSquares) : EffectOutcome;

    /// <summary>Slices were aggregated; the encoded aggregates are synced.</summary>
    public sealed record Aggregated(Sequence<SliceOutcome> Slices) : EffectOutcome;

    /// <summary>The new base is synced and its digest is as certified.</summary>
    public sealed record BaseReady(Digest Base) : EffectOutcome;

    /// <summary>A body or round record arrived. Of several providers' bodies the first that is one; the rules check all of it again.</summary>
    public sealed record Fetched(ByteString Bytes) : EffectOutcome;

    /// <summary>The effect did not succeed.</summary>
    /// <param name="Fault">Why.</param>
    /// <param name="Blamed">The peer whose fault it was, if it was one's.</param>
    public sealed record Failed(EffectFault Fault, MemberId? Blamed) : EffectOutcome;
}

/// <summary>Why an effect failed.</summary>
public enum EffectFault : byte
{
    /// <summary>No provider answered, or none has it.</summary>
    Unavailable = 1,

    /// <summary>A chunk does not match its root.</summary>
    WrongDigest = 2,

    /// <summary>A decoded value is not finite, or the codec's rules are broken.</summary>
    BadEncoding = 3,

    /// <summary>The computed base is not the certified one: this member has diverged.</summary>
    Diverged = 4,

    /// <summary>Cancelled at the rules' request.</summary>
    Cancelled = 5,

    /// <summary>The trainer failed; the log says why.</summary>
    Trainer = 6,
}

/// <summary>A member's own trained update, encoded and stored.</summary>
/// <param name="Base">The base that it starts from.</param>
/// <param name="ShardRoots">The shard root of each slice.</param>
/// <param name="CandidateResidual">Digest of what the encoding lost; becomes the residual if the update is included.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="LossBefore">Held-out loss of the base, nats a token.</param>
/// <param name="LossAfter">Held-out loss after training, nats a token.</param>
public sealed record LocalUpdate(
    Digest Base, Sequence<Digest> ShardRoots, Digest CandidateResidual, long Tokens, double LossBefore, double LossAfter);
