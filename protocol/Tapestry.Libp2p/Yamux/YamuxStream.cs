using System.Buffers;
using System.IO.Pipelines;

namespace Tapestry.Libp2p.Yamux;

/// <summary>One stream of a <see cref="YamuxConnection"/>: two pipes, and the rules of <see cref="YamuxSession"/> between them.</summary>
/// <remarks>
/// The inbound pipe never makes its writer wait: what it holds is bounded by the receive window. The outbound pipe makes the
/// application wait beyond <see cref="OutputBytesMax"/>. A pipe end that the connection uses is touched under that pipe's lock,
/// because a reset may come from any thread.
/// </remarks>
internal sealed class YamuxStream : Libp2pStream
{
    /// <summary>How much written data may wait for window and turn before a flush waits.</summary>
    private const int OutputBytesMax = 256 * 1024;

    private static readonly PipeOptions InboundOptions = new(
        BlockPool.Shared, pauseWriterThreshold: 0, minimumSegmentSize: BlockPool.BlockLength, useSynchronizationContext: false);

    private static readonly PipeOptions OutboundOptions = new(
        BlockPool.Shared,
        pauseWriterThreshold: OutputBytesMax,
        resumeWriterThreshold: OutputBytesMax / 2,
        minimumSegmentSize: BlockPool.BlockLength,
        useSynchronizationContext: false);

    private readonly YamuxConnection _connection;
    private readonly Pipe _inbound = new(InboundOptions);
    private readonly Pipe _outbound = new(OutboundOptions);
    private readonly Lock _inboundGate = new();
    private readonly Lock _outboundGate = new();
    private readonly TaskCompletionSource<Libp2pException?> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly YamuxInput _input;
    private readonly YamuxOutput _output;
    private long _unread;
    private long _unsent;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _aborted;
    private bool _isAborted;
    private bool _inboundEnded;
    private bool _outboundEnded;
    private bool _abandoned;
    private int _permitReleased;

    /// <summary>The pipes of a stream that the session has opened or admitted.</summary>
    internal YamuxStream(YamuxConnection connection, YamuxStreamState state)
        : base(connection.Remote)
    {
        _connection = connection;
        State = state;
        _input = new YamuxInput(this, _inbound.Reader);
        _output = new YamuxOutput(this, _outbound.Writer);
    }

    /// <inheritdoc/>
    public override PipeReader Input => _input;

    /// <inheritdoc/>
    public override PipeWriter Output => _output;

    /// <inheritdoc/>
    internal override Task Aborted
    {
        get
        {
            lock (_outboundGate)
            {
                if (_isAborted)
                {
                    return Task.CompletedTask;
                }

                // Few streams are asked.
                _aborted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return _aborted.Task;
            }
        }
    }

    /// <summary>What the session knows of the stream.</summary>
    internal YamuxStreamState State { get; }

    /// <summary>We reset the stream: what has arrived is no longer of interest.</summary>
    internal Libp2pException? ResetByUs { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask CompleteWriteAsync(CancellationToken cancelled)
    {
        await _output.CompleteAsync();
        if (await _finished.Task.WaitAsync(cancelled) is Libp2pException failure)
        {
            throw failure;
        }
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        if (_connection.ResetByUs(this))
        {
            ResetByUs = new Libp2pException(Libp2pFault.ClosedLocally, $"We reset stream {State.Id} to {Remote}.");
            Abort(ResetByUs);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (!(_output.IsCompleted && _inboundEnded))
        {
            Reset();
        }

        await _output.CompleteAsync();
        await _input.CompleteAsync();
    }

    /// <summary>Hands received bytes to the application.</summary>
    /// <returns>How many bytes nobody will read, so that the window can be given back at once.</returns>
    internal long Deliver(in ReadOnlySequence<byte> payload)
    {
        lock (_inboundGate)
        {
            if (_inboundEnded)
            {
                return 0;
            }

            if (_abandoned)
            {
                return payload.Length;
            }

            foreach (ReadOnlyMemory<byte> segment in payload)
            {
                _inbound.Writer.Write(segment.Span);
            }

            Interlocked.Add(ref _unread, payload.Length);
            Flush(_inbound.Writer);
            return 0;
        }
    }

    /// <summary>The remote sends no more; what has arrived can still be read.</summary>
    internal void EndInput() => EndInput(null);

    /// <summary>Ends both directions with a reason; input that had already ended in good order stays readable.</summary>
    internal void Abort(Libp2pException reason)
    {
        EndInput(reason);
        lock (_outboundGate)
        {
            if (!_outboundEnded)
            {
                _outboundEnded = true;
                _outbound.Reader.Complete(reason);
                Sent(_unsent);
            }

            _isAborted = true;
            _aborted?.TrySetResult();
        }

        _finished.TrySetResult(reason);
    }

    /// <summary>Moves up to <paramref name="bytesMax"/> bytes of output to the channel, behind a header.</summary>
    internal YamuxTurn WriteTurn(PipeWriter channel, int bytesMax)
    {
        lock (_outboundGate)
        {
            if (_outboundEnded || !_outbound.Reader.TryRead(out ReadResult read))
            {
                return default;
            }

            int bytes = (int)Math.Min(read.Buffer.Length, bytesMax);
            bool sent = bytes == 0 || (_connection.TrySend(State, bytes, out YamuxHeader header)
                && WriteFrame(channel, header, read.Buffer.Slice(0, bytes)));
            bool isLast = read.IsCompleted && bytes == read.Buffer.Length;
            bool more = sent && (isLast || bytes < read.Buffer.Length);
            _outbound.Reader.AdvanceTo(read.Buffer.GetPosition(bytes));
            Sent(bytes);
            return new YamuxTurn(sent && bytes > 0 ? YamuxHeader.Bytes + bytes : 0, more, isLast);
        }
    }

    /// <summary>The application has written <paramref name="bytes"/>, which wait to be sent.</summary>
    internal void Written(long bytes)
    {
        lock (_outboundGate)
        {
            if (!_outboundEnded)
            {
                _unsent += bytes;
                _connection.AddUnsent(bytes);
            }
        }
    }

    /// <summary>Waits until little of this stream is unsent, where all streams of the connection together have much.</summary>
    internal ValueTask WaitForRoomAsync(CancellationToken cancelled)
    {
        if (!_connection.IsUnsentOver)
        {
            return ValueTask.CompletedTask;
        }

        Task room;
        lock (_outboundGate)
        {
            if (_outboundEnded || _unsent <= YamuxLimits.UnsentFloor)
            {
                return ValueTask.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            room = _room.Task;
        }

        return new ValueTask(room.WaitAsync(cancelled));
    }

    /// <summary>Everything including FIN has been given to the channel.</summary>
    internal void OutputFinished()
    {
        lock (_outboundGate)
        {
            if (!_outboundEnded)
            {
                _outboundEnded = true;
                _outbound.Reader.Complete();
            }
        }

        _finished.TrySetResult(null);
    }

    /// <summary>The application has read <paramref name="bytes"/>.</summary>
    internal void Taken(long bytes)
    {
        // Without the gate: the connection holds it while it copies what arrives.
        Interlocked.Add(ref _unread, -bytes);
        _connection.Taken(this, bytes);
    }

    /// <summary>The application reads no more; what arrives still is dropped and its window given back.</summary>
    internal void Abandon()
    {
        long unread;
        lock (_inboundGate)
        {
            _abandoned = true;
            unread = Interlocked.Exchange(ref _unread, 0);
        }

        if (unread > 0)
        {
            _connection.Taken(this, unread);
        }
    }

    /// <summary>The application has something to send, or waits for the remote: a stream of ours is announced now.</summary>
    internal void OutputReady() => _connection.OutputReady(this);

    /// <summary>A stream of ours is announced when it is first used, so that the SYN shares a packet with the first data.</summary>
    internal void Announce()
    {
        if (!State.IsAnnounced)
        {
            _connection.WakeWriter();
        }
    }

    /// <summary>True once: the stream no longer counts as unacknowledged.</summary>
    internal bool TryReleasePermit() => Interlocked.Exchange(ref _permitReleased, 1) == 0;

    /// <summary>Under the gate: fewer bytes wait.</summary>
    private void Sent(long bytes)
    {
        _unsent -= bytes;
        _connection.AddUnsent(-bytes);
        if (_unsent <= YamuxLimits.UnsentFloor)
        {
            _room?.TrySetResult();
            _room = null;
        }
    }

    private static bool WriteFrame(PipeWriter channel, in YamuxHeader header, in ReadOnlySequence<byte> payload)
    {
        header.Write(channel.GetSpan(YamuxHeader.Bytes));
        channel.Advance(YamuxHeader.Bytes);
        foreach (ReadOnlyMemory<byte> segment in payload)
        {
            channel.Write(segment.Span);
        }

        return true;
    }

    private void EndInput(Libp2pException? reason)
    {
        lock (_inboundGate)
        {
            if (!_inboundEnded)
            {
                _inboundEnded = true;
                _inbound.Writer.Complete(reason);
            }
        }
    }

    /// <summary>A flush that never waits, because the pipe has no threshold.</summary>
    private static void Flush(PipeWriter writer)
    {
        ValueTask<FlushResult> flushed = writer.FlushAsync();
        if (!flushed.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("A pipe without a threshold made its writer wait.");
        }
    }
}

/// <summary>What a stream did with its turn.</summary>
/// <param name="Bytes">How many bytes went to the channel, header included.</param>
/// <param name="HasMore">It has more to say: data, or the end of its data.</param>
/// <param name="IsLast">All data is sent and the application has ended it: FIN is due.</param>
internal readonly record struct YamuxTurn(int Bytes, bool HasMore, bool IsLast);
