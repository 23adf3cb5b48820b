using System.Globalization;
using Tapestry.Node.Demo;
using Tapestry.Training.Optimization;

namespace Tapestry.Benchmarks.Federation;

/// <summary>What one experiment varies; by default the settings of the demonstration.</summary>
internal sealed record FederationSettings
{
    internal int Rounds { get; init; } = DemoSettings.Rounds;
    internal int StepsPerRound { get; init; } = DemoSettings.StepsPerRound;
    internal int BatchSequences { get; init; } = DemoSettings.BatchSequences;
    internal double OuterLearningRate { get; init; } = DemoSettings.OuterLearningRate;
    internal double OuterMomentum { get; init; } = DemoSettings.OuterMomentum;
    internal int DerivativeSteps { get; init; } = DemoSettings.DerivativeSteps;
    internal AdamWOptions AdamW { get; init; } = DemoSettings.AdamW;
    internal LearningRateSchedule Schedule { get; init; } = DemoSettings.Schedule;
    internal double DerivativeRate { get; init; } = 1;
    internal long Seed { get; init; } = 1;
    internal int Threads { get; init; } = Environment.ProcessorCount;
    internal bool Alone { get; init; } = true;

    /// <summary>Reads "name=value" arguments.</summary>
    /// <exception cref="ArgumentException">A name is unknown or a value no number.</exception>
    internal static FederationSettings Parse(IEnumerable<string> arguments) =>
        arguments.Aggregate(new FederationSettings(), (settings, argument) =>
        {
            string[] parts = argument.Split('=', 2);
            string value = parts.Length == 2 ? parts[1] : throw new ArgumentException($"{argument}: write name=value.");
            CultureInfo culture = CultureInfo.InvariantCulture;
            return parts[0] switch
            {
                "rounds" => settings with { Rounds = int.Parse(value, culture) },
                "steps" => settings with { StepsPerRound = int.Parse(value, culture) },
                "batch" => settings with { BatchSequences = int.Parse(value, culture) },
                "outer" => settings with { OuterLearningRate = double.Parse(value, culture) },
                "momentum" => settings with { OuterMomentum = double.Parse(value, culture) },
                "rate" => settings with { AdamW = settings.AdamW with { LearningRate = double.Parse(value, culture) } },
                "decay" => settings with { AdamW = settings.AdamW with { WeightDecay = double.Parse(value, culture) } },
                "warmup" => settings with { Schedule = settings.Schedule with { WarmupSteps = int.Parse(value, culture) } },
                "schedule" => settings with { Schedule = settings.Schedule with { Kind = Enum.Parse<ScheduleKind>(value, ignoreCase: true) } },
                "final" => settings with { Schedule = settings.Schedule with { FinalRate = double.Parse(value, culture) } },
                "derivative" => settings with { DerivativeSteps = int.Parse(value, culture) },
                "derivative-rate" => settings with { DerivativeRate = double.Parse(value, culture) },
                "seed" => settings with { Seed = long.Parse(value, culture) },
                "threads" => settings with { Threads = int.Parse(value, culture) },
                "alone" => settings with { Alone = bool.Parse(value) },
                _ => throw new ArgumentException($"{parts[0]} is no setting of this experiment."),
            };
        });

    /// <summary>The trainer of one partner, or of the derivative it makes.</summary>
    internal TrainerOptions Trainer(int partner) => new()
    {
        BatchSequences = BatchSequences,
        AdamW = AdamW,
        Schedule = Schedule with { TotalSteps = (long)Rounds * StepsPerRound },
        SamplingSeed = (Seed * 1000) + partner,
        Threads = Threads,
    };

    /// <summary>The trainer of a derivative.</summary>
    internal TrainerOptions Derivative(int partner) => Trainer(partner) with
    {
        AdamW = AdamW with { LearningRate = AdamW.LearningRate * DerivativeRate },
        Schedule = DemoSettings.DerivativeSchedule with { TotalSteps = DerivativeSteps },
        SamplingSeed = (Seed * 1000) + 500 + partner,
    };
}
