using System.Diagnostics;

namespace Tapestry.Training.Models;

/// <summary>The parameters a run starts from, B_0, generated from a seed and the same to the bit everywhere.</summary>
/// <remarks>
/// Members compare B_0 by digest, so nothing here may depend on the C library, the vector width or libtorch: integers,
/// one correctly rounded product and one rounding to float. specs/60-training.md, section 3.
/// </remarks>
public static class InitialBase
{
    /// <summary>Standard deviation of an ordinary matrix.</summary>
    public const double StandardDeviation = 0.02;

    // Irwin-Hall: the sum of twelve uniforms has variance one and is close enough to normal. Two per 64-bit draw.
    private const int DrawsPerParameter = 6;
    private const long Centre = 6 * ((1L << 32) - 1);
    private const double Unit = 1.0 / (1L << 32);

    /// <summary>Writes B_0: matrices normal with deviation 0.02, those that write into the residual stream with
    /// 0.02 / sqrt(2 L), gains one.</summary>
    /// <param name="layout">The model.</param>
    /// <param name="seed">The plan's seed.</param>
    /// <param name="parameters">The result, [P]. Written in full.</param>
    /// <exception cref="ArgumentException"><paramref name="parameters"/> has not exactly P elements.</exception>
    /// <remarks>Twelve 32-bit uniforms are added as integers, so the sum is exact; parameter i uses draws 6 i to 6 i + 5.</remarks>
    public static void Generate(ParameterLayout layout, long seed, Span<float> parameters)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (parameters.Length != layout.Count)
        {
            throw new ArgumentException($"The layout has {layout.Count} parameters, the span {parameters.Length}.", nameof(parameters));
        }

        // Math.Sqrt is correctly rounded everywhere (IEEE 754); no other function of the C library is used.
        double residualDeviation = StandardDeviation / Math.Sqrt(2.0 * layout.Config.Layers);
        foreach (ParameterTensor tensor in layout.Tensors)
        {
            Span<float> values = parameters.Slice((int)tensor.Offset, (int)tensor.Count);
            switch (tensor.Kind)
            {
                case ParameterKind.Norm:
                    values.Fill(1f);
                    break;
                case ParameterKind.Matrix:
                    FillNormal(values, StandardDeviation, seed, tensor.Offset);
                    break;
                case ParameterKind.ResidualMatrix:
                    FillNormal(values, residualDeviation, seed, tensor.Offset);
                    break;
                default:
                    throw new UnreachableException();
            }
        }
    }

    private static void FillNormal(Span<float> values, double deviation, long seed, long firstParameter)
    {
        double scale = deviation * Unit; // Unit is a power of two: exact.
        for (int i = 0; i < values.Length; i++)
        {
            ulong draw = (ulong)(firstParameter + i) * DrawsPerParameter;
            long sum = 0;
            for (ulong j = 0; j < DrawsPerParameter; j++)
            {
                ulong bits = CounterRandom.At(unchecked((ulong)seed), draw + j);
                sum += (long)(bits >> 32) + (long)(bits & uint.MaxValue);
            }

            values[i] = (float)((sum - Centre) * scale);
        }
    }
}
