using System.Runtime.Intrinsics;

namespace Tapestry.Protocol.Aggregation;

/// <summary>The arithmetic of a round, element by element: a vector only does to several elements what the formula does to one.</summary>
/// <remarks>
/// specs/30-rounds.md, section 13. + - * / on double, left to right as written; never a fused multiply-add, never a sum across
/// lanes. So every vector width, and none, give the same bits; <see cref="Reference"/> is the same in plain loops.
/// </remarks>
internal static class Elementwise
{
    private const int FloatLanes = 8;

    /// <summary>Whether no value is infinite or not a number.</summary>
    internal static bool AreFinite(ReadOnlySpan<float> values)
    {
        // Both have all bits of the exponent set.
        Vector256<int> exponent = Vector256.Create(0x7f80_0000);
        int index = 0;
        for (; index <= values.Length - FloatLanes; index += FloatLanes)
        {
            if (Vector256.EqualsAny(Vector256.Create(values[index..]).AsInt32() & exponent, exponent))
            {
                return false;
            }
        }

        for (; index < values.Length; index++)
        {
            if (!float.IsFinite(values[index]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>sums += factor * values.</summary>
    internal static void AddScaled(Span<double> sums, double factor, ReadOnlySpan<float> values)
    {
        Span<double> target = sums[..values.Length];
        Vector256<double> factors = Vector256.Create(factor);
        int index = 0;
        for (; index <= values.Length - FloatLanes; index += FloatLanes)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Create(values[index..]));
            Span<double> eight = target.Slice(index, FloatLanes);
            (Vector256.Create<double>(eight) + (factors * low)).CopyTo(eight);
            (Vector256.Create<double>(eight[4..]) + (factors * high)).CopyTo(eight[4..]);
        }

        Reference.AddScaled(target[index..], factor, values[index..]);
    }

    /// <summary>quotients = FP32(sums / divisor); false when one does not fit.</summary>
    internal static bool TryDivide(ReadOnlySpan<double> sums, double divisor, Span<float> quotients)
    {
        ReadOnlySpan<double> source = sums[..quotients.Length];
        Vector256<double> divisors = Vector256.Create(divisor);
        int index = 0;
        for (; index <= quotients.Length - FloatLanes; index += FloatLanes)
        {
            Vector256<double> low = Vector256.Create(source[index..]) / divisors;
            Vector256<double> high = Vector256.Create(source[(index + 4)..]) / divisors;
            if (!Fit(low) || !Fit(high))
            {
                return false;
            }

            Vector256.Narrow(low, high).CopyTo(quotients[index..]);
        }

        return Reference.TryDivide(source[index..], divisor, quotients[index..]);
    }

    /// <summary>m' = FP32(momentum * m + g); p' = FP32(p - rate * (g + momentum * m')); false when one does not fit.</summary>
    /// <remarks>DiLoCo, arXiv:2311.08105, algorithm 1, with Nesterov momentum. Outputs may be the inputs.</remarks>
    internal static bool TryNesterov(
        ReadOnlySpan<float> gradient, double rate, double momentum,
        ReadOnlySpan<float> p, ReadOnlySpan<float> m, Span<float> newP, Span<float> newM)
    {
        Vector256<double> rates = Vector256.Create(rate);
        Vector256<double> momenta = Vector256.Create(momentum);
        int index = 0;
        for (; index <= gradient.Length - FloatLanes; index += FloatLanes)
        {
            (Vector256<double> g0, Vector256<double> g1) = Vector256.Widen(Vector256.Create(gradient[index..]));
            (Vector256<double> p0, Vector256<double> p1) = Vector256.Widen(Vector256.Create(p[index..]));
            (Vector256<double> m0, Vector256<double> m1) = Vector256.Widen(Vector256.Create(m[index..]));
            m0 = (momenta * m0) + g0;
            m1 = (momenta * m1) + g1;
            if (!Fit(m0) || !Fit(m1))
            {
                return false;
            }

            Vector256<float> newMomentum = Vector256.Narrow(m0, m1);
            (m0, m1) = Vector256.Widen(newMomentum);
            p0 -= rates * (g0 + (momenta * m0));
            p1 -= rates * (g1 + (momenta * m1));
            if (!Fit(p0) || !Fit(p1))
            {
                return false;
            }

            newMomentum.CopyTo(newM[index..]);
            Vector256.Narrow(p0, p1).CopyTo(newP[index..]);
        }

        return Reference.TryNesterov(gradient[index..], rate, momentum, p[index..], m[index..], newP[index..], newM[index..]);
    }

    /// <summary>update = (start - end) + residual, in FP32; the residual may be empty, for none.</summary>
    internal static void Difference(ReadOnlySpan<float> start, ReadOnlySpan<float> end, ReadOnlySpan<float> residual, Span<float> update)
    {
        int index = 0;
        for (; index <= update.Length - FloatLanes; index += FloatLanes)
        {
            Vector256<float> difference = Vector256.Create(start[index..]) - Vector256.Create(end[index..]);
            (residual.IsEmpty ? difference : difference + Vector256.Create(residual[index..])).CopyTo(update[index..]);
        }

        for (; index < update.Length; index++)
        {
            float difference = start[index] - end[index];
            update[index] = residual.IsEmpty ? difference : difference + residual[index];
        }
    }

    /// <summary>Whether doubles can become FP32 numbers without overflow; false for NaN.</summary>
    private static bool Fit(Vector256<double> values) =>
        Vector256.LessThanOrEqualAll(Vector256.Abs(values), Vector256.Create((double)float.MaxValue));
}
