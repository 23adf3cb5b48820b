namespace Tapestry.Libp2p;

/// <summary>A secure connection to one peer that carries many <see cref="Libp2pStream"/>s.</summary>
/// <remarks>All members may be called from any thread.</remarks>
public abstract class MuxedConnection : IAsyncDisposable
{
    /// <summary>A connection to <paramref name="remote"/>.</summary>
    protected MuxedConnection(PeerId remote) => Remote = remote;

    /// <summary>The peer at the other end, as the secure channel proved it.</summary>
    public PeerId Remote { get; }

    /// <summary>Ends once with the connection; never faults. <see cref="Libp2pFault.None"/> after an orderly goodbye of either side.</summary>
    public abstract Task<Libp2pFault> Completion { get; }

    /// <summary>One side has said goodbye: what is open goes on, and nothing new is opened.</summary>
    public abstract bool IsLeaving { get; }

    /// <summary>How many streams are open, in at least one direction.</summary>
    public abstract int StreamCount { get; }

    /// <summary>How many streams were ever opened, by either side: when it stands still and none is open, the connection is idle.</summary>
    public abstract long StreamsOpened { get; }

    /// <summary>Told of every stream of the remote's that is refused before anybody accepts it, and why. Must not block or throw.</summary>
    internal Action<Libp2pException>? StreamRefused { get; set; }

    /// <summary>Opens a stream; nothing is negotiated on it yet. Waits while the remote has not acknowledged too many earlier ones.</summary>
    /// <exception cref="Libp2pException">The connection has ended or ends while waiting, or the limit on streams is reached.</exception>
    public abstract ValueTask<Libp2pStream> OpenStreamAsync(CancellationToken cancelled);

    /// <summary>The next stream that the remote opened, in order; null once the connection has ended. One caller at a time.</summary>
    public abstract ValueTask<Libp2pStream?> AcceptStreamAsync(CancellationToken cancelled);

    /// <summary>Asks the remote for an echo, below all streams.</summary>
    /// <returns>The round trip.</returns>
    /// <exception cref="Libp2pException">The connection has ended or ends while waiting.</exception>
    public abstract ValueTask<TimeSpan> PingAsync(CancellationToken cancelled);

    /// <summary>Says goodbye and takes no more streams of either side; ends when the open ones have, or at the deadline with all of them.</summary>
    public abstract Task LeaveAsync(CancellationToken deadline);

    /// <summary>Says goodbye, ends every stream and the channel below. Idempotent; does not wait for the remote's answer.</summary>
    public abstract ValueTask CloseAsync();

    /// <summary>The same as <see cref="CloseAsync"/>.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return CloseAsync();
    }
}
