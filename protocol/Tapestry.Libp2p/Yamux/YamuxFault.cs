namespace Tapestry.Libp2p.Yamux;

/// <summary>Why a yamux session ended. Never thrown: a bad frame from a peer is ordinary input.</summary>
public enum YamuxFault : byte
{
    /// <summary>An orderly end: one side said goodbye.</summary>
    None = 0,

    /// <summary>The channel below ended or broke without a goodbye.</summary>
    ChannelLost,

    /// <summary>The channel below ended inside a frame.</summary>
    Truncated,

    /// <summary>The remote has said nothing for too long, not even the answer to a ping.</summary>
    Silence,

    /// <summary>A version other than 0.</summary>
    UnknownVersion,

    /// <summary>A frame type beyond the four.</summary>
    UnknownType,

    /// <summary>A flag beyond the four.</summary>
    UnknownFlags,

    /// <summary>A ping that neither asks nor answers, or a GoAway with flags.</summary>
    WrongFlags,

    /// <summary>A stream frame for the session, a session frame for a stream, or a stream opened with an id of our side.</summary>
    WrongStreamId,

    /// <summary>A stream opened with an id that was used before.</summary>
    StreamIdReused,

    /// <summary>Data or window for a stream that nobody opened.</summary>
    UnknownStream,

    /// <summary>More data than the receive window has room for.</summary>
    WindowExceeded,

    /// <summary>Window updates beyond 2^32 - 1 bytes.</summary>
    WindowOverflow,

    /// <summary>Data after the sender's FIN.</summary>
    DataAfterFin,

    /// <summary>A frame for a stream that has ended is longer than any window.</summary>
    TooLarge,

    /// <summary>An answer to a ping that was not sent.</summary>
    UnrequestedPing,

    /// <summary>Frames that need an answer come faster than the peer reads the answers.</summary>
    Flood,

    /// <summary>The remote ended the session and blames us.</summary>
    RemoteSaysProtocolError,

    /// <summary>The remote ended the session and blames itself, or gives a reason that the specification does not have.</summary>
    RemoteSaysInternalError,

    /// <summary>A mistake of ours ended the session; <see cref="YamuxConnection.Completion"/> carries it.</summary>
    InternalError,
}

/// <summary>The faults of yamux in the words of the layers above.</summary>
internal static class YamuxFaults
{
    /// <summary>The one of <see cref="Libp2pFault"/> that fits.</summary>
    public static Libp2pFault ToLibp2p(this YamuxFault fault) => fault switch
    {
        YamuxFault.None => Libp2pFault.None,
        YamuxFault.ChannelLost or YamuxFault.Truncated or YamuxFault.Silence or YamuxFault.InternalError => Libp2pFault.ConnectionLost,
        YamuxFault.WindowExceeded => Libp2pFault.YamuxWindowExceeded,
        YamuxFault.TooLarge => Libp2pFault.TooLarge,
        YamuxFault.Flood => Libp2pFault.ResourceLimit,
        YamuxFault.RemoteSaysProtocolError or YamuxFault.RemoteSaysInternalError => Libp2pFault.YamuxGoAway,
        _ => Libp2pFault.YamuxProtocol,
    };

    /// <summary>What to tell the remote when the session ends with this.</summary>
    public static YamuxGoAway ToGoAway(this YamuxFault fault) => fault switch
    {
        YamuxFault.None or YamuxFault.ChannelLost or YamuxFault.Silence => YamuxGoAway.Normal,
        YamuxFault.RemoteSaysProtocolError or YamuxFault.RemoteSaysInternalError => YamuxGoAway.Normal,
        YamuxFault.InternalError => YamuxGoAway.InternalError,
        _ => YamuxGoAway.ProtocolError,
    };
}
