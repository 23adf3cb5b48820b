namespace Tapestry.Training.Optimization;

/// <summary>What one step did, for progress.</summary>
/// <param name="Step">The step's number in the run, 0-based.</param>
/// <param name="Loss">Mean loss of the batch before the step, in nats a token.</param>
/// <param name="GradientNorm">Norm of the gradient before clipping.</param>
/// <param name="LearningRate">The rate that was used.</param>
public readonly record struct TrainingStep(long Step, double Loss, double GradientNorm, double LearningRate);

/// <summary>What some steps did together.</summary>
/// <param name="Steps">How many were done.</param>
/// <param name="Tokens">Tokens that were trained on.</param>
/// <param name="FirstLoss">Loss of the first batch, in nats a token.</param>
/// <param name="LastLoss">Loss of the last batch, in nats a token.</param>
/// <param name="MeanLoss">Mean loss of the batches, in nats a token.</param>
/// <param name="Elapsed">Time they took.</param>
public sealed record TrainingSummary(
    int Steps, long Tokens, double FirstLoss, double LastLoss, double MeanLoss, TimeSpan Elapsed);

/// <summary>The loss or the gradient is no longer a number. The parameters are those before the step.</summary>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Says at which step, and what to try.</summary>
    public TrainingDivergedException(long step, double loss, double gradientNorm)
        : base($"Step {step}: the loss is {loss} and the gradient norm {gradientNorm}. "
            + "Lower the learning rate, warm up longer, or check the text.") => Step = step;

    /// <summary>The step, 0-based.</summary>
    public long Step { get; }
}
