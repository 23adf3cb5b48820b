namespace Tapestry.Libp2p.Yamux;

/// <summary>What follows from one received header, for the code that moves the bytes.</summary>
/// <param name="Fault">Not None: the session is over.</param>
/// <param name="Stream">Whose frame it is; null for session frames and for streams that have ended, whose payload is skipped.</param>
/// <param name="Events">What happened to the stream or the session.</param>
/// <param name="Pong">With <see cref="YamuxEvents.Ponged"/>, the value that came back.</param>
internal readonly record struct YamuxVerdict(
    YamuxFault Fault, YamuxStreamState? Stream = null, YamuxEvents Events = YamuxEvents.None, uint Pong = 0)
{
    /// <summary>Whether the event is among those of the frame.</summary>
    public bool Has(YamuxEvents happened) => (Events & happened) != 0;
}

/// <summary>What a frame can make happen, in the order in which it takes effect.</summary>
[Flags]
internal enum YamuxEvents : ushort
{
    None = 0,

    /// <summary>The remote opened the stream.</summary>
    Opened = 1,

    /// <summary>The remote acknowledged a stream of ours.</summary>
    Acknowledged = 2,

    /// <summary>After the payload: the remote sends no more.</summary>
    EndOfData = 4,

    /// <summary>The remote reset the stream; its payload is skipped.</summary>
    Reset = 8,

    /// <summary>A ping of ours was answered.</summary>
    Ponged = 16,

    /// <summary>The remote said goodbye in good order.</summary>
    Goodbye = 32,

    /// <summary>The remote opened a stream that is refused: it has as many as may be.</summary>
    OneTooMany = 64,

    /// <summary>The remote opened a stream that is refused: it opens them too fast.</summary>
    TooFast = 128,

    /// <summary>The remote opened a stream that is refused: all peers together have the windows that there are.</summary>
    NoRoom = 256,
}
