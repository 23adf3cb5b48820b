using FluentAssertions;
using Tapestry.Libp2p.Yamux;
using Xunit;
using static Tapestry.Libp2p.Yamux.YamuxFlags;
using static Tapestry.Libp2p.Yamux.YamuxFrameType;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

public sealed class YamuxHostilePeerTests : IDisposable
{
    private const int Window = YamuxLimits.InitialWindowBytes;
    private readonly CancellationTokenSource _late = new(TimeSpan.FromSeconds(30));

    private CancellationToken Late => _late.Token;

    public void Dispose() => _late.Dispose();

    [Theory]
    [InlineData("010000000000000100000000", YamuxFault.UnknownVersion)]
    [InlineData("000700000000000100000000", YamuxFault.UnknownType)]
    [InlineData("000100200000000100000000", YamuxFault.UnknownFlags)]
    [InlineData("000000010000000000000000", YamuxFault.WrongStreamId)]
    [InlineData("000100010000000200000000", YamuxFault.WrongStreamId)]
    [InlineData("000100010000000100000000000100010000000100000000", YamuxFault.StreamIdReused)]
    [InlineData("000100090000000100000000000100010000000100000000", YamuxFault.StreamIdReused)]
    [InlineData("000000000000000300000005", YamuxFault.UnknownStream)]
    [InlineData("000000010000000100040001", YamuxFault.WindowExceeded)]
    [InlineData("0000000100000001FFFFFFFF", YamuxFault.WindowExceeded)]
    [InlineData("0001000100000001FFFFFFFF", YamuxFault.WindowOverflow)]
    [InlineData("000100050000000100000000000000000000000100000001", YamuxFault.DataAfterFin)]
    [InlineData("00010009000000010000000000000000000000017FFFFFFF", YamuxFault.TooLarge)]
    [InlineData("000200020000000000000009", YamuxFault.UnrequestedPing)]
    [InlineData("000300000000000000000002", YamuxFault.RemoteSaysInternalError)]
    public async Task A_violation_ends_the_session_with_its_name_and_a_goodbye(string hex, YamuxFault fault)
    {
        await using RawPeer peer = new();
        await peer.SendAsync(Convert.FromHexString(hex));

        YamuxGoAway reason = await peer.ReceiveGoodbyeAsync(Late);

        await peer.Session.Completion.WaitAsync(Late);
        peer.Session.Fault.Should().Be(fault);
        reason.Should().Be(fault == YamuxFault.RemoteSaysInternalError ? YamuxGoAway.Normal : YamuxGoAway.ProtocolError);
    }

    [Theory]
    [InlineData("00", YamuxFault.Truncated)]
    [InlineData("0001000100000001000000", YamuxFault.Truncated)]
    [InlineData("00000001000000010000000541", YamuxFault.Truncated)]
    [InlineData("", YamuxFault.ChannelLost)]
    [InlineData("000300000000000000000000", YamuxFault.None)]
    public async Task A_channel_that_ends_is_judged_by_where_it_ends(string hex, YamuxFault fault)
    {
        await using RawPeer peer = new();
        await peer.SendAsync(Convert.FromHexString(hex));
        await peer.EndAsync();
        await peer.Session.Completion.WaitAsync(Late);
        peer.Session.Fault.Should().Be(fault);
    }

    [Fact]
    public async Task A_channel_that_ends_inside_the_last_data_of_a_stream_ends_its_reader_too()
    {
        await using RawPeer peer = new();
        await peer.SendAsync(WindowUpdate, Syn, 1, 0);
        Libp2pStream stream = (await peer.Session.AcceptStreamAsync(Late))!;
        await stream.CompleteWriteAsync(Late);

        await peer.SendAsync(Data, Fin, 1, 10, payload: 5);
        await peer.EndAsync();

        await peer.Session.Completion.WaitAsync(Late);
        await FluentActions.Awaiting(async () => await stream.Input.ReadAtLeastAsync(10, Late)).Should().ThrowAsync<Libp2pException>();
    }

    [Fact]
    public async Task The_window_counts_over_frames_and_comes_back_only_by_reading()
    {
        await using RawPeer peer = new();
        await peer.SendAsync(Data, Syn, 1, Window / 2, Window / 2);
        await peer.SendAsync(Data, None, 1, Window / 2, Window / 2);
        Libp2pStream stream = (await peer.Session.AcceptStreamAsync(Late))!;
        (await stream.Input.ReadAtLeastAsync(Window, Late)).Buffer.Length.Should().Be(Window);
        await peer.SendAsync(Data, None, 1, 1, 1);
        (await peer.ReceiveGoodbyeAsync(Late)).Should().Be(YamuxGoAway.ProtocolError);
        await peer.Session.Completion.WaitAsync(Late);
        peer.Session.Fault.Should().Be(YamuxFault.WindowExceeded);
        (await peer.Session.Completion).Should().Be(Libp2pFault.YamuxWindowExceeded);
    }

    [Fact]
    public async Task A_hundred_thousand_pings_are_all_echoed_in_order_to_a_peer_that_reads_them()
    {
        await using RawPeer peer = new();
        const uint AtOnce = 1000;
        for (uint first = 0; first < 100_000; first += AtOnce)
        {
            for (uint i = first; i < first + AtOnce; i++)
            {
                await peer.SendAsync(Ping, Syn, 0, i);
            }

            for (uint i = first; i < first + AtOnce; i++)
            {
                YamuxHeader answer = await peer.ReceiveAsync(Late);
                if (answer != new YamuxHeader(Ping, Ack, 0, i))
                {
                    answer.Should().Be(new YamuxHeader(Ping, Ack, 0, i));
                }
            }
        }
    }

    [Fact]
    public async Task Pings_whose_answers_are_not_read_end_the_session()
    {
        await using RawPeer peer = new(new YamuxLimits { GoodbyeTimeout = TimeSpan.FromMilliseconds(50) });
        while (!(await peer.SendAsync(Ping, Syn, 0, 1)).IsCompleted)
        {
        }

        await peer.Session.Completion.WaitAsync(Late);
        peer.Session.Fault.Should().Be(YamuxFault.Flood);
    }

    [Fact]
    public async Task Streams_that_are_opened_and_never_accepted_are_refused_beyond_256()
    {
        await using RawPeer peer = new();
        for (uint i = 0; i < 300; i++)
        {
            await peer.SendAsync(WindowUpdate, Syn, (2 * i) + 1, 0);
        }

        for (uint i = 256; i < 300; i++)
        {
            (await peer.ReceiveAsync(Late)).Should().Be(new YamuxHeader(WindowUpdate, Rst, (2 * i) + 1, 0));
        }

        peer.Session.StreamCount.Should().Be(256);
    }

    [Fact]
    public async Task Data_after_our_reset_is_skipped_and_the_session_lives()
    {
        await using RawPeer peer = new();
        await peer.SendAsync(Data, Syn, 1, 10, 10);
        (await peer.Session.AcceptStreamAsync(Late))!.Reset();
        (await peer.ReceiveAsync(Late)).Should().Be(new YamuxHeader(WindowUpdate, Rst, 1, 0));
        await peer.SendAsync(Data, None, 1, 5000, 5000);
        await peer.SendAsync(Data, Fin, 1, 5000, 5000);
        await peer.SendAsync(Ping, Syn, 0, 3);
        (await peer.ReceiveAsync(Late)).Should().Be(new YamuxHeader(Ping, Ack, 0, 3));
    }

    [Fact]
    public async Task A_peer_that_is_silent_is_asked_and_then_taken_for_lost()
    {
        ManualTime time = new();
        await using RawPeer peer = new(time: time);
        await peer.SendAsync(Ping, Syn, 0, 1);
        (await peer.ReceiveAsync(Late)).Should().Be(new YamuxHeader(Ping, Ack, 0, 1), "the session runs");

        for (uint round = 0; round < 3; round++)
        {
            time.Advance(TimeSpan.FromSeconds(30));
            time.Advance(TimeSpan.FromSeconds(30));
            (await peer.ReceiveAsync(Late)).Should().Be(new YamuxHeader(Ping, Syn, 0, round));
            await peer.SendAsync(Ping, Ack, 0, round);
            await peer.SendAsync(Ping, Syn, 0, 99);
            (await peer.ReceiveAsync(Late)).Should().Be(new YamuxHeader(Ping, Ack, 0, 99), "it is heard");
        }

        time.Advance(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(30));
        peer.Session.Completion.IsCompleted.Should().BeFalse();
        time.Advance(TimeSpan.FromSeconds(30));
        (await peer.Session.Completion.WaitAsync(Late)).Should().Be(Libp2pFault.ConnectionLost);
        peer.Session.Fault.Should().Be(YamuxFault.Silence);
    }

    [Fact]
    public async Task Random_bytes_never_do_more_than_end_the_session()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            await using RawPeer peer = new();
            byte[] noise = new byte[500];
            new Random(seed).NextBytes(noise);
            for (int i = 0; i < noise.Length; i += 12)
            {
                noise[i] = 0;
                noise[i + 1] &= 3;
                noise[i + 2] = 0;
            }

            await peer.SendAsync(noise);
            await peer.EndAsync();
            await peer.Session.Completion.WaitAsync(Late);
            peer.Session.StreamCount.Should().BeLessThan(50, "seed {0}", seed);
        }
    }
}
