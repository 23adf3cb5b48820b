using System.Buffers;
using System.IO.Pipelines;
using FluentAssertions;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

public sealed class YamuxEndingTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private readonly CancellationTokenSource _late = new(TimeSpan.FromSeconds(30));

    private CancellationToken Late => _late.Token;

    public void Dispose() => _late.Dispose();

    [Fact]
    public async Task A_reset_ends_the_writer_and_the_reader_of_the_other_side()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        Task writing = Numbered.WriteAsync(near.Output, 1, 64 * MiB, 64 * 1024, Late);
        Task reading = near.Input.ReadAsync(Late).AsTask();
        (await Numbered.ReadAsync(far.Input, 1, Late, 100_000)).Should().Be(100_000);

        far.Reset();

        await ShouldEnd(writing, Libp2pFault.StreamReset);
        await ShouldEnd(reading, Libp2pFault.StreamReset);
        await ShouldEnd(near.CompleteWriteAsync(Late).AsTask(), Libp2pFault.StreamReset);
        await ShouldEnd(far.Input.ReadAsync(Late).AsTask(), Libp2pFault.ClosedLocally);
        await ShouldEnd(far.Output.WriteAsync(new byte[1], Late).AsTask(), Libp2pFault.ClosedLocally);
        (Libp2pStream next, _) = await pair.OpenAsync(Late);
        next.Should().NotBeNull("the connection lives on");
    }

    [Fact]
    public async Task What_was_sent_and_finished_can_be_read_after_a_reset()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        await Numbered.WriteAsync(near.Output, 1, 50_000, 1000, Late);
        await near.CompleteWriteAsync(Late);
        await near.DisposeAsync();
        await ShouldEnd(UntilItFails(far), Libp2pFault.StreamReset);

        (await Numbered.ReadAsync(far.Input, 1, Late)).Should().Be(50_000);
    }

    [Fact]
    public async Task What_was_sent_before_a_close_arrives()
    {
        await using YamuxPair pair = await YamuxPair.OverSocketsAsync();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        Task<long> reading = Numbered.ReadAsync(far.Input, 1, Late);
        await Numbered.WriteAsync(near.Output, 1, 3 * MiB, 1000, Late);
        await near.CompleteWriteAsync(Late);
        await pair.Dialler.CloseAsync();

        (await reading).Should().Be(3 * MiB);
        (await pair.Listener.Completion.WaitAsync(Late)).Should().Be(Libp2pFault.None);
        (await pair.Dialler.Completion.WaitAsync(Late)).Should().Be(Libp2pFault.None);
    }

    [Theory]
    [InlineData(true, Libp2pFault.ClosedLocally)]
    [InlineData(false, Libp2pFault.ConnectionLost)]
    public async Task Everything_that_waits_ends_with_the_session(bool byUs, Libp2pFault fault)
    {
        await using YamuxPair pair = YamuxPair.InMemory(new YamuxLimits { UnacknowledgedMax = 2 });
        (Libp2pStream near, _) = await pair.OpenAsync(Late);
        (Libp2pStream other, _) = await pair.OpenAsync(Late);
        Task reading = near.Input.ReadAsync(Late).AsTask();
        Task writing = Numbered.WriteAsync(near.Output, 1, 64 * MiB, 64 * 1024, Late);
        Task opening = pair.Dialler.OpenStreamAsync(Late).AsTask();
        Task<Libp2pStream?> accepting = pair.Dialler.AcceptStreamAsync(Late).AsTask();

        await (byUs ? pair.Dialler : pair.Listener).CloseAsync();

        await ShouldEnd(reading, fault);
        await ShouldEnd(writing, fault);
        await ShouldEnd(opening, fault);
        await ShouldEnd(other.CompleteWriteAsync(Late).AsTask(), fault);
        await ShouldEnd(pair.Dialler.PingAsync(Late).AsTask(), fault);
        (await accepting).Should().BeNull();
        await pair.Dialler.Completion.WaitAsync(Late);
    }

    [Fact]
    public async Task A_stream_that_both_have_ended_is_disposed_without_a_reset()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        await Numbered.WriteAsync(near.Output, 1, 1000, 1000, Late);
        await near.CompleteWriteAsync(Late);
        await Numbered.ReadAsync(far.Input, 1, Late);
        await Numbered.WriteAsync(far.Output, 2, 200_000, 1000, Late);
        await far.Output.CompleteAsync();
        await far.DisposeAsync();

        (await Numbered.ReadAsync(near.Input, 2, Late)).Should().Be(200_000, "disposal lets what was written drain");
    }

    [Fact]
    public async Task A_stream_that_is_disposed_half_read_is_reset()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        await far.DisposeAsync();
        await far.DisposeAsync();
        await ShouldEnd(near.Input.ReadAsync(Late).AsTask(), Libp2pFault.StreamReset);
        far.Reset();
    }

    [Fact]
    public async Task A_cancelled_wait_leaves_the_stream_usable()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        using CancellationTokenSource impatient = new();
        Task reading = near.Input.ReadAsync(impatient.Token).AsTask();
        await impatient.CancelAsync();
        await ((Func<Task>)(() => reading)).Should().ThrowAsync<OperationCanceledException>();
        await far.Output.WriteAsync(new byte[7], Late);
        (await near.Input.ReadAsync(Late)).Buffer.Length.Should().Be(7);
    }

    [Fact]
    public async Task A_remote_that_never_reads_cannot_hold_up_our_close()
    {
        await using RawPeer remote = new(new YamuxLimits { GoodbyeTimeout = TimeSpan.FromMilliseconds(50) });
        await remote.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1, 16 * MiB);
        Libp2pStream stream = (await remote.Session.AcceptStreamAsync(Late))!;
        Task writing = Numbered.WriteAsync(stream.Output, 1, 16 * MiB, 64 * 1024, Late);
        await remote.Session.CloseAsync().AsTask().WaitAsync(Late);
        await ShouldEnd(writing, Libp2pFault.ClosedLocally);
    }

    [Theory]
    [InlineData(true, Libp2pFault.None)]
    [InlineData(false, Libp2pFault.ConnectionLost)]
    public async Task A_channel_that_breaks_is_no_fault_of_the_connection_after_a_goodbye_and_still_costs_its_streams(bool saysGoodbye, Libp2pFault fault)
    {
        await using RawPeer remote = new();
        await remote.SendAsync(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1, 0);
        Libp2pStream stream = (await remote.Session.AcceptStreamAsync(Late))!;
        if (saysGoodbye)
        {
            await remote.SendAsync(YamuxFrameType.GoAway, YamuxFlags.None, 0, (uint)YamuxGoAway.Normal);

            // A pipe that breaks drops what was not read.
            while (!remote.Session.IsLeaving)
            {
                await Task.Delay(1, Late);
            }
        }

        await remote.EndAsync(new IOException("reset by the peer"));

        await ShouldEnd(stream.Input.ReadAsync(Late).AsTask(), Libp2pFault.ConnectionLost);
        (await remote.Session.Completion.WaitAsync(Late)).Should().Be(fault);
    }

    [Fact]
    public async Task What_both_have_finished_ends_with_a_session_whose_last_frames_do_not_leave()
    {
        // A flush waits until everything is read.
        PipeOptions narrow = new(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false);
        (IDuplexPipe remote, IDuplexPipe ours) = DuplexPipes.Create(narrow);
        YamuxLimits limits = new() { GoodbyeTimeout = TimeSpan.FromMilliseconds(50) };
        YamuxConnection session = YamuxConnection.Start(ours, YamuxPair.SomePeer, isDialler: false, limits, TimeProvider.System);
        byte[] opened = new byte[YamuxHeader.Bytes];
        new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Syn | YamuxFlags.Fin, 1, 0).Write(opened);
        await remote.Output.WriteAsync(opened, Late);
        Libp2pStream stream = (await session.AcceptStreamAsync(Late))!;
        Task completing = stream.CompleteWriteAsync(Late).AsTask();
        await LookForFinAsync(remote.Input);
        session.StreamCount.Should().Be(0);

        await session.CloseAsync().AsTask().WaitAsync(Late);

        await ShouldEnd(completing, Libp2pFault.ClosedLocally);
        stream.Aborted.IsCompleted.Should().BeTrue();
    }

    // Takes everything before the frame with FIN, and does not even look at that one: a pipe counts what was looked at as read.
    private async Task LookForFinAsync(PipeReader input)
    {
        while (true)
        {
            ReadResult read = await input.ReadAtLeastAsync(YamuxHeader.Bytes, Late);
            YamuxHeader.Read(read.Buffer.Slice(0, YamuxHeader.Bytes).ToArray(), out YamuxHeader header).Should(YamuxFault.None);
            if (header.Flags.HasFlag(YamuxFlags.Fin))
            {
                input.AdvanceTo(read.Buffer.Start);
                return;
            }

            input.AdvanceTo(read.Buffer.GetPosition(YamuxHeader.Bytes));
        }
    }

    private async Task UntilItFails(Libp2pStream stream)
    {
        while (true)
        {
            await stream.Output.WriteAsync(new byte[10_000], Late);
        }
    }

    private static async Task ShouldEnd(Task task, Libp2pFault fault)
    {
        Func<Task> waiting = () => task;
        (await waiting.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(fault);
    }
}
