using FluentAssertions;
using Tapestry.Libp2p.Yamux;
using Xunit;
using static Tapestry.Libp2p.Yamux.YamuxEvents;
using static Tapestry.Libp2p.Yamux.YamuxFault;

namespace Tapestry.Libp2p.Tests.Rules.Yamux;

/// <summary>Every frame in every state of a stream, as a table.</summary>
public sealed class YamuxSessionTests
{
    private const YamuxFrameType Data = YamuxFrameType.Data;
    private const YamuxFrameType Window = YamuxFrameType.WindowUpdate;
    private const YamuxFlags Syn = YamuxFlags.Syn;
    private const YamuxFlags Ack = YamuxFlags.Ack;
    private const YamuxFlags Fin = YamuxFlags.Fin;
    private const YamuxFlags Rst = YamuxFlags.Rst;
    private const YamuxFlags Plain = YamuxFlags.None;
    private static readonly TimeSpan Now = TimeSpan.FromSeconds(1);

    private static WindowBudget Boundless => new(long.MaxValue);

    /// <summary>What a stream has been through; ours are odd, theirs even.</summary>
    public enum Is
    {
        OursNever,
        TheirsNever,
        OursOpen,
        TheirsOpen,
        OursTheyFinished,
        TheirsTheyFinished,
        OursWeFinished,
        TheirsWeFinished,
        OursClosed,
        TheirsClosed,
        OursResetByUs,
        TheirsResetByThem,
    }

    /// <summary>The table: state, frame, the fault or the events that follow.</summary>
    public static TheoryData<Is, string, YamuxFault, string> Table()
    {
        TheoryData<Is, string, YamuxFault, string> rows = [];
        foreach (string frame in Frames.Keys)
        {
            bool isSyn = frame.Contains("SYN", StringComparison.Ordinal);
            bool isWindowReset = frame == "WINDOW RST";
            Add(Is.OursNever, frame, isSyn ? WrongStreamId : isWindowReset ? YamuxFault.None : UnknownStream);
            if (!isSyn)
            {
                Add(Is.TheirsNever, frame, isWindowReset ? YamuxFault.None : UnknownStream);
            }

            foreach (Is ended in new[] { Is.OursClosed, Is.OursResetByUs })
            {
                Add(ended, frame, isSyn ? WrongStreamId : YamuxFault.None);
            }

            foreach (Is ended in new[] { Is.TheirsClosed, Is.TheirsResetByThem })
            {
                Add(ended, frame, isSyn ? StreamIdReused : YamuxFault.None);
            }

            foreach (Is open in new[] { Is.OursOpen, Is.TheirsOpen, Is.OursWeFinished, Is.TheirsWeFinished })
            {
                bool isOurs = open is Is.OursOpen or Is.OursWeFinished;
                Add(open, frame, isSyn ? StreamIdReused : YamuxFault.None, isSyn ? YamuxEvents.None : EventsOf(frame, isOurs));
            }

            foreach (Is finished in new[] { Is.OursTheyFinished, Is.TheirsTheyFinished })
            {
                bool isData = frame.StartsWith("DATA", StringComparison.Ordinal);
                YamuxFault fault = isSyn ? StreamIdReused : isData ? DataAfterFin : YamuxFault.None;
                YamuxEvents events = EventsOf(frame, finished == Is.OursTheyFinished) & ~EndOfData;
                Add(finished, frame, fault, fault == YamuxFault.None ? events : YamuxEvents.None);
            }
        }

        Add(Is.TheirsNever, "WINDOW SYN", YamuxFault.None, Opened);
        Add(Is.TheirsNever, "DATA SYN", YamuxFault.None, Opened);
        return rows;

        void Add(Is state, string frame, YamuxFault fault, YamuxEvents events = YamuxEvents.None) =>
            rows.Add(state, frame, fault, events.ToString());
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Every_frame_in_every_state_has_one_outcome(Is state, string frame, YamuxFault fault, string events)
    {
        YamuxSession session = Bring(state, out uint id);

        YamuxVerdict verdict = session.Receive(Frames[frame](id), Now);

        verdict.Fault.Should().Be(fault);
        verdict.Events.ToString().Should().Be(events);
    }

    [Fact]
    public void A_listener_opens_even_streams_and_a_dialler_odd_ones()
    {
        new YamuxSession(isDialler: true, new YamuxLimits(), Boundless).Open()!.Id.Should().Be(1);
        YamuxSession listener = new(isDialler: false, new YamuxLimits(), Boundless);
        listener.Open()!.Id.Should().Be(2);
        listener.Open()!.Id.Should().Be(4);
        listener.Receive(new YamuxHeader(Window, Syn, 8, 0), Now).Fault.Should().Be(WrongStreamId);
    }

    [Fact]
    public void The_first_frame_back_on_a_stream_of_theirs_acknowledges_it_and_only_the_first()
    {
        YamuxSession session = Bring(Is.TheirsOpen, out _);
        YamuxStreamState stream = session.Streams.Single();
        session.TrySend(stream, 10, out YamuxHeader first).Should().BeTrue();
        session.TrySend(stream, 10, out YamuxHeader second).Should().BeTrue();
        first.Flags.Should().Be(Ack);
        second.Flags.Should().Be(Plain);
    }

    [Fact]
    public void A_window_update_acknowledges_too()
    {
        YamuxSession session = Bring(Is.TheirsOpen, out uint id);
        session.Receive(new YamuxHeader(Data, Plain, id, 200_000), Now);
        session.Taken(session.Streams.Single(), 200_000, Now);
        session.TryTakeControl(Now, out YamuxHeader update).Should().BeTrue();
        update.Should().Be(new YamuxHeader(Window, Ack, id, 200_000));
    }

    [Fact]
    public void Fin_never_rides_on_data()
    {
        YamuxSession session = Bring(Is.OursOpen, out uint id);
        session.TryFinish(session.Streams.Single(), out YamuxHeader fin).Should().BeTrue();
        fin.Should().Be(new YamuxHeader(Window, Fin, id, 0));
    }

    [Fact]
    public void A_stream_that_is_reset_before_it_was_announced_is_never_heard_of()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        session.Reset(session.Open()!).Should().BeTrue();
        session.TryTakeControl(Now, out _).Should().BeFalse();
    }

    [Fact]
    public void Control_frames_go_before_data_and_streams_take_turns_of_one_frame()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        YamuxStreamState first = session.Open()!;
        YamuxStreamState second = session.Open()!;
        session.OutputReady(first);
        session.OutputReady(second);
        session.OutputReady(first);
        session.Receive(new YamuxHeader(YamuxFrameType.Ping, Syn, 0, 77), Now);
        session.HasWork.Should().BeTrue();

        List<YamuxHeader> control = [];
        while (session.TryTakeControl(Now, out YamuxHeader header))
        {
            control.Add(header);
        }

        control.Should().Equal(
            new YamuxHeader(Window, Syn, 1, 0), new YamuxHeader(Window, Syn, 3, 0), new YamuxHeader(YamuxFrameType.Ping, Ack, 0, 77));
        TakeTurn(session).Should().Be(1);
        session.OutputReady(first);
        TakeTurn(session).Should().Be(3);
        TakeTurn(session).Should().Be(1);
        session.HasWork.Should().BeFalse();
    }

    [Fact]
    public void A_turn_is_bounded_by_the_window_and_a_window_update_gives_the_next_turn()
    {
        YamuxSession session = Bring(Is.OursOpen, out uint id);
        YamuxStreamState stream = session.Streams.Single();
        stream.SendWindow = 5;
        session.OutputReady(stream);
        session.TryTakeTurn(out _, out int bytesMax).Should().BeTrue();
        bytesMax.Should().Be(5);
        session.TrySend(stream, 5, out _);
        session.HasWork.Should().BeFalse();
        session.Receive(new YamuxHeader(Window, Plain, id, 9), Now);
        session.TryTakeTurn(out _, out bytesMax).Should().BeTrue();
        bytesMax.Should().Be(9);
    }

    [Theory]
    [InlineData(YamuxLimits.InitialWindowBytes, YamuxFault.None)]
    [InlineData(YamuxLimits.InitialWindowBytes + 1, WindowExceeded)]
    [InlineData(uint.MaxValue, WindowExceeded)]
    public void Data_may_fill_the_window_and_not_more(uint bytes, YamuxFault fault)
    {
        YamuxSession session = Bring(Is.TheirsOpen, out uint id);
        session.Receive(new YamuxHeader(Data, Plain, id, bytes), Now).Fault.Should().Be(fault);
    }

    [Fact]
    public void A_send_window_beyond_32_bits_is_a_fault()
    {
        YamuxSession session = Bring(Is.OursOpen, out uint id);
        uint most = uint.MaxValue - YamuxLimits.InitialWindowBytes;
        session.Receive(new YamuxHeader(Window, Plain, id, most), Now).Fault.Should().Be(YamuxFault.None);
        session.Receive(new YamuxHeader(Window, Plain, id, 1), Now).Fault.Should().Be(WindowOverflow);
    }

    [Fact]
    public void Data_for_a_stream_that_has_ended_is_skipped_unless_it_is_longer_than_any_window()
    {
        YamuxSession session = Bring(Is.OursResetByUs, out uint id);
        session.Receive(new YamuxHeader(Data, Plain, id, 16 * 1024 * 1024), Now).Should().Be(new YamuxVerdict(YamuxFault.None));
        session.Receive(new YamuxHeader(Data, Plain, id, (16 * 1024 * 1024) + 1), Now).Fault.Should().Be(TooLarge);
    }

    [Fact]
    public void Streams_beyond_the_acknowledgement_backlog_are_refused_until_one_is_acknowledged()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        for (uint i = 1; i <= 256; i++)
        {
            session.Receive(new YamuxHeader(Window, Syn, 2 * i, 0), Now).Has(Opened).Should().BeTrue();
            session.Accepted();
        }

        session.Receive(new YamuxHeader(Window, Syn, 514, 0), Now).Should().Be(new YamuxVerdict(YamuxFault.None, Events: YamuxEvents.OneTooMany));
        session.TryTakeControl(Now, out YamuxHeader refusal).Should().BeTrue();
        refusal.Should().Be(new YamuxHeader(Window, Rst, 514, 0));
        session.TrySend(session.Streams.First(), 1, out _);
        session.Receive(new YamuxHeader(Window, Syn, 516, 0), Now).Has(Opened).Should().BeTrue();
    }

    [Fact]
    public void Streams_that_nobody_accepts_are_refused_even_if_they_end_at_once()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        int opened = 0;
        for (uint i = 1; i <= 1000; i++)
        {
            opened += session.Receive(new YamuxHeader(Window, Syn | Rst, 2 * i, 0), Now).Has(Opened) ? 1 : 0;
        }

        opened.Should().Be(256);
        session.StreamCount.Should().Be(0);
    }

    [Fact]
    public void Each_side_may_open_a_thousand_streams()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        for (uint i = 1; i <= 1000; i++)
        {
            session.Open().Should().NotBeNull();
            session.Receive(new YamuxHeader(Window, Syn, 2 * i, 0), Now).Has(Opened).Should().BeTrue();
            session.Accepted();
            session.TrySend(session.Streams.Last(), 1, out _);
        }

        session.Open().Should().BeNull();
        session.Receive(new YamuxHeader(Window, Syn, 2002, 0), Now).Stream.Should().BeNull();
        session.StreamCount.Should().Be(2000);
    }

    [Fact]
    public void Pings_are_echoed_and_answers_must_have_been_asked_for()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        uint value = session.Ping(Now);
        session.TryTakeControl(Now, out YamuxHeader ping).Should().BeTrue();
        ping.Should().Be(new YamuxHeader(YamuxFrameType.Ping, Syn, 0, value));
        YamuxVerdict verdict = session.Receive(ping with { Flags = Ack }, Now + TimeSpan.FromMilliseconds(3));
        verdict.Has(Ponged).Should().BeTrue();
        session.RoundTrip.Should().Be(TimeSpan.FromMilliseconds(3));
        session.Receive(ping with { Flags = Ack }, Now).Fault.Should().Be(UnrequestedPing);
    }

    [Fact]
    public void A_peer_that_asks_and_does_not_read_the_answers_is_a_flood()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        YamuxHeader ping = new(YamuxFrameType.Ping, Syn, 0, 1);
        for (int i = 0; i < YamuxLimits.AnswersPendingMax; i++)
        {
            session.Receive(ping, Now).Fault.Should().Be(YamuxFault.None);
        }

        session.Receive(ping, Now).Fault.Should().Be(Flood);
    }

    [Theory]
    [InlineData(0u, YamuxFault.None)]
    [InlineData(1u, RemoteSaysProtocolError)]
    [InlineData(2u, RemoteSaysInternalError)]
    [InlineData(99u, RemoteSaysInternalError)]
    public void After_a_goodbye_nothing_is_opened(uint reason, YamuxFault fault)
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        session.Receive(new YamuxHeader(YamuxFrameType.GoAway, Plain, 0, reason), Now).Fault.Should().Be(fault);
        session.Open().Should().BeNull();
    }

    [Fact]
    public void Growth_of_one_stream_is_returned_when_it_ends()
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits { GrowthBytesMax = YamuxLimits.InitialWindowBytes }, Boundless);
        session.Ping(Now);
        session.TryTakeControl(Now, out YamuxHeader ping);
        session.Receive(ping with { Flags = Ack }, Now + TimeSpan.FromMinutes(1));

        GrowthOf(2).Should().Be(YamuxLimits.InitialWindowBytes);
        GrowthOf(4).Should().Be(0, "the session has no more to give");
        session.Reset(session.Streams.First());
        GrowthOf(6).Should().Be(YamuxLimits.InitialWindowBytes);

        long GrowthOf(uint id)
        {
            YamuxStreamState stream = session.Receive(new YamuxHeader(Data, Syn, id, YamuxLimits.InitialWindowBytes), Now).Stream!;
            session.Taken(stream, YamuxLimits.InitialWindowBytes, Now);
            while (session.TryTakeControl(Now, out _))
            {
            }

            return stream.Window.Growth;
        }
    }

    private static readonly Dictionary<string, Func<uint, YamuxHeader>> Frames = new()
    {
        ["DATA"] = id => new YamuxHeader(Data, Plain, id, 10),
        ["DATA ACK"] = id => new YamuxHeader(Data, Ack, id, 10),
        ["DATA FIN"] = id => new YamuxHeader(Data, Fin, id, 10),
        ["DATA RST"] = id => new YamuxHeader(Data, Rst, id, 10),
        ["DATA SYN"] = id => new YamuxHeader(Data, Syn, id, 10),
        ["WINDOW"] = id => new YamuxHeader(Window, Plain, id, 10),
        ["WINDOW ACK"] = id => new YamuxHeader(Window, Ack, id, 0),
        ["WINDOW FIN"] = id => new YamuxHeader(Window, Fin, id, 0),
        ["WINDOW RST"] = id => new YamuxHeader(Window, Rst, id, 0),
        ["WINDOW SYN"] = id => new YamuxHeader(Window, Syn, id, 0),
    };

    private static YamuxEvents EventsOf(string frame, bool isOurs) => frame[(frame.IndexOf(' ', StringComparison.Ordinal) + 1)..] switch
    {
        "ACK" when isOurs => Acknowledged,
        "FIN" => EndOfData,
        "RST" => YamuxEvents.Reset,
        _ => YamuxEvents.None,
    };

    private static uint TakeTurn(YamuxSession session)
    {
        session.TryTakeTurn(out YamuxStreamState? stream, out _).Should().BeTrue();
        return stream!.Id;
    }

    private static YamuxSession Bring(Is state, out uint id)
    {
        YamuxSession session = new(isDialler: true, new YamuxLimits(), Boundless);
        bool isOurs = state.ToString().StartsWith("Ours", StringComparison.Ordinal);
        id = isOurs ? 1u : 2u;
        if (state is Is.OursNever or Is.TheirsNever)
        {
            return session;
        }

        YamuxStreamState stream = isOurs ? session.Open()! : session.Receive(new YamuxHeader(Window, Syn, id, 0), Now).Stream!;
        while (session.TryTakeControl(Now, out _))
        {
        }

        if (state is Is.OursTheyFinished or Is.TheirsTheyFinished or Is.OursClosed or Is.TheirsClosed)
        {
            session.Receive(new YamuxHeader(Window, Fin, id, 0), Now);
        }

        if (state is Is.OursWeFinished or Is.TheirsWeFinished or Is.OursClosed or Is.TheirsClosed)
        {
            session.TryFinish(stream, out _);
        }

        if (state == Is.OursResetByUs)
        {
            session.Reset(stream);
        }

        if (state == Is.TheirsResetByThem)
        {
            session.Receive(new YamuxHeader(Window, Rst, id, 0), Now);
        }

        while (session.TryTakeControl(Now, out _))
        {
        }

        return session;
    }
}
