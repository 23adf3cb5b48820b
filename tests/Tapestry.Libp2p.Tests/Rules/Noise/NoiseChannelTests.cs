using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Noise;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Noise;

public sealed class NoiseChannelTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(value => (byte)value)];

    [Fact]
    public void Any_cut_of_the_stream_gives_the_same_bytes() =>
        Prop.ForAll<int>(seed =>
        {
            System.Random random = new(seed);
            (Stream left, Stream right) = MemoryStreams.Create(() => random.Next(1, random.Next(2, 200_000)));
            byte[] sent = new byte[random.Next(1, 600_000)];
            random.NextBytes(sent);
            PassAsync(left, right, sent, random).GetAwaiter().GetResult().AsSpan().SequenceEqual(sent).Should().BeTrue();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task Small_writes_share_one_frame_and_large_ones_fill_frames()
    {
        MemoryStream wire = new();
        NoiseWriter writer = new(wire, new NoiseCipher(Key), () => { });
        writer.Write("ab"u8);
        writer.Write("cd"u8);
        await writer.FlushAsync(Hosts.Patience);
        FrameLengths(wire).Should().Equal(4 + NoiseCipher.TagLength);

        wire.SetLength(0);
        await writer.WriteAsync(new byte[3 * 65519], Hosts.Patience);
        FrameLengths(wire).Should().Equal(65535, 65535, 65535);
        writer.Complete();
    }

    [Fact]
    public async Task Empty_frames_without_end_do_not_keep_the_thread_of_who_reads()
    {
        EmptyFrames frames = new();
        NoiseReader reader = new(frames, new NoiseCipher(Key), [], () => { });

        Task<ReadResult>[] called = await Task.Run(() => new[] { reader.ReadAsync(Hosts.Patience).AsTask() }).WaitAsync(Hosts.Patience);
        Task<ReadResult> reading = called[0];

        reading.IsCompleted.Should().BeFalse("nothing has come that could be read");
        frames.End();
        (await reading).IsCompleted.Should().BeTrue();
        reader.Complete();
    }

    [Fact]
    public async Task What_came_with_the_handshake_is_read_first()
    {
        MemoryStream wire = new();
        NoiseWriter writer = new(wire, new NoiseCipher(Key), () => { });
        await writer.WriteAsync("first "u8.ToArray(), Hosts.Patience);
        await writer.WriteAsync("second"u8.ToArray(), Hosts.Patience);
        byte[] bytes = wire.ToArray();

        for (int early = 0; early <= bytes.Length; early++)
        {
            NoiseReader reader = new(new MemoryStream(bytes[early..]), new NoiseCipher(Key), bytes.AsSpan(0, early), () => { });
            ReadResult result = await reader.ReadAtLeastAsync(12, Hosts.Patience);
            result.Buffer.ToArray().Should().Equal("first second"u8.ToArray());
            reader.Complete();
        }
    }

    [Fact]
    public async Task Unread_bytes_stay_and_examined_ones_wait_for_more()
    {
        (Stream left, Stream right) = MemoryStreams.Create();
        NoiseWriter writer = new(left, new NoiseCipher(Key), () => { });
        using NoiseReader reader = new(right, new NoiseCipher(Key), default, () => { });
        await writer.WriteAsync("abc"u8.ToArray(), Hosts.Patience);

        ReadResult result = await reader.ReadAsync(Hosts.Patience);
        reader.AdvanceTo(result.Buffer.GetPosition(1));
        result = await reader.ReadAsync(Hosts.Patience);
        result.Buffer.ToArray().Should().Equal("bc"u8.ToArray());
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        reader.TryRead(out _).Should().BeFalse("everything there was looked at");

        Task<ReadResult> more = reader.ReadAsync(Hosts.Patience).AsTask();
        await writer.WriteAsync("d"u8.ToArray(), Hosts.Patience);
        (await more).Buffer.ToArray().Should().Equal("bcd"u8.ToArray());
        writer.Complete();
    }

    [Fact]
    public async Task A_pending_read_can_be_cancelled_and_goes_on_later()
    {
        (Stream left, Stream right) = MemoryStreams.Create();
        NoiseWriter writer = new(left, new NoiseCipher(Key), () => { });
        using NoiseReader reader = new(right, new NoiseCipher(Key), default, () => { });

        Task<ReadResult> pending = reader.ReadAsync(Hosts.Patience).AsTask();
        reader.CancelPendingRead();
        (await pending).IsCanceled.Should().BeTrue();

        await writer.WriteAsync("a"u8.ToArray(), Hosts.Patience);
        (await reader.ReadAsync(Hosts.Patience)).Buffer.ToArray().Should().Equal("a"u8.ToArray());
        writer.Complete();
    }

    [Theory]
    [InlineData("000f000000000000000000000000000000", Libp2pFault.Malformed)] // shorter than a tag
    [InlineData("0000", Libp2pFault.Malformed)]
    [InlineData("00100000000000000000000000000000000000", Libp2pFault.NoiseDecryption)]
    [InlineData("0010000000", Libp2pFault.ConnectionLost)] // ends inside a message
    [InlineData("00", Libp2pFault.ConnectionLost)]
    public async Task Frames_that_break_the_rules_have_names(string hex, Libp2pFault fault)
    {
        using NoiseReader reader = new(new MemoryStream(Convert.FromHexString(hex)), new NoiseCipher(Key), default, () => { });

        Func<Task> read = async () => await reader.ReadAsync(Hosts.Patience);

        (await read.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(fault);
        (await read.Should().ThrowAsync<Libp2pException>("nothing follows a fault")).Which.Fault.Should().Be(fault);
    }

    [Fact]
    public async Task What_authenticated_before_a_fault_can_still_be_read()
    {
        MemoryStream wire = new();
        NoiseWriter writer = new(wire, new NoiseCipher(Key), () => { });
        await writer.WriteAsync("good"u8.ToArray(), Hosts.Patience);
        await writer.WriteAsync("changed"u8.ToArray(), Hosts.Patience);
        byte[] bytes = wire.ToArray();
        bytes[^1] ^= 1;
        using NoiseReader reader = new(new MemoryStream(bytes), new NoiseCipher(Key), default, () => { });

        ReadResult result = await reader.ReadAsync(Hosts.Patience);
        result.Buffer.ToArray().Should().Equal("good"u8.ToArray());
        result.IsCompleted.Should().BeFalse();
        reader.AdvanceTo(result.Buffer.End);

        Func<Task> read = async () => await reader.ReadAsync(Hosts.Patience);
        (await read.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.NoiseDecryption);
    }

    [Fact]
    public async Task A_frame_that_comes_a_second_time_does_not_authenticate()
    {
        MemoryStream wire = new();
        NoiseWriter writer = new(wire, new NoiseCipher(Key), () => { });
        await writer.WriteAsync("once"u8.ToArray(), Hosts.Patience);
        NoiseReader reader = new(new MemoryStream([.. wire.ToArray(), .. wire.ToArray()]), new NoiseCipher(Key), default, () => { });

        ReadResult once = await reader.ReadAsync(Hosts.Patience);
        once.Buffer.ToArray().Should().Equal("once"u8.ToArray());
        reader.AdvanceTo(once.Buffer.End);
        (await FluentActions.Awaiting(async () => await reader.ReadAsync(Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.NoiseDecryption);
    }

    [Fact]
    public async Task The_end_of_the_stream_between_frames_is_the_end()
    {
        using NoiseReader reader = new(new MemoryStream(), new NoiseCipher(Key), default, () => { });

        ReadResult result = await reader.ReadAsync(Hosts.Patience);

        result.IsCompleted.Should().BeTrue();
        result.Buffer.IsEmpty.Should().BeTrue();
    }

    private static async Task<byte[]> PassAsync(Stream left, Stream right, byte[] sent, System.Random random)
    {
        NoiseWriter writer = new(left, new NoiseCipher(Key), () => { });
        for (int offset = 0; offset < sent.Length;)
        {
            int length = Math.Min(random.Next(1, 150_000), sent.Length - offset);
            writer.Write(sent.AsSpan(offset, length));
            offset += length;
            if (random.Next(2) == 0)
            {
                await writer.FlushAsync(Hosts.Patience);
            }
        }

        await writer.FlushAsync(Hosts.Patience);
        writer.Complete();
        await left.DisposeAsync();

        using NoiseReader reader = new(right, new NoiseCipher(Key), default, () => { });
        using MemoryStream received = new();
        CancellationToken late = Hosts.Patience;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(late);
            long taken = Math.Min(result.Buffer.Length, random.Next(1, 200_000));
            received.Write(result.Buffer.Slice(0, taken).ToArray());
            bool lookAtAll = taken == result.Buffer.Length || random.Next(2) == 0;
            reader.AdvanceTo(result.Buffer.GetPosition(taken), lookAtAll ? result.Buffer.End : result.Buffer.GetPosition(taken));
            if (result.IsCompleted && taken == result.Buffer.Length)
            {
                return received.ToArray();
            }
        }
    }

    private static List<int> FrameLengths(MemoryStream wire)
    {
        List<int> lengths = [];
        ReadOnlySpan<byte> rest = wire.ToArray();
        while (!rest.IsEmpty)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            lengths.Add(length);
            rest = rest[(sizeof(ushort) + length)..];
        }

        return lengths;
    }

    /// <summary>A remote that always has something to say, and says nothing.</summary>
    private sealed class EmptyFrames : MemoryStream
    {
        private readonly NoiseCipher _cipher = new(Key);
        private volatile bool _hasEnded;

        public void End() => _hasEnded = true;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_hasEnded)
            {
                return ValueTask.FromResult(0);
            }

            BinaryPrimitives.WriteUInt16BigEndian(buffer.Span, NoiseCipher.TagLength);
            _cipher.Encrypt(default, default, buffer.Span.Slice(sizeof(ushort), NoiseCipher.TagLength));
            return ValueTask.FromResult(sizeof(ushort) + NoiseCipher.TagLength);
        }
    }
}
