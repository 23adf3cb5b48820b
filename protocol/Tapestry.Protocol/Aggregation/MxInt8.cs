using System.Runtime.Intrinsics;

namespace Tapestry.Protocol.Aggregation;

/// <summary>MXINT8: blocks of 32 values with one power-of-two scale, an element being a whole number of 64ths of it.</summary>
/// <remarks>
/// OCP Microscaling Formats 1.0, sections 5.2.3, 5.4.1 and 6.3. Value = 2^(scale - 127) * code / 64. The scale byte is E8M0 and
/// equals the biased FP32 exponent of the block's largest magnitude; 0xFF, its NaN, is refused. A code is round-half-to-even of
/// value / 2^(scale - 127) * 64, held to -127..127; -128 is refused, so that the range is symmetric. Multiplying by a power of
/// two is exact wherever the code is not 0, so the codes are the same on every machine.
/// </remarks>
internal static class MxInt8
{
    /// <summary>Values that share a scale.</summary>
    internal const int BlockElements = 32;

    private const int ReservedScale = 0xff;
    private const sbyte ReservedCode = sbyte.MinValue;
    private const int LargestCode = sbyte.MaxValue;
    private const int MantissaBits = 23;
    private const int ExponentBias = 127;
    private const int MagnitudeMask = 0x7fff_ffff;

    // A code of 64 is the scale itself.
    private const int CodeBits = 6;

    internal static int Blocks(int elements) => (elements / BlockElements) + (elements % BlockElements > 0 ? 1 : 0);

    internal static bool TryEncode(ReadOnlySpan<float> values, Span<byte> scales, Span<byte> codes)
    {
        int whole = values.Length / BlockElements;
        for (int block = 0; block < whole; block++)
        {
            int first = block * BlockElements;
            ReadOnlySpan<float> source = values.Slice(first, BlockElements);
            Vector256<float> v0 = Vector256.Create(source);
            Vector256<float> v1 = Vector256.Create(source[8..]);
            Vector256<float> v2 = Vector256.Create(source[16..]);
            Vector256<float> v3 = Vector256.Create(source[24..]);
            int scale = LargestMagnitude(v0, v1, v2, v3) >> MantissaBits;
            if (scale == ReservedScale)
            {
                return false;
            }

            scales[block] = (byte)scale;
            (float first2, float second2) = EncodeFactors(scale);
            Vector256<short> low = Vector256.Narrow(Quantise(v0, first2, second2), Quantise(v1, first2, second2));
            Vector256<short> high = Vector256.Narrow(Quantise(v2, first2, second2), Quantise(v3, first2, second2));
            Vector256.Narrow(low, high).AsByte().CopyTo(codes.Slice(first, BlockElements));
        }

        int rest = whole * BlockElements;
        return rest == values.Length || TryEncodeShort(values[rest..], ref scales[whole], codes[rest..]);
    }

    internal static bool TryDecode(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> codes, Span<float> values)
    {
        int whole = values.Length / BlockElements;
        for (int block = 0; block < whole; block++)
        {
            int first = block * BlockElements;
            Vector256<sbyte> code = Vector256.Create(codes.Slice(first, BlockElements)).AsSByte();
            if (scales[block] == ReservedScale || Vector256.EqualsAny(code, Vector256.Create(ReservedCode)))
            {
                return false;
            }

            Vector256<float> factor = Vector256.Create(DecodeFactor(scales[block]));
            (Vector256<short> low, Vector256<short> high) = Vector256.Widen(code);
            (Vector256<int> c0, Vector256<int> c1) = Vector256.Widen(low);
            (Vector256<int> c2, Vector256<int> c3) = Vector256.Widen(high);
            Span<float> target = values.Slice(first, BlockElements);
            (Vector256.ConvertToSingle(c0) * factor).CopyTo(target);
            (Vector256.ConvertToSingle(c1) * factor).CopyTo(target[8..]);
            (Vector256.ConvertToSingle(c2) * factor).CopyTo(target[16..]);
            (Vector256.ConvertToSingle(c3) * factor).CopyTo(target[24..]);
        }

        int rest = whole * BlockElements;
        return rest == values.Length || TryDecodeShort(scales[whole], codes[rest..], values[rest..]);
    }

    /// <summary>The bits of the largest magnitude: FP32 numbers without their sign are ordered as integers.</summary>
    private static int LargestMagnitude(Vector256<float> v0, Vector256<float> v1, Vector256<float> v2, Vector256<float> v3)
    {
        Vector256<int> mask = Vector256.Create(MagnitudeMask);
        Vector256<int> largest = Vector256.Max(
            Vector256.Max(v0.AsInt32() & mask, v1.AsInt32() & mask),
            Vector256.Max(v2.AsInt32() & mask, v3.AsInt32() & mask));
        Vector128<int> four = Vector128.Max(largest.GetLower(), largest.GetUpper());
        Vector128<int> two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Math.Max(two.GetElement(0), two.GetElement(1));
    }

    private static Vector256<int> Quantise(Vector256<float> values, float first, float second)
    {
        Vector256<float> rounded = Vector256.Round(values * first * second);
        Vector256<float> bound = Vector256.Create((float)LargestCode);
        return Vector256.ConvertToInt32Native(Vector256.Min(Vector256.Max(rounded, -bound), bound));
    }

    /// <summary>2^(6 + 127 - scale), which FP32 cannot hold for the smallest scales, as two powers of two.</summary>
    private static (float First, float Second) EncodeFactors(int scale)
    {
        int exponent = CodeBits + ExponentBias - scale;
        int half = exponent / 2;
        return (PowerOfTwo(half), PowerOfTwo(exponent - half));
    }

    /// <summary>2^(scale - 127 - 6); subnormal for the smallest scales, and still exact.</summary>
    private static float DecodeFactor(int scale) => PowerOfTwo(scale - ExponentBias - CodeBits);

    private static float PowerOfTwo(int exponent) => BitConverter.Int32BitsToSingle(
        exponent > -ExponentBias ? (exponent + ExponentBias) << MantissaBits : 1 << (exponent + ExponentBias + MantissaBits - 1));

    // The last block of the last slice may be short: its values, and nothing for those that are not there.
    private static bool TryEncodeShort(ReadOnlySpan<float> values, ref byte scale, Span<byte> codes)
    {
        Span<float> block = stackalloc float[BlockElements];
        Span<byte> blockCodes = stackalloc byte[BlockElements];
        block.Clear();
        values.CopyTo(block);
        bool encoded = TryEncode(block, new Span<byte>(ref scale), blockCodes);
        blockCodes[..codes.Length].CopyTo(codes);
        return encoded;
    }

    private static bool TryDecodeShort(byte scale, ReadOnlySpan<byte> codes, Span<float> values)
    {
        Span<byte> blockCodes = stackalloc byte[BlockElements];
        Span<float> block = stackalloc float[BlockElements];
        blockCodes.Clear();
        codes.CopyTo(blockCodes);
        bool decoded = TryDecode([scale], blockCodes, block);
        block[..values.Length].CopyTo(values);
        return decoded;
    }
}
