namespace Tapestry.Libp2p;

/// <summary>Closes connections of no more use: the surplus ones to one peer, and those that nobody uses or protects.</summary>
/// <remarks>
/// specs/50-network.md, section 1. Of two connections to a peer both sides must close the same one, or they would lose both.
/// The one that the smaller peer id dialled stays. Before the other is given up, the one that stays has to answer a ping:
/// it may be what a peer that lost its power has left behind.
/// </remarks>
internal sealed class ConnectionKeeper(PeerId ours, ConnectionTable connections, Libp2pHostOptions options)
{
    private Dictionary<PeerConnection, Idleness> _idle = [];

    /// <summary>Looks at all connections now and then, until the host stops.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        using PeriodicTimer timer = new(options.Limits.IdleSurplusConnection, options.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                Sweep();
            }
        }
        catch (OperationCanceledException)
        {
            // We stop.
        }
    }

    /// <summary>Finds out which of several connections to a peer stays.</summary>
    internal async Task SettleAsync(PeerId peer)
    {
        IReadOnlyList<PeerConnection> open = connections.To(peer);
        if (open.Count < 2)
        {
            return;
        }

        PeerConnection kept = Preferred(open);
        using CancellationTokenSource patience = new(options.HandshakeDeadline, options.Time);
        try
        {
            await kept.Muxed.PingAsync(patience.Token);
        }
        catch (Exception end) when (end is Libp2pException or OperationCanceledException)
        {
            await kept.CloseAsync();
            return;
        }

        foreach (PeerConnection other in open)
        {
            // Of several that the remote dialled only it knows the order.
            other.IsSurplus |= other != kept && (IsPreferred(kept) != IsPreferred(other) || other.IsDialer);
        }
    }

    /// <summary>Says goodbye to every connection that has been idle for too long.</summary>
    private void Sweep()
    {
        long now = options.Time.GetTimestamp();
        Dictionary<PeerConnection, Idleness> idle = [];
        foreach (PeerConnection connection in connections.All())
        {
            KeepLast(connection);
            long opened = connection.Muxed.StreamsOpened;
            if (connection.Muxed.StreamCount > 0)
            {
                continue;
            }

            Idleness since = _idle.TryGetValue(connection, out Idleness seen) && seen.StreamsOpened == opened ? seen : new Idleness(opened, now);
            idle.Add(connection, since);
            if (IsOver(connection, options.Time.GetElapsedTime(since.Since, now)))
            {
                _ = connection.LeaveAsync(CancellationToken.None);
            }
        }

        _idle = idle;
    }

    /// <summary>Where the connection that was to stay has ended, one of the surplus ones takes its place.</summary>
    private void KeepLast(PeerConnection connection)
    {
        if (connection.IsSurplus && connections.To(connection.Remote) is [_, ..] open && open.All(other => other.IsSurplus))
        {
            Preferred(open).IsSurplus = false;
        }
    }

    private bool IsOver(PeerConnection connection, TimeSpan idle) =>
        connection.IsSurplus
            ? idle >= options.Limits.IdleSurplusConnection
            : idle >= options.Limits.IdleConnection && !connection.IsKept && !options.Protects(connection.Remote);

    // Direct before relayed; then the one that the smaller id dialled; then the newest.
    private PeerConnection Preferred(IReadOnlyList<PeerConnection> open) =>
        open.LastOrDefault(connection => !connection.IsRelayed && IsPreferred(connection))
        ?? open.LastOrDefault(connection => !connection.IsRelayed)
        ?? open.LastOrDefault(IsPreferred)
        ?? open[^1];

    private bool IsPreferred(PeerConnection connection) =>
        !connection.IsRelayed && connection.IsDialer == (ours.CompareTo(connection.Remote) < 0);

    private readonly record struct Idleness(long StreamsOpened, long Since);
}
