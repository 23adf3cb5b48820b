namespace Tapestry.Training.Optimization;

/// <summary>AdamW with decoupled weight decay, and the clipping before it.</summary>
/// <remarks>Loshchilov and Hutter, arXiv:1711.05101. Gains of norms never decay.</remarks>
public sealed record AdamWOptions
{
    /// <summary>Peak learning rate. Default 1e-3; above 0, at most 1.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of the first moment. Default 0.9; 0 to below 1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment. Default 0.95; 0 to below 1.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Guard of the denominator. Default 1e-8; above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay of matrices. Default 0.1; 0 to 1.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Largest norm of the whole gradient; a larger one is scaled down to it. 0 for none. Default 1.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Refuses values that no optimiser can use.</summary>
    /// <exception cref="ArgumentException">A field is out of range; the message names it and its value.</exception>
    public void Validate()
    {
        Options.Require(LearningRate is > 0 and <= 1, nameof(LearningRate), LearningRate, "above 0, at most 1");
        Options.Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "0 to below 1");
        Options.Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "0 to below 1");
        Options.Require(Epsilon is > 0 and < 1, nameof(Epsilon), Epsilon, "above 0, below 1");
        Options.Require(WeightDecay is >= 0 and <= 1, nameof(WeightDecay), WeightDecay, "0 to 1");
        Options.Require(ClipNorm is >= 0 and < double.PositiveInfinity, nameof(ClipNorm), ClipNorm, "0 or more");
    }
}
