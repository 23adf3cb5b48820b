namespace Tapestry.Training.Optimization;

/// <summary>How one machine trains: everything but the model and the text.</summary>
public sealed record TrainerOptions
{
    /// <summary>Sequences a step, B. Default 8; 1 to 65536.</summary>
    public int BatchSequences { get; init; } = 8;

    /// <summary>The optimiser.</summary>
    public AdamWOptions AdamW { get; init; } = new();

    /// <summary>The learning rate over the run.</summary>
    public LearningRateSchedule Schedule { get; init; } = new();

    /// <summary>Seed of the windows that are drawn.</summary>
    public long SamplingSeed { get; init; }

    /// <summary>Whether matrix products run in bf16; parameters, moments and measures stay FP32. Default no.</summary>
    /// <remarks>Faster on GPUs and on processors with bf16 instructions (<see cref="Tapestry.Torch.RuntimeReport.CpuHasBf16"/>), slower elsewhere.</remarks>
    public bool Bf16 { get; init; }

    /// <summary>Threads of the CPU, for the whole process. Default: all processors. Several daemons on one machine share its cores.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>"cpu", "cuda" or "cuda:N". Default "cpu".</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Refuses values that no trainer can use.</summary>
    /// <exception cref="ArgumentException">A field is out of range; the message names it and its value.</exception>
    public void Validate()
    {
        Options.Require(BatchSequences is >= 1 and <= 65536, nameof(BatchSequences), BatchSequences, "1 to 65536");
        Options.Require(Threads is >= 1 and <= 1024, nameof(Threads), Threads, "1 to 1024");
        AdamW.Validate();
        Schedule.Validate();
    }
}
