using Tapestry.Torch.Modules;
using Tapestry.Torch.Native;

namespace Tapestry.Torch.Optimisers;

/// <summary>Adam with decoupled weight decay, over single parameters.</summary>
/// <remarks>Loshchilov and Hutter 2019, arXiv:1711.05101. PyTorch's order: decay first, then the step.</remarks>
public sealed class AdamW : IDisposable
{
    private readonly List<(Parameter Parameter, Tensor Mean, Tensor Square)> _state = [];
    private readonly AdamSettings _settings;

    internal AdamW(IEnumerable<Parameter> parameters, double lr, double beta1, double beta2, double eps, double weightDecay)
    {
        _settings = new AdamSettings(beta1, beta2, eps, weightDecay);
        LearningRate = lr;
        using IDisposable still = torch.no_grad();
        foreach (Parameter parameter in parameters)
        {
            Tensor mean = torch.zeros(parameter.shape, parameter.dtype, parameter.device).DetachFromDisposeScope();
            Tensor square = torch.zeros(parameter.shape, parameter.dtype, parameter.device).DetachFromDisposeScope();
            _state.Add((parameter, mean, square));
        }
    }

    /// <summary>The learning rate of the next step.</summary>
    public double LearningRate { get; set; }

    /// <summary>Steps taken.</summary>
    public long Steps { get; private set; }

    /// <summary>Drops every gradient.</summary>
    public void zero_grad() => _state.ForEach(entry => entry.Parameter.grad = null);

    /// <summary>Moves every parameter that has a gradient.</summary>
    public void step()
    {
        Steps++;
        foreach ((Parameter parameter, Tensor mean, Tensor square) in _state)
        {
            using Tensor? gradient = parameter.grad;
            if (gradient is not null)
            {
                _settings.Step(parameter, gradient, mean, square, 0, parameter.numel(), LearningRate, _settings.WeightDecay, Steps, 1);
            }
        }
    }

    /// <summary>Frees the state.</summary>
    public void Dispose() => _state.ForEach(entry =>
    {
        entry.Mean.Dispose();
        entry.Square.Dispose();
    });
}

/// <summary>What does not change from step to step, and the one native call.</summary>
internal sealed record AdamSettings(double Beta1, double Beta2, double Eps, double WeightDecay)
{
    internal void Step(
        Tensor parameter, Tensor gradient, Tensor mean, Tensor square, long start, long count, double rate, double decay, long step, double gradientScale) =>
        Tensor.Check(
            Shim.tap_adamw(
                parameter.Use(), gradient.Use(), mean.Use(), square.Use(), start, count, rate, Beta1, Beta2, Eps, decay, step, gradientScale),
            parameter, gradient, "adamw");
}
