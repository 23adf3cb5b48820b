using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Yamux;

public sealed class YamuxHeaderTests
{
    [Theory]
    [InlineData("000000010000000100000000", 0, 1, 1u, 0u)]
    [InlineData("000100020000000600040000", 1, 2, 6u, 262144u)]
    [InlineData("000100040000000700000000", 1, 4, 7u, 0u)]
    [InlineData("000200010000000012345678", 2, 1, 0u, 0x12345678u)]
    [InlineData("000300000000000000000001", 3, 0, 0u, 1u)]
    public void A_header_has_the_bytes_of_the_specification(string hex, int type, int flags, uint streamId, uint length)
    {
        YamuxHeader header = new((YamuxFrameType)type, (YamuxFlags)flags, streamId, length);
        byte[] written = new byte[YamuxHeader.Bytes];

        header.Write(written);

        Convert.ToHexString(written).Should().BeEquivalentTo(hex);
        YamuxHeader.Read(written, out YamuxHeader read).Should().Be(YamuxFault.None);
        read.Should().Be(header);
    }

    [Theory]
    [InlineData("010000000000000100000000", YamuxFault.UnknownVersion)]
    [InlineData("FF0200010000000000000000", YamuxFault.UnknownVersion)]
    [InlineData("000400000000000100000000", YamuxFault.UnknownType)]
    [InlineData("00FF00000000000000000000", YamuxFault.UnknownType)]
    [InlineData("000000100000000100000000", YamuxFault.UnknownFlags)]
    [InlineData("000180000000000100000000", YamuxFault.UnknownFlags)]
    [InlineData("000000000000000000000000", YamuxFault.WrongStreamId)]
    [InlineData("000100010000000000000000", YamuxFault.WrongStreamId)]
    [InlineData("000200010000000100000000", YamuxFault.WrongStreamId)]
    [InlineData("000300000000000200000000", YamuxFault.WrongStreamId)]
    [InlineData("000200000000000000000000", YamuxFault.WrongFlags)]
    [InlineData("000200030000000000000000", YamuxFault.WrongFlags)]
    [InlineData("000200050000000000000000", YamuxFault.WrongFlags)]
    [InlineData("000300010000000000000000", YamuxFault.WrongFlags)]
    public void A_header_that_the_specification_forbids_is_a_named_fault(string hex, YamuxFault expected) =>
        YamuxHeader.Read(Convert.FromHexString(hex), out _).Should().Be(expected);

    [Fact]
    public void Any_twelve_bytes_either_fault_or_are_written_back_the_same()
    {
        Gen<byte[]> likely = Gen.ArrayOf(Gen.OneOf(Gen.Elements<byte>(0, 1, 2, 3, 4, 8), ArbMap.Default.GeneratorFor<byte>()), 12);
        Prop.ForAll(Arb.From(likely), bytes =>
        {
            if (YamuxHeader.Read(bytes, out YamuxHeader header) == YamuxFault.None)
            {
                byte[] written = new byte[YamuxHeader.Bytes];
                header.Write(written);
                written.Should().Equal(bytes);
            }
        }).QuickCheckThrowOnFailure();
    }
}
