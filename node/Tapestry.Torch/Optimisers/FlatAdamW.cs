namespace Tapestry.Torch.Optimisers;

/// <summary>Adam with decoupled weight decay over one flat buffer: clip, decay and step in one pass over memory.</summary>
/// <remarks>
/// Loshchilov and Hutter 2019, arXiv:1711.05101. The state is two more flat buffers and a step count, so a checkpoint is three
/// ranges and a number. The result does not depend on the number of threads.
/// </remarks>
public sealed class FlatAdamW : IDisposable
{
    private readonly FlatParameters _parameters;
    private readonly AdamSettings _settings;
    private readonly List<(long Start, long Count, bool Decays)> _runs = [];

    internal FlatAdamW(
        FlatParameters parameters, double lr, double beta1, double beta2, double eps, double weightDecay, Predicate<FlatRange> decays)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        _parameters = parameters;
        _settings = new AdamSettings(beta1, beta2, eps, weightDecay);
        LearningRate = lr;
        Mean = torch.zeros(parameters.Count, device: parameters.Device).DetachFromDisposeScope();
        Square = torch.zeros(parameters.Count, device: parameters.Device).DetachFromDisposeScope();
        foreach (FlatRange range in parameters.Ranges)
        {
            AddRun(range, decays(range));
        }
    }

    /// <summary>The learning rate of the next step.</summary>
    public double LearningRate { get; set; }

    /// <summary>Steps taken. Set it, with <see cref="Mean"/> and <see cref="Square"/>, to resume.</summary>
    public long Steps { get; set; }

    /// <summary>Running mean of the gradients, [Count].</summary>
    public Tensor Mean { get; }

    /// <summary>Running mean of the squared gradients, [Count].</summary>
    public Tensor Square { get; }

    /// <summary>Moves the parameters by their gradients.</summary>
    /// <param name="maxNorm">Gradients count as if scaled down to this joint 2-norm; infinity does not clip.</param>
    /// <returns>The joint 2-norm before clipping. Where it is not finite nothing moves and the step does not count.</returns>
    public double step(double maxNorm = double.PositiveInfinity)
    {
        double norm = torch.nn.GradientNorm(_parameters.Gradients);
        if (!double.IsFinite(norm))
        {
            return norm;
        }

        Steps++;
        double scale = double.IsPositiveInfinity(maxNorm) ? 1 : torch.nn.ClipScale(norm, maxNorm);
        foreach ((long start, long count, bool decays) in _runs)
        {
            _settings.Step(
                _parameters.Values, _parameters.Gradients, Mean, Square, start, count, LearningRate, decays ? _settings.WeightDecay : 0, Steps, scale);
        }

        return norm;
    }

    /// <summary>Sets the gradients to zero.</summary>
    public void zero_grad() => _parameters.ZeroGradients();

    /// <summary>Frees the state.</summary>
    public void Dispose()
    {
        Mean.Dispose();
        Square.Dispose();
    }

    private void AddRun(FlatRange range, bool decays)
    {
        if (_runs.Count > 0 && _runs[^1].Decays == decays)
        {
            _runs[^1] = (_runs[^1].Start, _runs[^1].Count + range.Count, decays);
        }
        else
        {
            _runs.Add((range.Start, range.Count, decays));
        }
    }
}
