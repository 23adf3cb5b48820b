using System.IO.Pipelines;
using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

public sealed class YamuxTransferTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private readonly CancellationTokenSource _late = new(TimeSpan.FromSeconds(60));

    private CancellationToken Late => _late.Token;

    public void Dispose() => _late.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sixty_four_mebibytes_cross_each_way_at_once(bool overSockets)
    {
        await using YamuxPair pair = overSockets ? await YamuxPair.OverSocketsAsync() : YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        Task<long> farRead = Numbered.ReadAsync(far.Input, 1, Late);
        Task<long> nearRead = Numbered.ReadAsync(near.Input, 2, Late);

        await Task.WhenAll(SendAsync(near, 1), SendAsync(far, 2));

        (await farRead).Should().Be(64 * MiB);
        (await nearRead).Should().Be(64 * MiB);

        async Task SendAsync(Libp2pStream stream, int sequence)
        {
            await Numbered.WriteAsync(stream.Output, sequence, 64 * MiB, 64 * 1024, Late);
            await stream.CompleteWriteAsync(Late);
        }
    }

    [Fact]
    public async Task After_a_half_close_the_other_direction_goes_on()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        await Numbered.WriteAsync(near.Output, 1, 1000, 100, Late);
        await near.CompleteWriteAsync(Late);

        (await Numbered.ReadAsync(far.Input, 1, Late)).Should().Be(1000);
        Task sending = Numbered.WriteAsync(far.Output, 2, MiB, 5000, Late);
        (await Numbered.ReadAsync(near.Input, 2, Late, MiB)).Should().Be(MiB);
        await sending;
        await far.CompleteWriteAsync(Late);
        (await near.Input.ReadAsync(Late)).IsCompleted.Should().BeTrue();
    }

    [Fact]
    public async Task Streams_that_are_not_read_keep_little_unsent_once_all_together_keep_much_and_others_get_on()
    {
        const int Budget = 512 * 1024;
        const int Piece = 64 * 1024;
        await using YamuxPair pair = YamuxPair.InMemory(new YamuxLimits { UnsentBytesMax = Budget });
        (Libp2pStream near, Libp2pStream far) = await pair.OpenHeardAsync(Late);
        int[] offered = new int[32];
        Task[] stuck = [.. Enumerable.Range(0, offered.Length).Select(OfferAsync)];
        while (offered.Min() <= YamuxLimits.InitialWindowBytes)
        {
            await Task.Delay(1, Late);
        }

        // Whatever the others keep waiting, a short message passes.
        for (int message = 0; message < 100; message++)
        {
            await near.Output.WriteAsync(new byte[1000], Late);
            await LengthPrefix.ReadExactlyAsync(far.Input, new byte[1000], Late);
        }

        stuck.Should().OnlyContain(task => !task.IsCompleted);
        pair.Dialler.Unsent.Should().BeInRange(Budget, Budget + (offered.Length * (YamuxLimits.UnsentFloor + Piece)));
        await pair.Dialler.CloseAsync();
        await Task.WhenAll(stuck).WaitAsync(Late);
        pair.Dialler.Unsent.Should().Be(0);

        async Task OfferAsync(int number)
        {
            try
            {
                Libp2pStream stream = await pair.Dialler.OpenStreamAsync(Late);
                while (true)
                {
                    Interlocked.Add(ref offered[number], Piece);
                    await stream.Output.WriteAsync(new byte[Piece], Late);
                }
            }
            catch (Libp2pException)
            {
                // The connection has ended.
            }
        }
    }

    [Fact]
    public async Task A_reader_that_does_not_read_stalls_its_stream_and_no_other()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream slow, Libp2pStream slowFar) = await pair.OpenAsync(Late);
        (Libp2pStream quick, Libp2pStream quickFar) = await pair.OpenAsync(Late);
        Task stalled = Numbered.WriteAsync(slow.Output, 1, 4 * MiB, 64 * 1024, Late);

        Task sending = Numbered.WriteAsync(quick.Output, 2, 16 * MiB, 64 * 1024, Late);
        (await Numbered.ReadAsync(quickFar.Input, 2, Late, 16 * MiB)).Should().Be(16 * MiB);
        await sending;
        stalled.IsCompleted.Should().BeFalse("its window is full");

        (await Numbered.ReadAsync(slowFar.Input, 1, Late, 4 * MiB)).Should().Be(4 * MiB);
        await stalled;
    }

    [Fact]
    public async Task Many_streams_share_the_channel_and_each_gets_its_own_bytes()
    {
        await using YamuxPair pair = await YamuxPair.OverSocketsAsync();
        Task echoing = EchoAsync(pair.Listener);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(EchoedAsync));
        await pair.Dialler.CloseAsync();
        await echoing;

        async Task EchoedAsync(int sequence)
        {
            await using Libp2pStream stream = await pair.Dialler.OpenStreamAsync(Late);
            Task sending = Numbered.WriteAsync(stream.Output, sequence, 300_000, 7001, Late);
            (await Numbered.ReadAsync(stream.Input, sequence, Late, 300_000)).Should().Be(300_000);
            await sending;
            await stream.CompleteWriteAsync(Late);
            (await stream.Input.ReadAsync(Late)).IsCompleted.Should().BeTrue();
        }
    }

    [Fact]
    public async Task A_thousand_streams_are_opened_and_closed_and_nothing_is_left()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        Task echoing = EchoAsync(pair.Listener);
        for (int batch = 0; batch < 10; batch++)
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
            {
                await using Libp2pStream stream = await pair.Dialler.OpenStreamAsync(Late);
                await Numbered.WriteAsync(stream.Output, i, 100, 100, Late);
                await stream.CompleteWriteAsync(Late);
                (await Numbered.ReadAsync(stream.Input, i, Late)).Should().Be(100);
            }));
        }

        pair.Dialler.StreamCount.Should().Be(0);
        await pair.Dialler.CloseAsync();
        await echoing;
        pair.Listener.StreamCount.Should().Be(0);
    }

    [Fact]
    public async Task A_thousand_streams_are_open_at_once_if_they_are_acknowledged()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        List<Libp2pStream> streams = [];
        for (int i = 0; i < 1000; i++)
        {
            (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
            await far.Output.WriteAsync(new byte[1], Late);
            (await near.Input.ReadAsync(Late)).Buffer.Length.Should().Be(1);
            streams.Add(near);
        }

        Func<Task> oneMore = async () => await pair.Dialler.OpenStreamAsync(Late);
        (await oneMore.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.ResourceLimit);
        streams[500].Reset();
        (await pair.Dialler.OpenStreamAsync(Late)).Should().NotBeNull();
    }

    [Fact]
    public async Task Opening_waits_while_256_streams_are_unacknowledged()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        List<Libp2pStream> theirs = [];
        await pair.OpenHeardAsync(Late);
        for (int i = 0; i < 256; i++)
        {
            theirs.Add((await pair.OpenAsync(Late)).Listener);
        }

        Task<Libp2pStream> waiting = pair.Dialler.OpenStreamAsync(Late).AsTask();
        waiting.IsCompleted.Should().BeFalse();
        await theirs[0].Output.WriteAsync(new byte[1], Late);
        await waiting;
    }

    [Fact]
    public async Task Before_anything_has_come_from_the_remote_eight_streams_are_opened()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        List<Libp2pStream> theirs = [];
        for (int i = 0; i < YamuxLimits.OpenedUnheardMax; i++)
        {
            theirs.Add((await pair.OpenAsync(Late)).Listener);
        }

        Task<Libp2pStream>[] waiting = [.. Enumerable.Range(0, 200).Select(_ => pair.Dialler.OpenStreamAsync(Late).AsTask())];
        waiting.Should().OnlyContain(open => !open.IsCompleted);
        await theirs[0].Output.WriteAsync(new byte[1], Late);
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task Bulk_data_makes_the_receiver_measure_the_round_trip_that_growth_needs()
    {
        await using YamuxPair pair = await YamuxPair.OverSocketsAsync();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        Task<long> reading = Numbered.ReadAsync(far.Input, 1, Late);
        await Numbered.WriteAsync(near.Output, 1, 32 * MiB, 64 * 1024, Late);
        await near.CompleteWriteAsync(Late);
        (await reading).Should().Be(32 * MiB);
        pair.Listener.RoundTrip.Should().NotBeNull();
    }

    [Fact]
    public async Task What_an_application_does_not_want_is_dropped_and_the_sender_goes_on()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (Libp2pStream near, Libp2pStream far) = await pair.OpenAsync(Late);
        await far.Input.CompleteAsync();
        await Numbered.WriteAsync(near.Output, 1, 4 * MiB, 64 * 1024, Late);
        await near.CompleteWriteAsync(Late);
    }

    [Fact]
    public async Task Pings_measure_the_round_trip_both_ways()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        (await pair.Dialler.PingAsync(Late)).Should().BePositive();
        (await pair.Listener.PingAsync(Late)).Should().BePositive();
    }

    [Fact]
    public async Task A_stream_that_only_listens_is_announced_when_it_is_read()
    {
        await using YamuxPair pair = YamuxPair.InMemory();
        Libp2pStream near = await pair.Dialler.OpenStreamAsync(Late);
        ValueTask<ReadResult> reading = near.Input.ReadAsync(Late);
        Libp2pStream far = (await pair.Listener.AcceptStreamAsync(Late))!;
        await far.Output.WriteAsync(new byte[3], Late);
        (await reading).Buffer.Length.Should().Be(3);
    }

    private async Task EchoAsync(YamuxConnection connection)
    {
        List<Task> handlers = [];
        while (await connection.AcceptStreamAsync(Late) is Libp2pStream stream)
        {
            handlers.Add(EchoAsync(stream));
        }

        await Task.WhenAll(handlers);
    }

    private async Task EchoAsync(Libp2pStream stream)
    {
        await using (stream)
        {
            await stream.Input.CopyToAsync(stream.Output, Late);
            await stream.CompleteWriteAsync(Late);
        }
    }
}
