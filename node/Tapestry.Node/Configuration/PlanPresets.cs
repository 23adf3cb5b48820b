using Tapestry.Node.Demo;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;

namespace Tapestry.Node.Configuration;

/// <summary>Plans to start from; <c>tapestry network plan</c> prints one as JSON to be edited.</summary>
internal static class PlanPresets
{
    /// <summary>The presets by name.</summary>
    public static IReadOnlyDictionary<string, Plan> ByName { get; } = new Dictionary<string, Plan>(StringComparer.Ordinal)
    {
        ["demo"] = Demo,
        ["tiny"] = Tiny,
        ["small"] = Small,
    };

    /// <summary>What the demo runs: 0.7M parameters, short rounds, plain averaging, four daemons on two cores.</summary>
    private static Plan Demo => Counted(new Plan
    {
        Name = "demo",
        Model = ShapeOf(DemoSettings.Model),
        ParameterCount = 0,
        InitialSeed = 1,
        Inner = InnerOf(DemoSettings.StepsPerRound, DemoSettings.BatchSequences, DemoSettings.AdamW, DemoSettings.Schedule),
        Outer = new OuterStep(DemoSettings.OuterLearningRate, DemoSettings.OuterMomentum),
        Exchange = new Exchange(Codec.MxInt8, Codec.MxInt8, 64 * 1024, 4),
        Influence = new InfluenceRule(3, 0.5, 1 << 20, 2),
        Timing = new Timing(
            ContributeMs: 30_000, CloseMarginMs: 2_000, AggregateMs: 10_000, ViewMs: 2_000, ViewMaximumMs: 16_000,
            ResendMs: 500, SkewMs: 500, TakeoverMs: 3_000, KeepRounds: 64),
        Rounds = DemoSettings.Rounds,
    });

    /// <summary>As small as every part allows: what tests run.</summary>
    private static Plan Tiny => Counted(Demo with
    {
        Name = "tiny",
        Model = new ModelShape(260, 32, 2, 2, 2, 64, 32, 10_000, 1e-5, true, "bytes"),
        Inner = Demo.Inner with { Steps = 2, BatchSequences = 2 },
        Exchange = new Exchange(Codec.MxInt8, Codec.MxInt8, 64 * 1024, 2),
        Timing = Demo.Timing with { ContributeMs = 8_000, CloseMarginMs = 1_000, ViewMs = 1_000, ViewMaximumMs = 8_000, ResendMs = 300 },
        Rounds = 3,
    });

    /// <summary>A first real run on four machines with a GPU or many cores each: 4.8M parameters, DiLoCo's defaults.</summary>
    private static Plan Small => Counted(Demo with
    {
        Name = "small",
        Model = new ModelShape(260, 256, 6, 8, 8, 688, 256, 10_000, 1e-5, true, "bytes"),
        Inner = new InnerTraining(100, 16, 1e-3, 0.9, 0.95, 1e-8, 0.1, 1, 200, "wsd", 0.1),
        Outer = new OuterStep(0.7, 0.6),
        Exchange = new Exchange(Codec.MxInt8, Codec.MxInt8, 256 * 1024, 15),
        Timing = new Timing(
            ContributeMs: 600_000, CloseMarginMs: 20_000, AggregateMs: 120_000, ViewMs: 6_000, ViewMaximumMs: 48_000,
            ResendMs: 2_000, SkewMs: 2_000, TakeoverMs: 10_000, KeepRounds: 32),
        Rounds = 100,
    });

    private static Plan Counted(Plan plan) => plan with { ParameterCount = PlanModel.Layout(plan).Count };

    private static ModelShape ShapeOf(ModelConfig model) => new(
        model.Vocabulary, model.Width, model.Layers, model.Heads, model.KeyValueHeads, model.FeedForward, model.ContextTokens,
        model.RopeTheta, model.NormEpsilon, model.TiedEmbeddings, "bytes");

    private static InnerTraining InnerOf(int steps, int batch, AdamWOptions adamW, LearningRateSchedule schedule) => new(
        steps, batch, adamW.LearningRate, adamW.Beta1, adamW.Beta2, adamW.Epsilon, adamW.WeightDecay, adamW.ClipNorm,
        checked((int)schedule.WarmupSteps), schedule.Kind.ToString().ToLowerInvariant(), schedule.FinalRate);
}
