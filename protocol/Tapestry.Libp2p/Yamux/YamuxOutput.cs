using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Tapestry.Libp2p.Yamux;

/// <summary>What the application writes to a stream; a flush asks for a turn to send it.</summary>
internal sealed class YamuxOutput(YamuxStream stream, PipeWriter inner) : PipeWriter
{
    /// <summary>The application has ended its direction.</summary>
    public bool IsCompleted { get; private set; }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => inner.UnflushedBytes;

    /// <inheritdoc/>
    public override void Advance(int bytes) => inner.Advance(bytes);

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        // The bytes are in the pipe when the call returns; the task it returns only waits for room.
        stream.Written(inner.UnflushedBytes);
        ValueTask<FlushResult> flushed = inner.FlushAsync(cancellationToken);
        stream.OutputReady();
        FlushResult result = await flushed;
        await stream.WaitForRoomAsync(cancellationToken);
        return result;
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (IsCompleted)
        {
            return;
        }

        if (exception is not null)
        {
            stream.Reset();
        }

        IsCompleted = true;
        stream.Written(inner.UnflushedBytes);
        inner.Complete();
        stream.OutputReady();
    }
}
