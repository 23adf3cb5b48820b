using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FluentAssertions;
using Tapestry.Training.Models;
using Xunit;

namespace Tapestry.Training.Tests.Golden;

public sealed class InitialBaseTests
{
    [Fact]
    public void A_seed_names_the_same_bytes_on_every_machine()
    {
        // Computed by tests/foreign/python/initial_base.py. A change here is a change of every network's first base: never by accident.
        DigestOf(TinyModel.Tied, seed: 7).Should().Be("2570ef8a4c9ddebb550b0424ac495b1b4cd456c8cda5ada4d1ba1735f2a1464c");
        DigestOf(TinyModel.Untied, seed: -1).Should().Be("dfcd73055f7c9208c3ad2e0ae30588859dc3ef0821614f604ea2afe3044b7a95");
    }

    [Fact]
    public void Matrices_are_normal_with_the_stated_deviation_and_gains_are_one()
    {
        ModelConfig config = TinyModel.Tied with { Width = 64, FeedForward = 192 };
        ParameterLayout layout = new(config);
        float[] parameters = TinyModel.Generate(config, 1);

        foreach (ParameterTensor tensor in layout.Tensors)
        {
            float[] values = parameters[(int)tensor.Offset..(int)(tensor.Offset + tensor.Count)];
            if (tensor.Kind == ParameterKind.Norm)
            {
                values.Should().OnlyContain(value => value == 1f);
                continue;
            }

            double expected = tensor.Kind == ParameterKind.Matrix ? 0.02 : 0.02 / Math.Sqrt(2 * config.Layers);
            double mean = values.Average(value => (double)value);
            double deviation = Math.Sqrt(values.Average(value => Math.Pow(value - mean, 2)));
            deviation.Should().BeApproximately(expected, 0.06 * expected, tensor.Name);
            mean.Should().BeApproximately(0, 5 * expected / Math.Sqrt(values.Length), tensor.Name);
        }
    }

    [Fact]
    public void Neighbouring_seeds_share_nothing()
    {
        float[] one = TinyModel.Generate(TinyModel.Tied, 1);
        float[] two = TinyModel.Generate(TinyModel.Tied, 2);
        ParameterLayout layout = new(TinyModel.Tied);

        one.Take((int)layout.DecayedCount).Zip(two).Count(pair => pair.First == pair.Second).Should().BeLessThan(5);
    }

    [Fact]
    public void A_span_of_another_length_is_refused()
    {
        ParameterLayout layout = new(TinyModel.Tied);
        Action generate = () => InitialBase.Generate(layout, 0, new float[layout.Count - 1]);

        generate.Should().Throw<ArgumentException>().WithMessage($"*{layout.Count}*");
    }

    private static string DigestOf(ModelConfig config, long seed) =>
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(TinyModel.Generate(config, seed))));
}
