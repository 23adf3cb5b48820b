using FluentAssertions;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Torch.Tests;

/// <summary>Tests that compute run one after the other: threads, seeds and live tensors belong to the process.</summary>
[CollectionDefinition(Name)]
public sealed class TorchCollection
{
    public const string Name = "libtorch";
}

/// <summary>A scope for the tensors of one test, and what operator tests share.</summary>
/// <remarks>TAPESTRY_TEST_DEVICE=cuda runs the operator tests on a GPU.</remarks>
[Collection(TorchCollection.Name)]
public abstract class TorchTest : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    protected static Device Where { get; } = Device.Parse(Environment.GetEnvironmentVariable("TAPESTRY_TEST_DEVICE") ?? "cpu");

    public void Dispose()
    {
        _scope.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Numbers in [-1, 1) that look random and are the same everywhere.</summary>
    protected static float[] Numbers(uint seed, int count)
    {
        float[] values = new float[count];
        uint state = seed;
        for (int i = 0; i < count; i++)
        {
            state = unchecked((1664525 * state) + 1013904223);
            values[i] = ((state >> 15) / 65536f) - 1;
        }

        return values;
    }

    protected static Tensor Input(uint seed, params long[] shape) =>
        tensor(Numbers(seed, (int)shape.Aggregate(1L, (product, length) => product * length)), shape, device: Where);

    /// <summary>A leaf with the given values and a gradient.</summary>
    protected static Tensor Leaf(uint seed, params long[] shape) => Input(seed, shape).requires_grad_();

    protected static void ShouldBe(Tensor actual, IEnumerable<double> expected, double tolerance = 1e-5)
    {
        double[] wanted = [.. expected];
        float[] got = actual.to(float32).ToArray<float>();
        got.Length.Should().Be(wanted.Length);
        got.Zip(wanted, (left, right) => Math.Abs(left - right)).Max().Should().BeLessThan(tolerance);
    }

    /// <summary>Same values and same gradients of the same leaves, within a tolerance of the largest.</summary>
    protected static void ShouldAgree(Func<Tensor[], Tensor> fused, Func<Tensor[], Tensor> composed, Func<Tensor[]> leaves, double tolerance = 2e-5)
    {
        Tensor[] left = leaves();
        Tensor[] right = leaves();
        Tensor y = fused(left);
        Tensor reference = composed(right);
        y.shape.Should().Equal(reference.shape);
        Close(y, reference, tolerance, "the value");
        Tensor upstream = Input(77, y.shape);
        (y * upstream).sum().backward();
        (reference * upstream).sum().backward();
        for (int i = 0; i < left.Length; i++)
        {
            if (left[i].requires_grad)
            {
                Close(left[i].grad!, right[i].grad!, tolerance, $"the gradient of argument {i}");
            }
        }
    }

    protected static void Close(Tensor actual, Tensor expected, double tolerance, string what)
    {
        float[] got = actual.to(float32).ToArray<float>();
        float[] wanted = expected.to(float32).ToArray<float>();
        double largest = wanted.Max(Math.Abs);
        (got.Zip(wanted, (left, right) => Math.Abs(left - right)).Max() / largest).Should().BeLessThan(tolerance, what);
    }
}
