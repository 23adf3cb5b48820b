using System.Text.Json;
using FluentAssertions;
using Tapestry.Testing;
using Tapestry.Torch;
using Tapestry.Torch.Optimisers;
using Tapestry.Training.Models;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Tests.Golden;

/// <summary>The model against PyTorch: llama.json is written by tests/foreign/python/golden.py, in double precision.</summary>
[Collection(TorchCollection.Name)]
public sealed class PyTorchTests : IDisposable
{
    private const int Batch = 2;
    private const int SingleSteps = 3;

    // Single precision keeps 7 digits; a dozen sums of 16 terms in a row cost one or two of them.
    private const double Tolerance = 2e-5;

    private static readonly ModelConfig Config = new()
    {
        Vocabulary = 11,
        Width = 16,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        FeedForward = 24,
        ContextTokens = 12,
    };

    private readonly JsonElement _golden =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "tests", "Tapestry.Training.Tests", "Golden", "llama.json"))).RootElement;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly LlamaModel _model = new(Config, CPU);

    public PyTorchTests()
    {
        for (int i = 0; i < _model.Layout.Tensors.Length; i++)
        {
            ParameterTensor tensor = _model.Layout.Tensors[i];
            float[] values = [.. Uniform((uint)(i + 1), (int)tensor.Count)
                .Select(value => (float)(tensor.Kind == ParameterKind.Norm ? 1 + (0.1 * value) : 0.25 * value))];
            _model.Flat.CopyFrom(tensor.Offset, values);
        }
    }

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Logits_are_PyTorchs()
    {
        using IDisposable still = no_grad();
        (Tensor inputs, _) = Tokens();
        Compare(_model.forward(inputs).ToArray<float>(), Listed(_golden.GetProperty("logits")), "logits");
    }

    [Fact]
    public void Gradients_are_PyTorchs()
    {
        (Tensor inputs, Tensor targets) = Tokens();
        _model.Loss(inputs, targets).backward();
        foreach (ParameterTensor tensor in _model.Layout.Tensors)
        {
            float[] gradient = new float[tensor.Count];
            _model.Flat.Read(_model.Flat.Gradients, tensor.Offset, gradient);
            Compare(gradient, Listed(_golden.GetProperty("gradients").GetProperty(tensor.Name)), tensor.Name);
        }
    }

    [Fact]
    public void Losses_and_parameters_of_three_steps_are_PyTorchs()
    {
        (Tensor inputs, Tensor targets) = Tokens();
        using FlatAdamW optimiser = optim.AdamW(_model.Flat, lr: 1e-2, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1);
        double[] losses = Listed(_golden.GetProperty("losses"));
        double[] norms = Listed(_golden.GetProperty("norms"));
        for (int step = 0; step < SingleSteps; step++)
        {
            optimiser.zero_grad();
            Tensor loss = _model.Loss(inputs, targets);
            loss.backward();
            loss.item<double>().Should().BeApproximately(losses[step], Tolerance * losses[step]);
            optimiser.step(maxNorm: 1).Should().BeApproximately(norms[step], Tolerance * norms[step]);
        }

        foreach (ParameterTensor tensor in _model.Layout.Tensors)
        {
            float[] values = new float[tensor.Count];
            _model.Flat.CopyTo(tensor.Offset, values);
            Compare(values, Listed(_golden.GetProperty("parameters").GetProperty(tensor.Name)), tensor.Name);
        }
    }

    private static (Tensor Inputs, Tensor Targets) Tokens()
    {
        long[] tokens = [.. Uniform(99, Batch * (Config.ContextTokens + 1)).Select(value => (long)((value + 1) * 32768) % Config.Vocabulary)];
        Tensor all = tensor(tokens, [Batch, Config.ContextTokens + 1]);
        return (all.narrow(1, 0, Config.ContextTokens), all.narrow(1, 1, Config.ContextTokens));
    }

    /// <summary>The generator of golden.py: multiples of 2⁻¹⁶ in [-1, 1).</summary>
    private static IEnumerable<double> Uniform(uint seed, int count)
    {
        uint state = seed;
        for (int i = 0; i < count; i++)
        {
            state = unchecked((1664525 * state) + 1013904223);
            yield return ((state >> 15) / 65536.0) - 1;
        }
    }

    private static double[] Listed(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];

    private static void Compare(float[] actual, double[] expected, string what)
    {
        actual.Length.Should().Be(expected.Length, what);
        double largest = expected.Max(Math.Abs);
        double error = actual.Zip(expected, (left, right) => Math.Abs(left - right)).Max();
        (error / largest).Should().BeLessThan(Tolerance, "{0}: the error against its largest element, {1}", what, largest);
    }
}
