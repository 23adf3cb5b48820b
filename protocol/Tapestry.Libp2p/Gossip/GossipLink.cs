using System.Threading.Channels;

namespace Tapestry.Libp2p.Gossip;

/// <summary>A peer as the service sees it: the streams each way, and what waits to be sent.</summary>
internal sealed class GossipLink
{
    private readonly Lock _sync = new();
    private readonly Channel<bool> _judging;
    private Libp2pStream? _inbound;
    private Libp2pStream? _outbound;
    private bool _isOpening;

    internal GossipLink(PeerId peer, GossipLimits limits, ReopenDelays delays, Func<TimeSpan> now, Action roomMade, Action<int> sent)
    {
        Peer = peer;
        Delays = delays;
        Outbox = new GossipOutbox(limits, now) { RoomMade = roomMade, Sent = sent };
        _judging = Channel.CreateBounded<bool>(limits.ValidationsPerPeer);
    }

    internal PeerId Peer { get; }

    internal GossipOutbox Outbox { get; }

    internal ReopenDelays Delays { get; }

    /// <summary>Waits while the application has as many messages of the peer to judge as <see cref="GossipLimits.ValidationsPerPeer"/> allows.</summary>
    internal ValueTask StartJudgingAsync(CancellationToken cancelled) => _judging.Writer.WriteAsync(true, cancelled);

    internal void EndJudging() => _judging.Reader.TryRead(out _);

    /// <summary>Whether the caller is now the one to open a stream to the peer.</summary>
    internal bool TryStartOpening()
    {
        lock (_sync)
        {
            bool starts = !_isOpening;
            _isOpening = true;
            return starts;
        }
    }

    internal void EndOpening()
    {
        lock (_sync)
        {
            _isOpening = false;
        }
    }

    /// <summary>The peer opened a stream; an older one is given up, as js-libp2p and go-libp2p do.</summary>
    internal void TakeInbound(Libp2pStream stream)
    {
        Libp2pStream? older;
        lock (_sync)
        {
            (older, _inbound) = (_inbound, stream);
        }

        older?.Reset();
    }

    internal void SetOutbound(Libp2pStream? stream)
    {
        lock (_sync)
        {
            _outbound = stream;
        }
    }

    /// <summary>Ends our stream to the peer.</summary>
    internal void ResetOutbound()
    {
        lock (_sync)
        {
            _outbound?.Reset();
        }
    }
}
