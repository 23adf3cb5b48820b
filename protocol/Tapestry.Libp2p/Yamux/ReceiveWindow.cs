using System.Diagnostics;

namespace Tapestry.Libp2p.Yamux;

/// <summary>What the remote may still send on one stream, what the application has taken, and when to give more.</summary>
/// <remarks>
/// Always: <c>available + held + returnable = size</c>, where held is what has arrived and the application has not taken.
/// An update is due when at least half of the window has been taken. If half a window is taken within
/// <see cref="GrowthRoundTrips"/> round trips, the window and not the application limits the stream, and it doubles.
/// </remarks>
internal sealed class ReceiveWindow(int sizeMax)
{
    /// <summary>As in go-libp2p and js-libp2p.</summary>
    public const int GrowthRoundTrips = 4;

    private long _available = YamuxLimits.InitialWindowBytes;
    private long _returnable;
    private TimeSpan _lastUpdate;

    /// <summary>The whole window: what may be on the way or unread at once, in bytes.</summary>
    public long Size { get; private set; } = YamuxLimits.InitialWindowBytes;

    /// <summary>How far the window has grown beyond the initial one, in bytes.</summary>
    public long Growth => Size - YamuxLimits.InitialWindowBytes;

    /// <summary>Whether so much has been taken that the remote should hear of it.</summary>
    public bool IsUpdateDue => _returnable >= Size / 2;

    /// <summary>Data arrives; false if it is more than the remote was given.</summary>
    public bool TryReceive(uint bytes)
    {
        if (bytes > _available)
        {
            return false;
        }

        _available -= bytes;
        return true;
    }

    /// <summary>The application has taken <paramref name="bytes"/> that had arrived.</summary>
    public void Take(long bytes)
    {
        _returnable += bytes;
        Debug.Assert(_available + _returnable <= Size, "Nobody takes what has not arrived.");
    }

    /// <summary>The update to send now, in bytes; what was taken and, if the window grows, the growth.</summary>
    /// <param name="now">Time since the session began.</param>
    /// <param name="roundTrip">The last measured round trip, or null if there is none yet.</param>
    /// <param name="growthLeft">How much the session allows windows to grow still, in bytes.</param>
    public uint Update(TimeSpan now, TimeSpan? roundTrip, long growthLeft)
    {
        long growth = 0;
        if (IsUpdateDue && roundTrip is TimeSpan measured && now - _lastUpdate <= GrowthRoundTrips * measured)
        {
            growth = Math.Min(Size, Math.Min(sizeMax - Size, growthLeft));
        }

        long delta = _returnable + growth;
        _returnable = 0;
        _available += delta;
        Size += growth;
        _lastUpdate = now;
        return (uint)delta;
    }
}
