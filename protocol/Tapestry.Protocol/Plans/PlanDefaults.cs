using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Plans;

/// <summary>Plans to start from; a network's creator changes what it must.</summary>
public static class PlanDefaults
{
    /// <summary>A small model of 0.7 million parameters over bytes, with short rounds: a network on one machine or in one room.</summary>
    /// <remarks>Short rounds without outer momentum do best for a model and a text this small. FP32 goes down, MXINT8 goes up.</remarks>
    public static Plan Small { get; } = new()
    {
        Name = "small",
        Model = new ModelShape(
            Vocabulary: 260, Width: 128, Layers: 4, Heads: 4, KeyValueHeads: 2, FeedForward: 344, ContextTokens: 128,
            RopeTheta: 10_000, NormEpsilon: 1e-5, TiedEmbeddings: true, Tokenizer: "bytes"),
        ParameterCount = SmallParameters,
        InitialSeed = 1,
        Inner = new InnerTraining(
            Steps: 10, BatchSequences: 8, LearningRate: 2e-3, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8,
            WeightDecay: 0.1, ClipNorm: 1, WarmupSteps: 20, Schedule: "cosine", FinalRate: 0.1),
        Outer = new OuterStep(LearningRate: 1, Momentum: 0),
        Exchange = new Exchange(Codec.MxInt8, Codec.Fp32, PlanRules.MinimumChunkBytes, Slices: 8),
        Influence = new InfluenceRule(NormMultiple: 3, Cap: 0.4, MaximumTokens: 1L << 24, MinimumMembers: 2),
        Timing = new Timing(
            ContributeMs: 20_000, CloseMarginMs: 2_500, AggregateMs: 10_000, ViewMs: 2_000, ViewMaximumMs: 16_000,
            ResendMs: 500, SkewMs: 1_000, TakeoverMs: 2_000, KeepRounds: 8),
        Rounds = 24,
    };

    // Tied embedding 260 * 128; a block: norms 2 * 128, attention 128 * 128 * 2 + 128 * 64 * 2, SwiGLU 3 * 128 * 344; last norm 128.
    private const long SmallParameters = (260 * 128) + (4 * ((2 * 128) + (128 * 128 * 2) + (128 * 64 * 2) + (3 * 128 * 344))) + 128;
}
