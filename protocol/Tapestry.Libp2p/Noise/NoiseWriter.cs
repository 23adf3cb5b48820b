using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Tapestry.Libp2p.Noise;

/// <summary>The sending half of a Noise channel: callers write straight into frames, which are encrypted in place.</summary>
/// <remarks>
/// A frame is sealed when it is full or when a flush ends it, so small writes between two flushes share frames, and a flush
/// sends up to four full frames at once. Nothing is sent before a flush. One writer at a time; a flush waits for the socket.
/// </remarks>
internal sealed class NoiseWriter : PipeWriter
{
    // Four frames: large enough that a system call costs little per byte.
    private const int BlockLength = 256 * 1024;
    private const int HeaderLength = sizeof(ushort);
    private const int FrameOverhead = HeaderLength + NoiseCipher.TagLength;
    private const int MaximumPlaintextLength = NoiseHandshake.MaximumMessageLength - NoiseCipher.TagLength;

    // A frame shorter than this is not started at the end of a block.
    private const int MinimumPlaintextRoom = 1024;

    private readonly Stream _stream;
    private readonly NoiseCipher _cipher;
    private readonly Action _completed;
    private readonly Queue<(byte[] Block, int Length)> _full = new();
    private byte[]? _block;
    private int _frameStart;
    private int _filled;
    private long _unflushed;
    private bool _isCompleted;
    private Libp2pException? _failure;
    private volatile bool _cancelRequested;

    internal NoiseWriter(Stream stream, NoiseCipher cipher, Action completed)
    {
        _stream = stream;
        _cipher = cipher;
        _completed = completed;
    }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    private int Room => _block is null
        ? 0
        : Math.Min(MaximumPlaintextLength, BlockLength - _frameStart - FrameOverhead) - _filled;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sizeHint, MaximumPlaintextLength);
        ObjectDisposedException.ThrowIf(_isCompleted, this);
        int needed = Math.Max(sizeHint, 1);
        if (Room < needed)
        {
            SealFrame();
        }

        if (Room < Math.Max(needed, _filled == 0 ? MinimumPlaintextRoom : 1))
        {
            StartBlock();
        }

        return _block.AsMemory(_frameStart + HeaderLength + _filled, Room);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, Room);
        _filled += bytes;
        _unflushed += bytes;
    }

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_failure is not null)
        {
            throw _failure;
        }

        SealFrame();
        _unflushed = 0;
        try
        {
            while (_full.TryDequeue(out (byte[] Block, int Length) full))
            {
                await SendAsync(full.Block, full.Length, cancellationToken);
            }

            if (_block is not null)
            {
                byte[] last = _block;
                int length = _frameStart;
                _block = null;
                _frameStart = 0;
                await SendAsync(last, length, cancellationToken);
            }
        }
        catch (Exception cause) when (cause is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // A frame may have left in part, so nothing can follow it.
            _failure = new Libp2pException(Libp2pFault.ConnectionLost, "The connection broke while writing.", cause);
            if (cause is OperationCanceledException)
            {
                throw;
            }

            throw _failure;
        }

        bool cancelled = _cancelRequested;
        _cancelRequested = false;
        return new FlushResult(cancelled, isCompleted: false);
    }

    // A flush under way goes on to its end: half a frame would be the end of the channel.
    public override void CancelPendingFlush() => _cancelRequested = true;

    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        while (_full.TryDequeue(out (byte[] Block, int Length) full))
        {
            ArrayPool<byte>.Shared.Return(full.Block);
        }

        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }

        _cipher.Dispose();
        _completed();
    }

    private async ValueTask SendAsync(byte[] block, int length, CancellationToken cancelled)
    {
        try
        {
            await _stream.WriteAsync(block.AsMemory(0, length), cancelled);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private void SealFrame()
    {
        if (_filled == 0)
        {
            return;
        }

        Span<byte> frame = _block.AsSpan(_frameStart, FrameOverhead + _filled);
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)(frame.Length - HeaderLength));
        _cipher.Encrypt(default, frame.Slice(HeaderLength, _filled), frame[HeaderLength..]);
        _frameStart += frame.Length;
        _filled = 0;
    }

    private void StartBlock()
    {
        if (_block is not null)
        {
            _full.Enqueue((_block, _frameStart));
        }

        _block = ArrayPool<byte>.Shared.Rent(BlockLength);
        _frameStart = 0;
    }
}
