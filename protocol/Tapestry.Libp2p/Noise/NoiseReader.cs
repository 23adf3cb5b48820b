using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;

namespace Tapestry.Libp2p.Noise;

/// <summary>The receiving half of a Noise channel: frames are decrypted in place, in the buffer that the socket filled.</summary>
/// <remarks>
/// No task of its own and no copy: whoever reads also receives and decrypts, and sees the plaintext as segments of the
/// receive buffers. A buffer is used again once every plaintext in it is consumed. One reader at a time.
/// </remarks>
internal sealed class NoiseReader : PipeReader, IDisposable
{
    // Fits four frames, so that one receive takes in about as much as the kernel has.
    private const int BlockLength = 256 * 1024;

    // What waits on a connection that is idle: a ping, or the start of a stream.
    private const int IdleBlockLength = 4 * 1024;
    private const int HeaderLength = sizeof(ushort);
    private const int MaximumFrameLength = HeaderLength + NoiseHandshake.MaximumMessageLength;

    private readonly Stream _stream;
    private readonly NoiseCipher _cipher;
    private readonly Action _completed;
    private readonly Stack<Segment> _spareSegments = new();
    private Block _block;
    private int _start;
    private int _end;
    private int _lastReceived;
    private Segment? _head;
    private Segment? _tail;
    private int _headConsumed;
    private bool _allExamined;
    private bool _ended;
    private bool _isCompleted;
    private Libp2pException? _failure;
    private CancellationTokenSource _interrupt = new();
    private int _interruptRequested;

    // What was received after the handshake's last message is already part of the channel.
    internal NoiseReader(Stream stream, NoiseCipher cipher, ReadOnlySpan<byte> received, Action completed)
    {
        _stream = stream;
        _cipher = cipher;
        _completed = completed;
        _block = new Block(Math.Max(IdleBlockLength, received.Length));
        received.CopyTo(_block.Bytes);
        _end = received.Length;
    }

    public override bool TryRead(out ReadResult result)
    {
        ObjectDisposedException.ThrowIf(_isCompleted, this);
        if (Interlocked.Exchange(ref _interruptRequested, 0) == 1)
        {
            result = Result(isCanceled: true);
            return true;
        }

        // Bytes that came with the handshake are in the buffer, and nothing has decrypted them yet.
        if (_failure is null && _start < _end)
        {
            DecryptFrames();
        }

        if ((_head is not null && !_allExamined) || (_ended && _failure is null))
        {
            result = Result(isCanceled: false);
            return true;
        }

        if (_failure is not null)
        {
            throw _failure;
        }

        result = default;
        return false;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        TryRead(out ReadResult result) ? new ValueTask<ReadResult>(result) : ReceiveAsync(cancellationToken);

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_head is null || consumed.GetObject() is not Segment last)
        {
            _allExamined = true;
            return;
        }

        _allExamined = examined.GetObject() == _tail && examined.GetInteger() == _tail!.Memory.Length;
        while (_head != last)
        {
            ReleaseHead();
        }

        _headConsumed = consumed.GetInteger();
        if (_headConsumed == last.Memory.Length)
        {
            ReleaseHead();
        }
    }

    public override void CancelPendingRead()
    {
        if (_isCompleted)
        {
            return;
        }

        Volatile.Write(ref _interruptRequested, 1);
        Volatile.Read(ref _interrupt).Cancel();
    }

    public void Dispose() => Complete();

    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        while (_head is not null)
        {
            ReleaseHead();
        }

        _block.Release();
        _cipher.Dispose();
        _interrupt.Dispose();
        _completed();
    }

    private async ValueTask<ReadResult> ReceiveAsync(CancellationToken cancelled)
    {
        using CancellationTokenSource? linked = cancelled.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancelled, _interrupt.Token)
            : null;
        CancellationToken stop = linked?.Token ?? _interrupt.Token;
        Segment? before = _tail;

        // Frames without plaintext do not end this loop.
        ThreadShare share = new(TimeProvider.System);
        while (_tail == before)
        {
            MakeRoom();
            int received;
            try
            {
                ValueTask<int> receiving = _stream.ReadAsync(_block.Bytes.AsMemory(_end), stop);
                if (share.IsUsedUpBy(receiving.IsCompleted))
                {
                    await Task.Yield();
                }

                received = await receiving;
            }
            catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
            {
                Volatile.Write(ref _interrupt, new CancellationTokenSource());
                Interlocked.Exchange(ref _interruptRequested, 0);
                return Result(isCanceled: true);
            }
            catch (Exception cause) when (cause is IOException or ObjectDisposedException)
            {
                _failure = new Libp2pException(Libp2pFault.ConnectionLost, "The connection broke while reading.", cause);
                throw _failure;
            }

            if (received == 0)
            {
                _ended = true;
                if (_start < _end)
                {
                    _failure = new Libp2pException(Libp2pFault.ConnectionLost, "The connection ended inside a Noise message.");
                    throw _failure;
                }

                return Result(isCanceled: false);
            }

            _lastReceived = received;
            _end += received;
            DecryptFrames();
            if (_tail == before && _failure is not null)
            {
                throw _failure;
            }
        }

        return Result(isCanceled: false);
    }

    // Afterwards there is room to receive, and for the whole of a frame that has begun to come. A connection that carries
    // little holds a small block; one that fills it gets a large one.
    private void MakeRoom()
    {
        int partial = _end - _start;
        int needed = partial < HeaderLength ? HeaderLength : HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(_block.Bytes.AsSpan(_start));
        int length = Math.Max(needed, _lastReceived) > IdleBlockLength / 2 ? BlockLength : IdleBlockLength;
        int room = _block.Bytes.Length - _start;
        bool fits = room >= (_block.Bytes.Length < BlockLength ? needed : MaximumFrameLength) && _end < _block.Bytes.Length;
        bool isSole = _block.References == 1;
        if (fits && !(isSole && partial == 0))
        {
            return;
        }

        if (isSole && _block.Bytes.Length == length)
        {
            _block.Bytes.AsSpan(_start, partial).CopyTo(_block.Bytes);
        }
        else
        {
            Block next = new(length);
            _block.Bytes.AsSpan(_start, partial).CopyTo(next.Bytes);
            _block.Release();
            _block = next;
        }

        _end = partial;
        _start = 0;
    }

    private void DecryptFrames()
    {
        while (_end - _start >= HeaderLength)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(_block.Bytes.AsSpan(_start));
            if (_end - _start - HeaderLength < length)
            {
                return;
            }

            Memory<byte> sealedText = _block.Bytes.AsMemory(_start + HeaderLength, length);
            if (length < NoiseCipher.TagLength)
            {
                Fail(Libp2pFault.Malformed, "The remote sent a Noise message that is shorter than its tag.");
                return;
            }

            Memory<byte> plaintext = sealedText[..(length - NoiseCipher.TagLength)];
            if (!_cipher.TryDecrypt(default, sealedText.Span, plaintext.Span))
            {
                Fail(Libp2pFault.NoiseDecryption, "A Noise message does not authenticate.");
                return;
            }

            _start += HeaderLength + length;
            if (!plaintext.IsEmpty)
            {
                Append(plaintext);
            }
        }
    }

    // What authenticated before stays readable; nothing after it is looked at.
    private void Fail(Libp2pFault fault, string message)
    {
        _failure = new Libp2pException(fault, message);
        _ended = true;
        _start = _end;
    }

    private void Append(Memory<byte> plaintext)
    {
        Segment segment = _spareSegments.TryPop(out Segment? spare) ? spare : new Segment();
        segment.Fill(_block, plaintext, _tail);
        _head ??= segment;
        _tail = segment;
        _allExamined = false;
    }

    private void ReleaseHead()
    {
        Debug.Assert(_head is not null);
        Segment released = _head;
        _head = released.NextSegment;
        _headConsumed = 0;
        if (_head is null)
        {
            _tail = null;
        }

        released.Release();
        if (_spareSegments.Count < 2 * (BlockLength / NoiseHandshake.MaximumMessageLength))
        {
            _spareSegments.Push(released);
        }
    }

    private ReadResult Result(bool isCanceled)
    {
        ReadOnlySequence<byte> unread = _head is null
            ? default
            : new ReadOnlySequence<byte>(_head, _headConsumed, _tail!, _tail!.Memory.Length);
        return new ReadResult(unread, isCanceled, _ended && _failure is null);
    }

    /// <summary>A receive buffer, counted by the segments of plaintext that lie in it, and by the reader while it fills it.</summary>
    private sealed class Block(int length)
    {
        internal byte[] Bytes { get; } = ArrayPool<byte>.Shared.Rent(length);

        internal int References { get; private set; } = 1;

        internal void Retain() => References++;

        internal void Release()
        {
            References--;
            if (References == 0)
            {
                ArrayPool<byte>.Shared.Return(Bytes);
            }
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Block? _block;

        internal Segment? NextSegment => (Segment?)Next;

        internal void Fill(Block block, Memory<byte> plaintext, Segment? previous)
        {
            block.Retain();
            _block = block;
            Memory = plaintext;
            Next = null;
            RunningIndex = 0;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }

        internal void Release()
        {
            _block!.Release();
            _block = null;
            Memory = default;
            Next = null;
        }
    }
}
