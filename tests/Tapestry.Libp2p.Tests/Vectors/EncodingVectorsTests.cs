using System.Text;
using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Vectors;

/// <summary>Examples of the specifications: base58 (draft-msporny-base58-03, section 5), base 32 (RFC 4648, section 10), unsigned varints (multiformats/unsigned-varint).</summary>
public sealed class EncodingVectorsTests
{
    [Theory]
    [InlineData("48656c6c6f20576f726c6421", "2NEpo7TZRRrLZSi2U")]
    [InlineData("54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e", "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z")]
    [InlineData("0000287fb4cd", "11233QC4")]
    [InlineData("", "")]
    [InlineData("00", "1")]
    public void Base58_both_ways(string hex, string text)
    {
        byte[] bytes = Convert.FromHexString(hex);

        Base58.Encode(bytes).Should().Be(text);
        Base58.TryDecode(text, out byte[]? decoded).Should().BeTrue();
        decoded.Should().Equal(bytes);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("f", "my")]
    [InlineData("fo", "mzxq")]
    [InlineData("foo", "mzxw6")]
    [InlineData("foob", "mzxw6yq")]
    [InlineData("fooba", "mzxw6ytb")]
    [InlineData("foobar", "mzxw6ytboi")]
    public void Base32_both_ways(string plain, string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(plain);

        Base32.Encode(bytes).Should().Be(text);
        Base32.TryDecode(text, out byte[]? decoded).Should().BeTrue();
        decoded.Should().Equal(bytes);
    }

    [Theory]
    [InlineData(1UL, "01")]
    [InlineData(127UL, "7f")]
    [InlineData(128UL, "8001")]
    [InlineData(255UL, "ff01")]
    [InlineData(300UL, "ac02")]
    [InlineData(16384UL, "808001")]
    [InlineData(9223372036854775807UL, "ffffffffffffffff7f")]
    public void Varints_both_ways(ulong value, string hex)
    {
        byte[] buffer = new byte[Varint.MaximumLength];

        int length = Varint.Write(buffer, value);

        Convert.ToHexStringLower(buffer.AsSpan(0, length)).Should().Be(hex);
        Varint.LengthOf(value).Should().Be(length);
        Varint.TryRead(buffer.AsSpan(0, length), out ulong read, out int taken).Should().Be(System.Buffers.OperationStatus.Done);
        read.Should().Be(value);
        taken.Should().Be(length);
    }
}
