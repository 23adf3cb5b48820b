namespace Tapestry.Libp2p;

/// <summary>The open connections of a host, within its limits.</summary>
internal sealed class ConnectionTable(ResourceLimits limits)
{
    private readonly Lock _sync = new();
    private readonly Dictionary<PeerId, List<PeerConnection>> _byPeer = [];
    private int _count;
    private bool _isClosed;

    /// <summary>Adds a connection; null, or why there is no room.</summary>
    internal Libp2pException? TryAdd(PeerConnection connection)
    {
        lock (_sync)
        {
            if (_isClosed)
            {
                return new Libp2pException(Libp2pFault.ClosedLocally, "The host has stopped.");
            }

            if (_count >= limits.Connections)
            {
                return new Libp2pException(Libp2pFault.ResourceLimit, $"{_count} connections are open, the most that {nameof(ResourceLimits.Connections)} allows.");
            }

            if (!_byPeer.TryGetValue(connection.Remote, out List<PeerConnection>? toPeer))
            {
                toPeer = [];
                _byPeer.Add(connection.Remote, toPeer);
            }

            if (toPeer.Count >= limits.ConnectionsPerPeer)
            {
                return new Libp2pException(Libp2pFault.ResourceLimit, $"{toPeer.Count} connections to {connection.Remote} are open, the most that {nameof(ResourceLimits.ConnectionsPerPeer)} allows.");
            }

            toPeer.Add(connection);
            _count++;
            return null;
        }
    }

    internal void Remove(PeerConnection connection)
    {
        lock (_sync)
        {
            if (_byPeer.TryGetValue(connection.Remote, out List<PeerConnection>? toPeer) && toPeer.Remove(connection))
            {
                _count--;
                if (toPeer.Count == 0)
                {
                    _byPeer.Remove(connection.Remote);
                }
            }
        }
    }

    /// <summary>The connection to a peer that streams go out on.</summary>
    /// <remarks>
    /// A direct one before one through a relay, and one that stays before a surplus one. Then the newest: of two, the older
    /// is likelier to be dead and not yet to know it.
    /// </remarks>
    internal PeerConnection? Find(PeerId peer)
    {
        lock (_sync)
        {
            return !_byPeer.TryGetValue(peer, out List<PeerConnection>? toPeer) ? null
                : toPeer.LastOrDefault(connection => connection.IsOpen && !connection.IsRelayed && !connection.IsSurplus)
                ?? toPeer.LastOrDefault(connection => connection.IsOpen && !connection.IsRelayed)
                ?? toPeer.LastOrDefault(connection => connection.IsOpen);
        }
    }

    /// <summary>The open connections to a peer, the oldest first.</summary>
    internal IReadOnlyList<PeerConnection> To(PeerId peer)
    {
        lock (_sync)
        {
            return _byPeer.TryGetValue(peer, out List<PeerConnection>? toPeer) ? [.. toPeer.Where(connection => connection.IsOpen)] : [];
        }
    }

    internal IReadOnlyList<PeerConnection> All()
    {
        lock (_sync)
        {
            return [.. _byPeer.Values.SelectMany(toPeer => toPeer)];
        }
    }

    /// <summary>Lets nothing in any more.</summary>
    internal void Close()
    {
        lock (_sync)
        {
            _isClosed = true;
        }
    }
}
