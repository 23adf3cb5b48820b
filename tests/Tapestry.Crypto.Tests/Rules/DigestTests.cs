using FluentAssertions;
using Xunit;

namespace Tapestry.Crypto.Tests.Rules;

public sealed class DigestTests
{
    [Fact]
    public void Pieces_give_the_digest_of_the_whole()
    {
        using Sha256 hash = new();
        hash.Append("ab"u8);
        hash.Append("c"u8);
        hash.FinishAndReset().Should().Be(Digest.Of("abc"u8));
        hash.FinishAndReset().Should().Be(Digest.Of([]), "the next piece starts anew");
    }

    [Fact]
    public void Digests_are_ordered_as_byte_strings()
    {
        byte[] low = new byte[32];
        for (int i = 0; i < 32; i++)
        {
            byte[] high = new byte[32];
            high[i] = 0x80;
            new Digest(low).CompareTo(new Digest(high)).Should().BeNegative();
            new Digest(high).CompareTo(new Digest(low)).Should().BePositive();
            new Digest(high).ToArray().Should().Equal(high);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("zz00000000000000000000000000000000000000000000000000000000000000")]
    public void Text_that_is_no_digest_is_refused(string? text) => Digest.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void Text_of_either_case_is_read_and_lower_case_is_written()
    {
        Digest digest = Digest.Of("x"u8);
        Digest.TryParse(digest.ToString().ToUpperInvariant(), out Digest read).Should().BeTrue();
        read.Should().Be(digest);
    }
}
