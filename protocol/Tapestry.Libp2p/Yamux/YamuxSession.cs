using System.Diagnostics;

namespace Tapestry.Libp2p.Yamux;

/// <summary>The rules of one yamux session: which frames may come, what they change, and which frame goes out next.</summary>
/// <remarks>
/// Pure: no bytes, tasks or locks; time comes as an argument. <see cref="YamuxConnection"/> calls it under one lock and moves
/// the bytes. What waits to be sent stands in two lanes: control frames, first come first served, and before all data;
/// then the streams with data, which take turns of one frame. Sources: the yamux specifications of HashiCorp and libp2p.
/// </remarks>
internal sealed partial class YamuxSession
{
    private readonly YamuxLimits _limits;
    private readonly WindowBudget _windows;
    private readonly uint _remoteParity;
    private readonly Dictionary<uint, YamuxStreamState> _streams = [];
    private readonly SeenStreamIds _seen = new();
    private uint _nextId;
    private int _ours;
    private int _theirs;
    private int _theirsUnacknowledged;
    private int _theirsUnaccepted;
    private long _growthLeft;
    private bool _windowsReturned;
    private TimeSpan _openingsFrom;
    private double _openingsLeft;

    /// <summary>A session at its start.</summary>
    /// <param name="isDialler">The dialler opens odd streams, the listener even ones.</param>
    /// <param name="limits">What the session may hold.</param>
    /// <param name="windows">What all sessions of the host may hold together.</param>
    public YamuxSession(bool isDialler, YamuxLimits limits, WindowBudget windows)
    {
        limits.Validate();
        _limits = limits;
        _windows = windows;
        _openingsLeft = limits.OpenedPerSecondMax;
        _nextId = isDialler ? 1u : 2u;
        _remoteParity = isDialler ? 0u : 1u;
        _growthLeft = limits.GrowthBytesMax;
    }

    /// <summary>How many streams are open, in at least one direction.</summary>
    public int StreamCount => _streams.Count;

    /// <summary>How many streams were ever opened, by either side.</summary>
    public long StreamsOpened { get; private set; }

    /// <summary>Every open stream.</summary>
    public IEnumerable<YamuxStreamState> Streams => _streams.Values;

    /// <summary>The remote has said goodbye: nothing new is opened.</summary>
    public bool RemoteIsLeaving { get; private set; }

    /// <summary>We have said goodbye: open streams go on to their end, and nothing new is opened.</summary>
    public bool WeAreLeaving { get; private set; }

    /// <summary>Says goodbye in good order; the streams that are open may end in their own time.</summary>
    public void Leave()
    {
        if (!WeAreLeaving)
        {
            WeAreLeaving = true;
            Enqueue(new Control(ControlKind.GoAway, null, new YamuxHeader(YamuxFrameType.GoAway, YamuxFlags.None, 0, (uint)YamuxGoAway.Normal)));
        }
    }

    /// <summary>The session is over: its windows are no longer promised.</summary>
    public void ReturnWindows()
    {
        foreach (YamuxStreamState stream in _streams.Values)
        {
            _windows.Return(stream.Window.Size);
        }

        _windowsReturned = true;
    }

    /// <summary>Opens a stream; null if a limit is reached, one side is leaving, or the ids are used up.</summary>
    /// <remarks>The caller counts unacknowledged streams: it can wait, this cannot.</remarks>
    public YamuxStreamState? Open()
    {
        if (RemoteIsLeaving || WeAreLeaving || _ours >= _limits.StreamsMax || _nextId > uint.MaxValue - 2
            || !_windows.TryTake(YamuxLimits.InitialWindowBytes))
        {
            return null;
        }

        YamuxStreamState stream = new(_nextId, isOurs: true, _limits.WindowBytesMax);
        _nextId += 2;
        _ours++;
        StreamsOpened++;
        _streams.Add(stream.Id, stream);
        Enqueue(new Control(ControlKind.Open, stream));
        return stream;
    }

    /// <summary>The application has taken a stream of the remote's from the queue.</summary>
    public void Accepted() => _theirsUnaccepted--;

    /// <summary>Judges a header and changes what it changes. Of a data frame the payload is still to come.</summary>
    public YamuxVerdict Receive(in YamuxHeader header, TimeSpan now) => header.Type switch
    {
        YamuxFrameType.Data or YamuxFrameType.WindowUpdate => ReceiveForStream(header, now),
        YamuxFrameType.Ping => ReceivePing(header, now),
        _ => ReceiveGoAway(header),
    };

    /// <summary>Ends a stream at our side at once; the remote is told unless it never heard of it. False if it had ended.</summary>
    public bool Reset(YamuxStreamState stream)
    {
        if (stream.IsGone)
        {
            return false;
        }

        if (stream.IsAnnounced)
        {
            Answer(new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, stream.Id, 0));
        }

        Remove(stream);
        return true;
    }

    private YamuxVerdict ReceiveForStream(in YamuxHeader header, TimeSpan now)
    {
        YamuxEvents events = YamuxEvents.None;
        if (!_streams.TryGetValue(header.StreamId, out YamuxStreamState? stream))
        {
            if (!header.Has(YamuxFlags.Syn))
            {
                return new YamuxVerdict(CheckLateFrame(header));
            }

            YamuxFault fault = Admit(header, now, out stream, out events);
            if (fault != YamuxFault.None || stream is null)
            {
                return new YamuxVerdict(fault, Events: events);
            }
        }
        else if (header.Has(YamuxFlags.Syn))
        {
            return new YamuxVerdict(YamuxFault.StreamIdReused);
        }

        YamuxFault spent = header.Type == YamuxFrameType.Data ? SpendWindow(stream, header) : WidenWindow(stream, header);
        return spent != YamuxFault.None
            ? new YamuxVerdict(spent)
            : new YamuxVerdict(YamuxFault.None, stream, events | ApplyFlags(stream, header));
    }

    /// <summary>A frame for a stream that is not open: late if it was open once, else a fault.</summary>
    private YamuxFault CheckLateFrame(in YamuxHeader header)
    {
        bool wasOpen = IsTheirs(header.StreamId) ? _seen.MayHaveBeenOpen(header.StreamId) : header.StreamId < _nextId;
        if (header.Type == YamuxFrameType.Data && header.Length > _limits.WindowBytesMax)
        {
            return YamuxFault.TooLarge;
        }

        // A stream that was given up before its SYN was written may still be reset: js-libp2p does that.
        bool isReset = header.Type == YamuxFrameType.WindowUpdate && header.Has(YamuxFlags.Rst);
        return wasOpen || isReset ? YamuxFault.None : YamuxFault.UnknownStream;
    }

    private YamuxFault Admit(in YamuxHeader header, TimeSpan now, out YamuxStreamState? stream, out YamuxEvents events)
    {
        stream = null;
        events = YamuxEvents.None;
        if (!IsTheirs(header.StreamId))
        {
            return YamuxFault.WrongStreamId;
        }

        if (!_seen.TryAdd(header.StreamId))
        {
            return YamuxFault.StreamIdReused;
        }

        // A stream that is refused may already send its window, which is skipped as late.
        if (!MayOpen(now, out events))
        {
            return header.Type == YamuxFrameType.Data && header.Length > YamuxLimits.InitialWindowBytes
                ? YamuxFault.WindowExceeded
                : Answer(new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, header.StreamId, 0));
        }

        events = YamuxEvents.Opened;
        stream = new YamuxStreamState(header.StreamId, isOurs: false, _limits.WindowBytesMax);
        _streams.Add(stream.Id, stream);
        _theirs++;
        _theirsUnacknowledged++;
        _theirsUnaccepted++;
        StreamsOpened++;
        return _answers > YamuxLimits.AnswersPendingMax ? YamuxFault.Flood : YamuxFault.None;
    }

    /// <summary>Whether there is room for one more stream of the remote's; takes its window if so.</summary>
    private bool MayOpen(TimeSpan now, out YamuxEvents refusal)
    {
        _openingsLeft = Math.Min(_limits.OpenedPerSecondMax, _openingsLeft + ((now - _openingsFrom).TotalSeconds * _limits.OpenedPerSecondMax));
        _openingsFrom = now;
        bool isSlowEnough = _openingsLeft >= 1;
        _openingsLeft -= isSlowEnough ? 1 : 0;
        bool isRoomForIt = _theirs < _limits.StreamsMax
            && _theirsUnacknowledged < _limits.UnacknowledgedMax
            && _theirsUnaccepted < _limits.UnacknowledgedMax;
        refusal = WeAreLeaving ? YamuxEvents.None
            : !isSlowEnough ? YamuxEvents.TooFast
            : !isRoomForIt ? YamuxEvents.OneTooMany
            : YamuxEvents.NoRoom;
        return isSlowEnough && !WeAreLeaving && isRoomForIt && _windows.TryTake(YamuxLimits.InitialWindowBytes);
    }

    private static YamuxFault SpendWindow(YamuxStreamState stream, in YamuxHeader header)
    {
        if (stream.FinReceived && header.Length > 0)
        {
            return YamuxFault.DataAfterFin;
        }

        return stream.Window.TryReceive(header.Length) ? YamuxFault.None : YamuxFault.WindowExceeded;
    }

    private YamuxFault WidenWindow(YamuxStreamState stream, in YamuxHeader header)
    {
        if (stream.SendWindow + header.Length > uint.MaxValue)
        {
            return YamuxFault.WindowOverflow;
        }

        bool wasShut = stream.SendWindow == 0;
        stream.SendWindow += header.Length;
        if (wasShut)
        {
            OutputReady(stream);
        }

        return YamuxFault.None;
    }

    private YamuxEvents ApplyFlags(YamuxStreamState stream, in YamuxHeader header)
    {
        YamuxEvents events = YamuxEvents.None;
        if (header.Has(YamuxFlags.Ack) && stream.IsOurs && !stream.IsAcknowledged)
        {
            stream.IsAcknowledged = true;
            events |= YamuxEvents.Acknowledged;
        }

        if (header.Has(YamuxFlags.Rst))
        {
            Remove(stream);
            return events | YamuxEvents.Reset;
        }

        if (header.Has(YamuxFlags.Fin) && !stream.FinReceived)
        {
            stream.FinReceived = true;
            RemoveIfClosed(stream);
            events |= YamuxEvents.EndOfData;
        }

        return events;
    }

    private YamuxVerdict ReceiveGoAway(in YamuxHeader header)
    {
        RemoteIsLeaving = true;
        return (YamuxGoAway)header.Length switch
        {
            YamuxGoAway.Normal => new YamuxVerdict(YamuxFault.None, Events: YamuxEvents.Goodbye),
            YamuxGoAway.ProtocolError => new YamuxVerdict(YamuxFault.RemoteSaysProtocolError),
            _ => new YamuxVerdict(YamuxFault.RemoteSaysInternalError),
        };
    }

    private bool IsTheirs(uint streamId) => streamId % 2 == _remoteParity;

    private void RemoveIfClosed(YamuxStreamState stream)
    {
        if (stream.FinSent && stream.FinReceived)
        {
            Remove(stream);
        }
    }

    private void Remove(YamuxStreamState stream)
    {
        Debug.Assert(!stream.IsGone, "A stream leaves once.");
        stream.IsGone = true;
        _streams.Remove(stream.Id);
        _growthLeft += stream.Window.Growth;
        if (!_windowsReturned)
        {
            _windows.Return(stream.Window.Size);
        }

        if (stream.IsOurs)
        {
            _ours--;
            return;
        }

        _theirs--;
        if (!stream.IsAcknowledged)
        {
            _theirsUnacknowledged--;
        }
    }
}
