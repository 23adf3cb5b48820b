namespace Tapestry.Protocol.Aggregation;

/// <summary>The arithmetic of a round as the specification says it, one element at a time: slow, obvious, and always right.</summary>
/// <remarks>specs/30-rounds.md, sections 12 and 13. Tests hold the fast kernels against it, bit by bit.</remarks>
internal static class Reference
{
    private const double LargestCode = 127;

    internal static void AddScaled(Span<double> sums, double factor, ReadOnlySpan<float> values)
    {
        for (int index = 0; index < values.Length; index++)
        {
            double product = factor * values[index];
            sums[index] += product;
        }
    }

    internal static bool TryDivide(ReadOnlySpan<double> sums, double divisor, Span<float> quotients)
    {
        for (int index = 0; index < quotients.Length; index++)
        {
            double quotient = sums[index] / divisor;
            if (!Fits(quotient))
            {
                return false;
            }

            quotients[index] = (float)quotient;
        }

        return true;
    }

    internal static bool TryNesterov(
        ReadOnlySpan<float> gradient, double rate, double momentum,
        ReadOnlySpan<float> p, ReadOnlySpan<float> m, Span<float> newP, Span<float> newM)
    {
        for (int index = 0; index < gradient.Length; index++)
        {
            double g = gradient[index];
            double newMomentum = (momentum * m[index]) + g;
            if (!Fits(newMomentum))
            {
                return false;
            }

            float storedMomentum = (float)newMomentum;
            double newParameter = p[index] - (rate * (g + (momentum * storedMomentum)));
            if (!Fits(newParameter))
            {
                return false;
            }

            newM[index] = storedMomentum;
            newP[index] = (float)newParameter;
        }

        return true;
    }

    internal static bool TryEncodeMxInt8(ReadOnlySpan<float> values, Span<byte> scales, Span<byte> codes)
    {
        for (int first = 0; first < values.Length; first += MxInt8.BlockElements)
        {
            ReadOnlySpan<float> block = values[first..Math.Min(first + MxInt8.BlockElements, values.Length)];
            double largest = 0;
            foreach (float value in block)
            {
                if (!float.IsFinite(value))
                {
                    return false;
                }

                largest = Math.Max(largest, Math.Abs((double)value));
            }

            // ILogB is floor(log2), read off the exponent bits; below 2^-127 the scale stays there.
            int exponent = largest == 0 ? -127 : Math.Max(-127, Math.ILogB(largest));
            scales[first / MxInt8.BlockElements] = (byte)(exponent + 127);
            for (int index = 0; index < block.Length; index++)
            {
                double code = Math.Round(Math.ScaleB(block[index], 6 - exponent), MidpointRounding.ToEven);
                codes[first + index] = unchecked((byte)(sbyte)Math.Clamp(code, -LargestCode, LargestCode));
            }
        }

        return true;
    }

    internal static bool TryDecodeMxInt8(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> codes, Span<float> values)
    {
        for (int index = 0; index < values.Length; index++)
        {
            byte scale = scales[index / MxInt8.BlockElements];
            sbyte code = unchecked((sbyte)codes[index]);
            if (scale == 0xff || code == sbyte.MinValue)
            {
                return false;
            }

            values[index] = (float)Math.ScaleB(code, scale - 127 - 6);
        }

        return true;
    }

    // False for NaN.
    private static bool Fits(double value) => Math.Abs(value) <= float.MaxValue;
}
