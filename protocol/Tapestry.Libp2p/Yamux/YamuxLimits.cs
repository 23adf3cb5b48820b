using System.Diagnostics;

namespace Tapestry.Libp2p.Yamux;

/// <summary>What one yamux session may hold. The defaults are those of the specification and of other implementations.</summary>
public sealed record YamuxLimits
{
    /// <summary>The window that both sides assume for a new stream. Fixed by the specification.</summary>
    public const int InitialWindowBytes = 256 * 1024;

    /// <summary>The most data that we put in one frame: with its header it fills one Noise message of 65519 bytes.</summary>
    /// <remarks>Small enough that streams take turns often; other implementations accept 64 KiB.</remarks>
    public const int DataBytesMax = 65519 - YamuxHeader.Bytes;

    /// <summary>What a stream may always keep waiting to be sent, in bytes: requests and control messages pass though others do not read.</summary>
    public const int UnsentFloor = 16 * 1024;

    /// <summary>How many streams we open before anything has come from the remote, which may still be at its handshake.</summary>
    /// <remarks>js-libp2p keeps ten streams until it is ready for them, and resets all at the eleventh.</remarks>
    public const int OpenedUnheardMax = 8;

    /// <summary>How many answers (pongs, refusals, resets) may wait to be sent before the peer counts as flooding us.</summary>
    public const int AnswersPendingMax = 1024;

    /// <summary>The largest receive window that a stream grows to. Default 16 MiB, at least the initial 256 KiB.</summary>
    /// <remarks>js-libp2p and go-libp2p grow to the same. 16 MiB fill a gigabit link of 130 ms.</remarks>
    public int WindowBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>How much all streams of the session together may grow beyond their initial windows. Default 64 MiB.</summary>
    /// <remarks>Bounds what a peer can make us hold: this, and 256 KiB for each stream.</remarks>
    public long GrowthBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>How many streams the remote may have open at once, and how many we may. Default 1000 each.</summary>
    /// <remarks>Counted apart, so that a peer that fills its share cannot take ours.</remarks>
    public int StreamsMax { get; init; } = 1000;

    /// <summary>How many streams of one side may wait for their acknowledgement. Default 256.</summary>
    /// <remarks>The yamux specification of libp2p, "ACK backlog".</remarks>
    public int UnacknowledgedMax { get; init; } = 256;

    /// <summary>How many streams the remote may open in a second, after a burst of as many. Default 10,000; more are refused.</summary>
    /// <remarks>Streams that are opened and reset at once never count as open, and yet cost the work of both.</remarks>
    public int OpenedPerSecondMax { get; init; } = 10_000;

    /// <summary>What may wait to be sent on all streams before each may keep only <see cref="UnsentFloor"/> waiting, in bytes. Default 4 MiB.</summary>
    /// <remarks>A stream that the remote does not read fills up its output and stays so; the others must still get on.</remarks>
    public long UnsentBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>A remote that was silent for this long is asked whether it is there; if it stays silent as long again, it is lost. Default 30 s.</summary>
    /// <remarks>
    /// Looked at once in this time, so a loss is seen after two to three times as long. As often as go-libp2p and js-libp2p
    /// ask. A machine that lost its power says nothing, and TCP itself waits for many minutes.
    /// </remarks>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a goodbye may take to be written before the channel is dropped. Default 1 s.</summary>
    public TimeSpan GoodbyeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The limits of one session as the limits of the whole network have them.</summary>
    public static YamuxLimits From(ResourceLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return new YamuxLimits
        {
            WindowBytesMax = limits.StreamWindowBytes,
            GrowthBytesMax = limits.ConnectionBytes,
            StreamsMax = limits.StreamsPerConnection,
            UnacknowledgedMax = Math.Min(256, limits.StreamsPerConnection),
            OpenedPerSecondMax = limits.StreamsOpenedPerSecond,
            UnsentBytesMax = limits.UnsentBytes,
        };
    }

    /// <summary>Asserts what the limits must satisfy among each other.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is out of range.</exception>
    internal void Validate()
    {
        Debug.Assert(DataBytesMax + YamuxHeader.Bytes <= InitialWindowBytes, "A window holds several frames.");
        ArgumentOutOfRangeException.ThrowIfLessThan(WindowBytesMax, InitialWindowBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(GrowthBytesMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(StreamsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(UnacknowledgedMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(OpenedPerSecondMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(UnacknowledgedMax, StreamsMax);
    }
}
