using FluentAssertions;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Messages;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>OCP Microscaling Formats 1.0: MXINT8 as specs/30-rounds.md, section 12, takes it.</summary>
public sealed class MxInt8Tests
{
    [Theory]
    [InlineData(1f, 127, 64)]
    [InlineData(-1f, 127, -64)]
    [InlineData(1.984375f, 127, 127)]
    [InlineData(1.9999f, 127, 127)]
    [InlineData(-1.9999f, 127, -127)]
    [InlineData(2f, 128, 64)]
    [InlineData(0.75f, 126, 96)]
    [InlineData(0f, 0, 0)]
    [InlineData(float.Epsilon, 0, 0)]
    [InlineData(1.17549435e-38f, 1, 64)]
    [InlineData(float.MaxValue, 254, 127)]
    public void A_lone_value_sets_the_scale(float value, int scale, int code)
    {
        (byte scaleByte, sbyte[] codes) = Encode([value, .. new float[31]]);
        scaleByte.Should().Be((byte)scale);
        codes[0].Should().Be((sbyte)code);
        codes[1..].Should().OnlyContain(static other => other == 0);
    }

    [Theory]
    [InlineData(0.5f / 64, 0)]
    [InlineData(1.5f / 64, 2)]
    [InlineData(2.5f / 64, 2)]
    [InlineData(-0.5f / 64, 0)]
    [InlineData(-1.5f / 64, -2)]
    [InlineData(0.50001f / 64, 1)]
    public void Halves_go_to_the_even_code(float value, int code) => Encode([1, value, .. new float[30]]).Codes[1].Should().Be((sbyte)code);

    [Fact]
    public void The_reserved_scale_and_code_are_refused()
    {
        byte[] chunk = new byte[33];
        ShardCodec.TryDecode(Codec.MxInt8, chunk, new float[32]).Should().BeTrue();
        chunk[0] = 0xff;
        ShardCodec.TryDecode(Codec.MxInt8, chunk, new float[32]).Should().BeFalse();
        chunk[0] = 0;
        chunk[20] = 0x80;
        ShardCodec.TryDecode(Codec.MxInt8, chunk, new float[32]).Should().BeFalse();
        ShardCodec.TryDecode(Codec.MxInt8, [0, 0x80], new float[1]).Should().BeFalse();
    }

    [Fact]
    public void What_is_lost_is_at_most_a_hundred_and_twenty_eighth_of_the_scale_or_the_clamp()
    {
        float[] values = new Numbers(1).Fractions(16384);
        byte[] chunk = new byte[ShardCodec.Bytes(Codec.MxInt8, values.Length)];
        float[] decoded = new float[values.Length];
        ShardCodec.TryEncode(Codec.MxInt8, values, chunk).Should().BeTrue();
        ShardCodec.TryDecode(Codec.MxInt8, chunk, decoded).Should().BeTrue();
        for (int index = 0; index < values.Length; index++)
        {
            float scale = MathF.ScaleB(1, chunk[index / 32] - 127);
            Math.Abs(values[index] - decoded[index]).Should().BeLessThanOrEqualTo(scale / 64);
        }
    }

    [Fact]
    public void Scales_stand_before_elements()
    {
        float[] values = [.. Enumerable.Repeat(1f, 32), .. Enumerable.Repeat(4f, 32), 0.5f];
        byte[] chunk = new byte[ShardCodec.Bytes(Codec.MxInt8, 65)];
        ShardCodec.TryEncode(Codec.MxInt8, values, chunk).Should().BeTrue();
        chunk.Should().Equal([127, 129, 126, .. Enumerable.Repeat((byte)64, 65)]);
    }

    [Fact]
    public void Fp32_is_little_endian_and_finite()
    {
        byte[] chunk = new byte[4];
        ShardCodec.TryEncode(Codec.Fp32, [1f], chunk).Should().BeTrue();
        chunk.Should().Equal([0, 0, 0x80, 0x3f]);
        ShardCodec.TryDecode(Codec.Fp32, [0, 0, 0x80, 0x7f], new float[1]).Should().BeFalse();
    }

    private static (byte Scale, sbyte[] Codes) Encode(float[] block)
    {
        byte[] chunk = new byte[33];
        ShardCodec.TryEncode(Codec.MxInt8, block, chunk).Should().BeTrue();
        return (chunk[0], [.. chunk[1..].Select(static code => unchecked((sbyte)code))]);
    }
}
