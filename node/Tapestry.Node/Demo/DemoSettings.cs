using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Node.Demo;

/// <summary>What the demonstration trains and how.</summary>
public static class DemoSettings
{
    /// <summary>0.7 million parameters.</summary>
    public static ModelConfig Model { get; } = new()
    {
        Width = 128,
        Layers = 4,
        Heads = 4,
        KeyValueHeads = 2,
        FeedForward = 320,
        ContextTokens = 128,
    };

    /// <summary>Rounds.</summary>
    public const int Rounds = 24;

    /// <summary>Inner steps a round, H.</summary>
    public const int StepsPerRound = 10;

    /// <summary>Sequences a step, B.</summary>
    public const int BatchSequences = 8;

    /// <summary>Outer learning rate.</summary>
    public const double OuterLearningRate = 1;

    /// <summary>Outer momentum.</summary>
    public const double OuterMomentum = 0;

    /// <summary>Local steps from the final base to a derivative.</summary>
    public const int DerivativeSteps = 60;

    /// <summary>The inner optimiser.</summary>
    public static AdamWOptions AdamW { get; } = new() { LearningRate = 3e-3 };

    /// <summary>The inner learning rate over the run.</summary>
    public static LearningRateSchedule Schedule { get; } = new() { WarmupSteps = 20 };

    /// <summary>How the texts are split.</summary>
    public static CorpusOptions Corpus { get; } = new()
    {
        Documents = DocumentRule.Paragraphs,
        HeldOutFraction = 0.15,
        Balance = CorpusBalance.ByFile,
        SplitSeed = 1,
    };
}
