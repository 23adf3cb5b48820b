namespace Tapestry.Libp2p;

/// <summary>A <see cref="Libp2pStream"/> as what a secure channel runs over: the connection that a relay carries.</summary>
/// <remarks>
/// As with a socket, closing sends what was written before. It happens in the background: the end is said, the remote has a
/// while to say its own, and what is left then is reset.
/// </remarks>
internal sealed class StreamOfStream(Libp2pStream inner, TimeProvider time) : Stream
{
    // For the end to cross two connections; after that nobody waits for it.
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isClosing;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ends once the stream below has ended after disposal; never faults.</summary>
    internal Task Closed => _closed.Task;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        System.IO.Pipelines.ReadResult result = await inner.Input.ReadAsync(cancellationToken);
        int taken = (int)Math.Min(result.Buffer.Length, buffer.Length);
        System.Buffers.ReadOnlySequence<byte> part = result.Buffer.Slice(0, taken);
        System.Buffers.BuffersExtensions.CopyTo(part, buffer.Span);
        inner.Input.AdvanceTo(part.End);
        return taken;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        await inner.Output.WriteAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isClosing, 1) == 0)
        {
            _ = CloseInBackgroundAsync();
        }

        base.Dispose(disposing);
    }

    private async Task CloseInBackgroundAsync()
    {
        try
        {
            using Deadline goodbye = new(GoodbyeTimeout, time, CancellationToken.None);
            await inner.CompleteWriteAsync(goodbye.Token);
            await StreamEnd.WaitAsync(inner.Input, goodbye.Token);
        }
        catch (Exception end) when (end is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The remote has gone or does not answer, or the channel above was still reading when it was cut.
        }

        await inner.DisposeAsync();
        _closed.TrySetResult();
    }
}
