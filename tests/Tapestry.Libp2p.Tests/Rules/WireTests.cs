using System.Buffers;
using System.IO.Pipelines;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

public sealed class WireTests
{
    [Theory]
    [InlineData("8000")] // two bytes for zero
    [InlineData("ff8000")]
    [InlineData("808080808080808080" + "01")] // ten bytes
    public void Varints_that_are_not_the_shortest_are_refused(string hex) =>
        Varint.TryRead(Convert.FromHexString(hex), out _, out _).Should().Be(OperationStatus.InvalidData);

    [Fact]
    public void A_varint_that_is_cut_off_needs_more() =>
        Varint.TryRead([0x80], out _, out _).Should().Be(OperationStatus.NeedMoreData);

    [Fact]
    public void Protobuf_fields_of_every_kind_are_read_or_passed_over()
    {
        ProtobufWriter writer = new();
        writer.WriteUInt64(1, ulong.MaxValue);
        writer.WriteText(2, "text");
        // Field 3, fixed 64; field 4, fixed 32; then field 5.
        byte[] message = [.. writer.Written, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x28, 0x07];

        ProtobufReader reader = new(message);
        reader.TryReadTag().Should().BeTrue();
        reader.ReadUInt64().Should().Be(ulong.MaxValue);
        reader.TryReadTag().Should().BeTrue();
        reader.ReadBytes(4).Length.Should().Be(4);
        reader.TryReadTag().Should().BeTrue();
        reader.SkipValue();
        reader.TryReadTag().Should().BeTrue();
        reader.SkipValue();
        reader.TryReadTag().Should().BeTrue();
        reader.Field.Should().Be(5);
        reader.ReadUInt64().Should().Be(7);
        reader.TryReadTag().Should().BeFalse();
        reader.Malformed.Should().BeFalse();
    }

    [Theory]
    [InlineData("00")] // field 0
    [InlineData("0b")] // a group
    [InlineData("0a05616263")] // longer than the message
    [InlineData("0affffffffffffffffff01")]
    [InlineData("08")]
    [InlineData("08ffffffffffffffffffff01")] // eleven bytes
    [InlineData("09010203")]
    public void Malformed_protobuf_is_noticed(string hex)
    {
        ProtobufReader reader = new(Convert.FromHexString(hex));
        while (reader.TryReadTag())
        {
            reader.SkipValue();
        }

        reader.Malformed.Should().BeTrue();
    }

    [Fact]
    public void A_field_longer_than_its_bound_is_malformed()
    {
        ProtobufReader reader = new([0x0a, 2, 1, 1]);
        reader.TryReadTag().Should().BeTrue();
        reader.ReadBytes(1).IsEmpty.Should().BeTrue();
        reader.Malformed.Should().BeTrue();
    }

    [Fact]
    public void No_bytes_make_the_readers_throw() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            IdentifyMessage.TryRead(bytes, out _);
            IdentityKey.TryRead(bytes, out _);
            PeerId.TryRead(bytes, out _);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Identify_messages_survive_the_wire_and_unknown_fields()
    {
        IdentifyMessage message = new()
        {
            PublicKey = Hosts.Identity(1).PublicKey,
            ListenAddresses = [Multiaddr.Parse("/ip4/192.0.2.1/tcp/1")],
            Protocols = ["/a/1", "/b/2"],
            ObservedAddress = Multiaddr.Parse("/ip6/::1/tcp/2"),
            AgentVersion = "agent",
        };
        // Field 8 is js-libp2p's signed peer record; field 2 once more is an address of a transport that we do not speak.
        byte[] bytes = [.. message.ToArray(), 0x42, 1, 0, 0x12, 2, 0x91, 0x02];

        IdentifyMessage.TryRead(bytes, out IdentifyMessage? read).Should().BeTrue();

        read!.ToArray().Should().Equal(message.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024) + 1)]
    [InlineData(300_000)]
    public async Task Length_prefixed_messages_arrive_whole_and_leave_the_rest(int length)
    {
        Pipe pipe = new(new PipeOptions(pauseWriterThreshold: 0));
        byte[] message = new byte[length];
        new System.Random(length).NextBytes(message);
        await LengthPrefix.WriteAsync(pipe.Writer, message, Hosts.Patience);
        pipe.Writer.Write((ReadOnlySpan<byte>)[1, 2, 3]);
        await pipe.Writer.FlushAsync(Hosts.Patience);
        await pipe.Writer.CompleteAsync();

        (await LengthPrefix.ReadAsync(pipe.Reader, length, Hosts.Patience)).Should().Equal(message);

        ReadResult rest = await pipe.Reader.ReadAsync(Hosts.Patience);
        rest.Buffer.ToArray().Should().Equal(1, 2, 3);
    }

    [Theory]
    [InlineData("05" + "00000000", 8, Libp2pFault.ConnectionLost)]
    [InlineData("80", 8, Libp2pFault.ConnectionLost)]
    [InlineData("09", 8, Libp2pFault.TooLarge)]
    [InlineData("ffffffffffffffff7f", 8, Libp2pFault.TooLarge)]
    [InlineData("8000", 8, Libp2pFault.Malformed)]
    public async Task Length_prefixed_faults_have_names(string hex, int maximumLength, Libp2pFault fault)
    {
        Pipe pipe = new();
        await pipe.Writer.WriteAsync(Convert.FromHexString(hex), Hosts.Patience);
        await pipe.Writer.CompleteAsync();

        Func<Task> read = async () => await LengthPrefix.ReadAsync(pipe.Reader, maximumLength, Hosts.Patience);

        (await read.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(fault);
    }

    [Fact]
    public async Task The_end_before_a_message_is_no_fault()
    {
        Pipe pipe = new();
        await pipe.Writer.CompleteAsync();

        (await LengthPrefix.ReadAsync(pipe.Reader, 8, Hosts.Patience)).Should().BeNull();
    }
}
