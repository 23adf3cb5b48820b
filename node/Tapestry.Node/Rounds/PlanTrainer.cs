using Tapestry.Node.Configuration;
using Tapestry.Protocol.Plans;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Node.Rounds;

/// <summary>Turns a plan and a machine's settings into the trainer's own words.</summary>
internal static class PlanTrainer
{
    /// <summary>Seed of the split into training and held-out text: the same everywhere, so translations lose the same articles.</summary>
    public const long SplitSeed = 1;

    /// <summary>How a member of this plan trains on this machine.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="machine">Threads, device and precision.</param>
    /// <param name="samplingSeed">Seed of the windows that are drawn; differs between members.</param>
    public static TrainerOptions Options(Plan plan, MachineSettings machine, long samplingSeed) => new()
    {
        BatchSequences = plan.Inner.BatchSequences,
        AdamW = new AdamWOptions
        {
            LearningRate = plan.Inner.LearningRate,
            Beta1 = plan.Inner.Beta1,
            Beta2 = plan.Inner.Beta2,
            Epsilon = plan.Inner.Epsilon,
            WeightDecay = plan.Inner.WeightDecay,
            ClipNorm = plan.Inner.ClipNorm,
        },
        Schedule = new LearningRateSchedule
        {
            Kind = plan.Inner.Schedule switch
            {
                "cosine" => ScheduleKind.Cosine,
                "wsd" => ScheduleKind.Wsd,
                _ => ScheduleKind.Constant,
            },
            WarmupSteps = plan.Inner.WarmupSteps,
            TotalSteps = plan.Inner.Steps * plan.Rounds,
            FinalRate = plan.Inner.FinalRate,
        },
        SamplingSeed = samplingSeed,
        Bf16 = machine.UseBf16,
        Threads = machine.Threads,
        Device = machine.Device,
    };

    /// <summary>How a member's text is read and split.</summary>
    /// <param name="heldOutPercent">Share of the documents that is never trained on.</param>
    public static CorpusOptions Corpus(int heldOutPercent) => new()
    {
        HeldOutFraction = heldOutPercent / 100.0,
        SplitSeed = SplitSeed,
        Balance = CorpusBalance.ByFile,
    };
}

/// <summary>What of a machine training takes.</summary>
/// <param name="Threads">Threads of libtorch.</param>
/// <param name="Device">cpu, cuda or cuda:N.</param>
/// <param name="UseBf16">Whether matrix products run in bf16.</param>
internal sealed record MachineSettings(int Threads, string Device, bool UseBf16)
{
    /// <summary>As the settings say.</summary>
    public static MachineSettings Of(NodeOptions options) => new(options.Threads, options.Device, options.UseBf16);
}
