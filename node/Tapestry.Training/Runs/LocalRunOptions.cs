using System.Collections.Immutable;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Training.Runs;

/// <summary>What <c>tapestry train</c> does: one model on one machine, without a network.</summary>
public sealed record LocalRunOptions
{
    /// <summary>The model that is trained when nothing else is asked for: 4.8 million parameters, minutes on two cores.</summary>
    public static ModelConfig DefaultModel { get; } = new()
    {
        Width = 256,
        Layers = 6,
        Heads = 4,
        KeyValueHeads = 4,
        FeedForward = 688,
        ContextTokens = 256,
    };

    /// <summary>The files to read; at least one.</summary>
    public required ImmutableArray<string> Texts { get; init; }

    /// <summary>How they are read and split.</summary>
    public CorpusOptions Corpus { get; init; } = new();

    /// <summary>The model's shape.</summary>
    public ModelConfig Model { get; init; } = DefaultModel;

    /// <summary>How it is trained. The schedule's length is <see cref="Steps"/>, whatever it says.</summary>
    public TrainerOptions Trainer { get; init; } = new();

    /// <summary>Steps of the whole run. Default 1000; at least 1.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Seed of the initial parameters, where none are given.</summary>
    public long InitialSeed { get; init; }

    /// <summary>Held-out text is measured after as many steps, and before the first and after the last; 0 for only those. Default 100.</summary>
    public int EvaluateEverySteps { get; init; } = 100;

    /// <summary>Most tokens of each file's held-out text that are measured, from its start. Default 65536; at least 1.</summary>
    public long EvaluateTokensMax { get; init; } = 1 << 16;

    /// <summary>Where the state is kept; null for nowhere.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>The state is written after as many steps, at the end, and when the run is cancelled. Default 200; at least 1.</summary>
    public int CheckpointEverySteps { get; init; } = 200;

    /// <summary>Goes on from <see cref="CheckpointPath"/> where that file exists; otherwise an existing one is refused.</summary>
    public bool Resume { get; init; }

    /// <summary>Refuses what cannot be run, before anything is read.</summary>
    /// <exception cref="ArgumentException">A field is out of range; the message names it and its value.</exception>
    public void Validate()
    {
        Options.Require(!Texts.IsDefaultOrEmpty, nameof(Texts), "empty", "at least one file");
        Options.Require(Steps >= 1, nameof(Steps), Steps, "at least 1");
        Options.Require(EvaluateEverySteps >= 0, nameof(EvaluateEverySteps), EvaluateEverySteps, "0 or more");
        Options.Require(EvaluateTokensMax >= 1, nameof(EvaluateTokensMax), EvaluateTokensMax, "at least 1");
        Options.Require(CheckpointEverySteps >= 1, nameof(CheckpointEverySteps), CheckpointEverySteps, "at least 1");
        Options.Require(!Resume || CheckpointPath is not null, nameof(CheckpointPath), "absent", "given, to resume from it");
        Model.Validate();
        TrainerOverSteps.Validate();
    }

    /// <summary><see cref="Trainer"/>, with the schedule over <see cref="Steps"/>.</summary>
    internal TrainerOptions TrainerOverSteps => Trainer with { Schedule = Trainer.Schedule with { TotalSteps = Steps } };
}
