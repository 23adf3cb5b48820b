using System.IO.Pipelines;

namespace Tapestry.Libp2p;

/// <summary>One ordered, flow-controlled stream of bytes each way to a peer, inside a <see cref="MuxedConnection"/>.</summary>
/// <remarks>
/// One task may read and another may write. A reader that does not read stalls only this stream: the muxer gives the
/// remote no more window. After <see cref="Reset"/> by either side, reads and flushes throw <see cref="Libp2pException"/>
/// with <see cref="Libp2pFault.StreamReset"/> or <see cref="Libp2pFault.ClosedLocally"/>.
/// Disposal ends both directions: orderly when both have ended, else with a reset; it never throws and never waits for the remote.
/// </remarks>
public abstract class Libp2pStream : IDuplexPipe, IAsyncDisposable
{
    /// <summary>A stream to <paramref name="remote"/>.</summary>
    private protected Libp2pStream(PeerId remote) => Remote = remote;

    /// <summary>The peer at the other end, as the secure channel proved it.</summary>
    public PeerId Remote { get; }

    /// <summary>The protocol that was agreed on for this stream; empty before that.</summary>
    public string Protocol { get; internal set; } = "";

    /// <summary>What the remote sends; completed once the remote has closed its direction and everything was read.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>What we send. A flush completes once the bytes are handed to the connection and the window allows more.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>Sends what is buffered and closes our direction (half-close); the remote may go on sending. Idempotent.</summary>
    public abstract ValueTask CompleteWriteAsync(CancellationToken cancelled);

    /// <summary>Ends both directions at once and discards what is in flight. Idempotent, never throws, never waits.</summary>
    public abstract void Reset();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Ends when either side has reset the stream, or its connection has ended before both directions had; never when both ended in good order. Never faults.</summary>
    internal abstract Task Aborted { get; }

    /// <summary>The stream as what a secure channel runs over, which then owns it.</summary>
    /// <param name="time">The clock of its goodbye.</param>
    internal StreamOfStream AsStream(TimeProvider time) => new(this, time);
}
