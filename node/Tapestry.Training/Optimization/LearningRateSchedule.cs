namespace Tapestry.Training.Optimization;

/// <summary>How the learning rate goes after its warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>Stays at the peak.</summary>
    Constant,

    /// <summary>Half a cosine from the peak to the final rate.</summary>
    Cosine,

    /// <summary>Warm-up, stable, decay: stays at the peak and falls in a line to the final rate at the end.</summary>
    Wsd,
}

/// <summary>The learning rate of every step of a run, as a fraction of the peak.</summary>
public sealed record LearningRateSchedule
{
    /// <summary>Share of the steps over which "warm-up, stable, decay" decays.</summary>
    public const double DecayShare = 0.2;

    /// <summary>How the rate goes after the warm-up. Default: constant.</summary>
    public ScheduleKind Kind { get; init; }

    /// <summary>Steps of linear warm-up, counted over the whole run. Default 0.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Steps of the whole run; the rate stays at its final value afterwards. At least 1 unless constant.</summary>
    public long TotalSteps { get; init; }

    /// <summary>The rate at the end, as a fraction of the peak. Default 0.1; 0 to 1.</summary>
    public double FinalRate { get; init; } = 0.1;

    /// <summary>The rate of step <paramref name="step"/>, 0-based, as a fraction of the peak.</summary>
    public double At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        if (step < WarmupSteps)
        {
            return (step + 1.0) / WarmupSteps;
        }

        return Kind switch
        {
            ScheduleKind.Cosine => FinalRate + ((1 - FinalRate) * 0.5 * (1 + Math.Cos(Math.PI * Progress(step, WarmupSteps)))),
            ScheduleKind.Wsd => 1 - ((1 - FinalRate) * Progress(step, DecayStart)),
            _ => 1,
        };
    }

    /// <summary>Refuses a schedule that means nothing.</summary>
    /// <exception cref="ArgumentException">A field is out of range; the message names it and its value.</exception>
    public void Validate()
    {
        Options.Require(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "0 or more");
        Options.Require(FinalRate is >= 0 and <= 1, nameof(FinalRate), FinalRate, "0 to 1");
        Options.Require(Kind == ScheduleKind.Constant || TotalSteps >= 1, nameof(TotalSteps), TotalSteps, "at least 1 for this schedule");
    }

    private long DecayStart => Math.Max(WarmupSteps, TotalSteps - (long)Math.Ceiling(TotalSteps * DecayShare));

    // From 0 at step `from` to 1 at the last step and after it.
    private double Progress(long step, long from)
    {
        long span = TotalSteps - 1 - from;
        return span <= 0 ? (step < from ? 0 : 1) : Math.Clamp((step - from) / (double)span, 0, 1);
    }
}
