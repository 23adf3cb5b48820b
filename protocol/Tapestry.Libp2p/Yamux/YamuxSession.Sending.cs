namespace Tapestry.Libp2p.Yamux;

/// <summary>What goes out, in which order.</summary>
internal sealed partial class YamuxSession
{
    /// <summary>How long a measured round trip counts before it is measured again.</summary>
    private static readonly TimeSpan RoundTripAge = TimeSpan.FromSeconds(10);

    private readonly Queue<Control> _control = new();
    private readonly Queue<YamuxStreamState> _turns = new();
    private readonly Dictionary<uint, TimeSpan> _pings = [];
    private int _answers;
    private uint _nextPing;
    private TimeSpan? _lastPing;

    private enum ControlKind : byte
    {
        Open,
        Update,
        Ping,
        GoAway,
        Answer,
    }

    /// <summary>Whether anything waits to be sent.</summary>
    public bool HasWork => _control.Count > 0 || _turns.Count > 0;

    /// <summary>The last measured round trip; null before the first.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>The next control frame, if one waits.</summary>
    public bool TryTakeControl(TimeSpan now, out YamuxHeader header)
    {
        while (_control.TryDequeue(out Control control))
        {
            if (Form(control, now) is YamuxHeader formed)
            {
                header = formed;
                return true;
            }
        }

        header = default;
        return false;
    }

    /// <summary>The next stream whose turn it is, if one waits, and how many bytes it may send now.</summary>
    public bool TryTakeTurn(out YamuxStreamState? stream, out int bytesMax)
    {
        while (_turns.TryDequeue(out stream))
        {
            stream.HasTurn = false;
            if (!stream.IsGone && !stream.FinSent)
            {
                bytesMax = (int)Math.Min(stream.SendWindow, YamuxLimits.DataBytesMax);
                return true;
            }
        }

        bytesMax = 0;
        return false;
    }

    /// <summary>The header of the next data of a stream; false if the stream has ended meanwhile.</summary>
    /// <param name="stream">Whose turn it is.</param>
    /// <param name="bytes">How much is sent, at least 1 and within its turn.</param>
    /// <param name="header">The frame's header.</param>
    public bool TrySend(YamuxStreamState stream, int bytes, out YamuxHeader header)
    {
        header = new YamuxHeader(YamuxFrameType.Data, Acknowledge(stream), stream.Id, (uint)bytes);
        stream.SendWindow -= bytes;
        return !stream.IsGone;
    }

    /// <summary>The frame that ends our direction of a stream; false if the stream has ended meanwhile.</summary>
    /// <remarks>FIN has a frame of its own: js-libp2p acts on the flags of a frame before it takes the payload.</remarks>
    public bool TryFinish(YamuxStreamState stream, out YamuxHeader header)
    {
        header = new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Fin | Acknowledge(stream), stream.Id, 0);
        if (stream.IsGone || stream.FinSent)
        {
            return false;
        }

        stream.FinSent = true;
        RemoveIfClosed(stream);
        return true;
    }

    /// <summary>A stream may have something to send: data, or the end of its data.</summary>
    public void OutputReady(YamuxStreamState stream)
    {
        if (!stream.HasTurn && !stream.IsGone && !stream.FinSent)
        {
            stream.HasTurn = true;
            _turns.Enqueue(stream);
        }
    }

    /// <summary>The application has taken bytes of a stream, which may give the remote more window.</summary>
    public void Taken(YamuxStreamState stream, long bytes, TimeSpan now)
    {
        if (stream.IsGone || stream.FinReceived)
        {
            return;
        }

        stream.Window.Take(bytes);
        if (!stream.Window.IsUpdateDue || stream.HasUpdate)
        {
            return;
        }

        stream.HasUpdate = true;
        Enqueue(new Control(ControlKind.Update, stream));
        if (_lastPing is null || now - _lastPing > RoundTripAge)
        {
            Ping(now);
        }
    }

    /// <summary>Asks the remote for an echo.</summary>
    /// <returns>The value that will come back.</returns>
    public uint Ping(TimeSpan now)
    {
        uint value = unchecked(_nextPing++);
        _lastPing = now;
        Enqueue(new Control(ControlKind.Ping, null, new YamuxHeader(YamuxFrameType.Ping, YamuxFlags.Syn, 0, value)));
        return value;
    }

    private YamuxVerdict ReceivePing(in YamuxHeader header, TimeSpan now)
    {
        if (header.Flags == YamuxFlags.Syn)
        {
            return new YamuxVerdict(Answer(header with { Flags = YamuxFlags.Ack }));
        }

        if (!_pings.Remove(header.Length, out TimeSpan sent))
        {
            return new YamuxVerdict(YamuxFault.UnrequestedPing);
        }

        RoundTrip = now - sent;
        return new YamuxVerdict(YamuxFault.None, Events: YamuxEvents.Ponged, Pong: header.Length);
    }

    /// <summary>The flag that a frame of a stream of the remote's carries if it is our first.</summary>
    private YamuxFlags Acknowledge(YamuxStreamState stream)
    {
        if (stream.IsOurs || stream.IsAcknowledged)
        {
            return YamuxFlags.None;
        }

        stream.IsAcknowledged = true;
        if (!stream.IsGone)
        {
            _theirsUnacknowledged--;
        }

        return YamuxFlags.Ack;
    }

    private YamuxHeader? Form(in Control control, TimeSpan now)
    {
        switch (control.Kind)
        {
            case ControlKind.Open:
                control.Stream!.IsAnnounced = true;
                return control.Stream.IsGone
                    ? null
                    : new YamuxHeader(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, control.Stream.Id, 0);
            case ControlKind.Update:
                return FormUpdate(control.Stream!, now);
            case ControlKind.Ping:
                _pings[control.Header.Length] = now;
                return control.Header;
            case ControlKind.GoAway:
                return control.Header;
            default:
                _answers--;
                return control.Header;
        }
    }

    private YamuxHeader? FormUpdate(YamuxStreamState stream, TimeSpan now)
    {
        stream.HasUpdate = false;
        if (stream.IsGone || stream.FinReceived)
        {
            return null;
        }

        long growth = stream.Window.Growth;
        long offered = Math.Min(_growthLeft, Math.Min(stream.Window.Size, _limits.WindowBytesMax - stream.Window.Size));
        offered = _windows.TryTake(offered) ? offered : 0;
        uint delta = stream.Window.Update(now, RoundTrip, offered);
        long used = stream.Window.Growth - growth;
        _windows.Return(offered - used);
        _growthLeft -= used;
        return new YamuxHeader(YamuxFrameType.WindowUpdate, Acknowledge(stream), stream.Id, delta);
    }

    /// <summary>Queues a frame that the remote has caused; a fault if it does not read the answers.</summary>
    private YamuxFault Answer(in YamuxHeader header)
    {
        _answers++;
        Enqueue(new Control(ControlKind.Answer, null, header));
        return _answers > YamuxLimits.AnswersPendingMax ? YamuxFault.Flood : YamuxFault.None;
    }

    private void Enqueue(in Control control) => _control.Enqueue(control);

    private readonly record struct Control(ControlKind Kind, YamuxStreamState? Stream, YamuxHeader Header = default);
}
