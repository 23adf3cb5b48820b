using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Plans;

/// <summary>What all members must agree on for a run. Canonical bytes, named by their digest; changed only through the ledger.</summary>
/// <remarks>specs/30-rounds.md, section 1. Ranges are checked by <c>PlanRules</c>.</remarks>
public sealed partial record Plan
{
    /// <summary>A name for people, 1 to 64 characters.</summary>
    public required string Name { get; init; }

    /// <summary>The model's shape.</summary>
    public required ModelShape Model { get; init; }

    /// <summary>Total parameters of the model, P; the trainer refuses a plan whose shape gives another count.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Seed of the generated initial base B_0.</summary>
    public required long InitialSeed { get; init; }

    /// <summary>How members train between rounds.</summary>
    public required InnerTraining Inner { get; init; }

    /// <summary>How the averaged update moves the base.</summary>
    public required OuterStep Outer { get; init; }

    /// <summary>How updates and aggregates travel and how the vector is cut.</summary>
    public required Exchange Exchange { get; init; }

    /// <summary>Who counts how much.</summary>
    public required InfluenceRule Influence { get; init; }

    /// <summary>Deadlines and timers.</summary>
    public required Timing Timing { get; init; }

    /// <summary>How many rounds the run has; the daemon keeps serving afterwards.</summary>
    public required long Rounds { get; init; }
}

/// <summary>Shape of a Llama-family decoder.</summary>
/// <param name="Vocabulary">Rows of the embedding; 260 for bytes with specials.</param>
/// <param name="Width">Hidden size d.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Heads">Query heads; divides the width.</param>
/// <param name="KeyValueHeads">Key and value heads; divides the heads.</param>
/// <param name="FeedForward">Inner width of SwiGLU.</param>
/// <param name="ContextTokens">Longest sequence, T.</param>
/// <param name="RopeTheta">Base of the rotary frequencies.</param>
/// <param name="NormEpsilon">Epsilon of RMSNorm.</param>
/// <param name="TiedEmbeddings">Whether the output projection is the embedding.</param>
/// <param name="Tokenizer">"bytes", or the digest of a tokenizer file.</param>
public sealed record ModelShape(
    int Vocabulary, int Width, int Layers, int Heads, int KeyValueHeads, int FeedForward, int ContextTokens,
    double RopeTheta, double NormEpsilon, bool TiedEmbeddings, string Tokenizer);

/// <summary>Inner AdamW: what a member does between two rounds.</summary>
/// <param name="Steps">Optimiser steps a round, H.</param>
/// <param name="BatchSequences">Sequences of the context length a step, B.</param>
/// <param name="LearningRate">Peak learning rate.</param>
/// <param name="Beta1">First moment decay.</param>
/// <param name="Beta2">Second moment decay.</param>
/// <param name="Epsilon">Denominator guard.</param>
/// <param name="WeightDecay">Decoupled weight decay.</param>
/// <param name="ClipNorm">Global gradient norm limit; 0 for none.</param>
/// <param name="WarmupSteps">Linear warm-up, counted over the whole run.</param>
/// <param name="Schedule">"constant", "cosine" or "wsd".</param>
/// <param name="FinalRate">Learning rate at the end, as a fraction of the peak.</param>
public sealed record InnerTraining(
    int Steps, int BatchSequences, double LearningRate, double Beta1, double Beta2, double Epsilon,
    double WeightDecay, double ClipNorm, int WarmupSteps, string Schedule, double FinalRate);

/// <summary>Outer Nesterov: m = momentum * m + g; base -= rate * (g + momentum * m).</summary>
/// <remarks>DiLoCo, arXiv:2311.08105.</remarks>
public sealed record OuterStep(double LearningRate, double Momentum);

/// <summary>Codecs and cutting.</summary>
/// <param name="Up">Codec of updates.</param>
/// <param name="Down">Codec of aggregates.</param>
/// <param name="ChunkBytes">Bytes of a chunk of the base and of shards: 64 KiB to 1 MiB, a power of two.</param>
/// <param name="Slices">1 to 256; at most the number of base chunks.</param>
public sealed record Exchange(Codec Up, Codec Down, int ChunkBytes, int Slices);

/// <summary>Influence of one member on one round.</summary>
/// <param name="NormMultiple">c: a norm above c times the lower median is scaled down to it.</param>
/// <param name="Cap">Largest share of the total weight, in (0, 1].</param>
/// <param name="MaximumTokens">Tokens above this count as this.</param>
/// <param name="MinimumMembers">A set needs as many, or the round is VOID.</param>
public sealed record InfluenceRule(double NormMultiple, double Cap, long MaximumTokens, int MinimumMembers);

/// <summary>Deadlines and timers, all in milliseconds.</summary>
/// <param name="ContributeMs">From the round's start to a member's own close deadline.</param>
/// <param name="CloseMarginMs">How long before the deadline a contributor must be done.</param>
/// <param name="AggregateMs">From the set's decision to a member's own aggregation deadline.</param>
/// <param name="ViewMs">The first view timer.</param>
/// <param name="ViewMaximumMs">The bound to which view timers double.</param>
/// <param name="ResendMs">How often a waiting member asks again.</param>
/// <param name="SkewMs">Largest accepted distance of certified time from the voter's clock.</param>
/// <param name="TakeoverMs">How long until the next owner of a slice steps in.</param>
/// <param name="KeepRounds">Rounds whose blobs are kept, K.</param>
public sealed record Timing(
    int ContributeMs, int CloseMarginMs, int AggregateMs, int ViewMs, int ViewMaximumMs, int ResendMs, int SkewMs,
    int TakeoverMs, int KeepRounds);
