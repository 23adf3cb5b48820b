using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Node.Demo;

/// <summary>What the demonstration trains and how.</summary>
/// <remarks>Chosen by experiment, and within three minutes on two cores: specs/experiments/demo-settings.md has the figures.</remarks>
public static class DemoSettings
{
    /// <summary>0.72 million parameters: a step takes about 0.1 s on one thread beside three others on two cores.</summary>
    public static ModelConfig Model { get; } = new()
    {
        Width = 128,
        Layers = 4,
        Heads = 4,
        KeyValueHeads = 2,
        FeedForward = 320,
        ContextTokens = 128,
    };

    /// <summary>Rounds. Each costs a second of training; fewer and longer ones let the partners' models drift apart.</summary>
    public const int Rounds = 24;

    /// <summary>Inner steps a round, H.</summary>
    public const int StepsPerRound = 10;

    /// <summary>Sequences a step, B.</summary>
    public const int BatchSequences = 8;

    /// <summary>Outer learning rate: plain averaging. A short run has no time to gain from less.</summary>
    public const double OuterLearningRate = 1;

    /// <summary>Outer momentum: none. With 0.7 and 0.6 the base ended at 2.59 bits per byte instead of 2.52.</summary>
    public const double OuterMomentum = 0;

    /// <summary>Local steps from the final base to a derivative: enough to match a partner alone on its own languages.</summary>
    public const int DerivativeSteps = 60;

    /// <summary>The inner optimiser. Rates of 1.5e-3 and 3e-3 both do well, the lower forgets less in a derivative; 6e-3 does not learn.</summary>
    public static AdamWOptions AdamW { get; } = new() { LearningRate = 2e-3 };

    /// <summary>The inner learning rate over the run: cooling down in the last fifth gives a better base than a constant rate.</summary>
    public static LearningRateSchedule Schedule { get; } = new()
    {
        Kind = ScheduleKind.Wsd,
        WarmupSteps = 20,
        TotalSteps = Rounds * StepsPerRound,
        FinalRate = 0.1,
    };

    /// <summary>The learning rate of a derivative: a short warm-up of fresh moments, then down to nothing, since no round follows.</summary>
    public static LearningRateSchedule DerivativeSchedule { get; } = new()
    {
        Kind = ScheduleKind.Cosine,
        WarmupSteps = 5,
        TotalSteps = DerivativeSteps,
        FinalRate = 0,
    };

    /// <summary>How the texts are split: five of thirty articles are held out, the same in every language, and languages count alike.</summary>
    public static CorpusOptions Corpus { get; } = new()
    {
        Documents = DocumentRule.Paragraphs,
        HeldOutFraction = 0.15,
        Balance = CorpusBalance.ByFile,
        SplitSeed = 1,
    };
}
