using FluentAssertions;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Messages;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>Every fast kernel gives the bits of its slow reference, at every length and for numbers of every magnitude.</summary>
public sealed class KernelTests
{
    public static TheoryData<int> Lengths => [1, 7, 8, 9, 31, 32, 33, 63, 64, 100, 4096, 16384, 16389];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Scaled_sums_are_those_of_the_reference(int length)
    {
        Numbers numbers = new((ulong)length);
        double[] fast = [.. numbers.Varied(length).Select(static value => (double)value)];
        double[] slow = [.. fast];
        for (int member = 0; member < 5; member++)
        {
            float[] values = numbers.Varied(length);
            double factor = numbers.Fraction() * 12345.678;
            Elementwise.AddScaled(fast, factor, values);
            Reference.AddScaled(slow, factor, values);
        }

        Bits(fast).Should().Equal(Bits(slow));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Quotients_are_those_of_the_reference(int length)
    {
        Numbers numbers = new((ulong)length);
        double[] sums = [.. numbers.Varied(length).Select(value => value * 1.0000001)];
        float[] fast = new float[length];
        float[] slow = new float[length];
        bool fits = Elementwise.TryDivide(sums, 7, fast);
        Reference.TryDivide(sums, 7, slow).Should().Be(fits);
        fits.Should().BeTrue();
        Bits(fast).Should().Equal(Bits(slow));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Outer_steps_are_those_of_the_reference(int length)
    {
        Numbers numbers = new((ulong)length);
        float[] g = [.. numbers.Varied(length).Select(static value => value / 8)];
        float[] p = [.. numbers.Varied(length).Select(static value => value / 8)];
        float[] m = [.. numbers.Varied(length).Select(static value => value / 8)];
        (float[] fastP, float[] fastM, float[] slowP, float[] slowM) = (new float[length], new float[length], new float[length], new float[length]);
        Elementwise.TryNesterov(g, 0.7, 0.9, p, m, fastP, fastM).Should().BeTrue();
        Reference.TryNesterov(g, 0.7, 0.9, p, m, slowP, slowM).Should().BeTrue();
        Bits(fastP).Should().Equal(Bits(slowP));
        Bits(fastM).Should().Equal(Bits(slowM));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Blocks_are_those_of_the_reference(int length)
    {
        Numbers numbers = new((ulong)length);
        for (int run = 0; run < 20; run++)
        {
            float[] values = run % 2 == 0 ? numbers.Varied(length) : numbers.Fractions(length, MathF.ScaleB(1, (run * 13) - 140));
            (byte[] fast, byte[] slow) = (new byte[ShardCodec.Bytes(Codec.MxInt8, length)], new byte[ShardCodec.Bytes(Codec.MxInt8, length)]);
            int scales = MxInt8.Blocks(length);
            ShardCodec.TryEncode(Codec.MxInt8, values, fast).Should().BeTrue();
            Reference.TryEncodeMxInt8(values, slow.AsSpan(0, scales), slow.AsSpan(scales)).Should().BeTrue();
            fast.Should().Equal(slow);
            (float[] decoded, float[] expected) = (new float[length], new float[length]);
            ShardCodec.TryDecode(Codec.MxInt8, fast, decoded).Should().BeTrue();
            Reference.TryDecodeMxInt8(slow.AsSpan(0, scales), slow.AsSpan(scales), expected).Should().BeTrue();
            Bits(decoded).Should().Equal(Bits(expected));
        }
    }

    [Fact]
    public void Every_scale_and_code_decodes_as_the_reference_does()
    {
        byte[] codes = [.. Enumerable.Range(0, 256).Where(static code => code != 128).Select(static code => (byte)code), 1];
        for (int scale = 0; scale < 255; scale++)
        {
            byte[] scales = [.. Enumerable.Repeat((byte)scale, 8)];
            (float[] decoded, float[] expected) = (new float[256], new float[256]);
            MxInt8.TryDecode(scales, codes, decoded).Should().BeTrue();
            Reference.TryDecodeMxInt8(scales, codes, expected).Should().BeTrue();
            Bits(decoded).Should().Equal(Bits(expected));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(32)]
    public void What_does_not_fit_is_refused_wherever_it_stands(int at)
    {
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            float[] values = new float[33];
            values[at] = bad;
            Elementwise.AreFinite(values).Should().BeFalse();
            MxInt8.TryEncode(values, new byte[2], new byte[33]).Should().BeFalse();
            double[] sums = new double[33];
            sums[at] = bad;
            Elementwise.TryDivide(sums, 1, new float[33]).Should().BeFalse();
            sums[at] = 3.5e38;
            Elementwise.TryDivide(sums, 1, new float[33]).Should().BeFalse();
            values[at] = float.MaxValue;
            Elementwise.TryNesterov(values, 1, 0.9, new float[33], [.. Enumerable.Repeat(float.MaxValue, 33)], new float[33], new float[33]).Should().BeFalse();
        }
    }

    [Fact]
    public void This_machine_computes_as_the_rules_assume() => MachineCheck.Check().Should().Be(MachineFault.None);

    private static long[] Bits(double[] values) => [.. values.Select(BitConverter.DoubleToInt64Bits)];

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
