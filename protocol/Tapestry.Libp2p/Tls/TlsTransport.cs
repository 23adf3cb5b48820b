using System.Buffers;
using System.Runtime.CompilerServices;

namespace Tapestry.Libp2p.Tls;

/// <summary>What lies between TLS and the socket: large receives, and large sends of many TLS records.</summary>
/// <remarks>
/// TLS hands over one record of at most 16 KiB at a time and would make a system call of each. Until <see cref="SendTogether"/>
/// every write is sent at once, as the handshake needs. One reader and one writer at a time.
/// </remarks>
internal sealed class TlsTransport : Stream
{
    // Sixteen records: large enough that a system call costs little per byte.
    private const int BufferLength = 256 * 1024;

    // What waits on a connection that is idle.
    private const int IdleLength = 4 * 1024;

    private readonly Stream _socket;
    private byte[] _received;
    private int _start;
    private int _end;
    private int _lastReceived;
    private bool _isRented;
    private byte[]? _toSend;
    private int _waiting;
    private bool _sendsTogether;

    /// <summary>A transport over a socket.</summary>
    /// <param name="socket">The socket's stream; owned from now on.</param>
    /// <param name="received">What was read from it already.</param>
    internal TlsTransport(Stream socket, byte[] received)
    {
        _socket = socket;
        _received = received;
        _end = received.Length;
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _start < _end ? new ValueTask<int>(TakeReceived(buffer)) : ReceiveAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_sendsTogether)
        {
            return _socket.WriteAsync(buffer, cancellationToken);
        }

        _toSend ??= ArrayPool<byte>.Shared.Rent(BufferLength);
        if (buffer.Length <= _toSend.Length - _waiting)
        {
            buffer.CopyTo(_toSend.AsMemory(_waiting));
            _waiting += buffer.Length;
            return ValueTask.CompletedTask;
        }

        return SendAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        byte[]? together = _toSend;
        int length = _waiting;
        _toSend = null;
        _waiting = 0;
        if (together is not null)
        {
            await _socket.WriteAsync(together.AsMemory(0, length), cancellationToken);
            ArrayPool<byte>.Shared.Return(together);
        }
    }

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>From now on writes wait for a flush or a full buffer. Called once, after the handshake.</summary>
    internal void SendTogether() => _sendsTogether = true;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _socket.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancelled)
    {
        await FlushAsync(cancelled);
        if (buffer.Length > BufferLength)
        {
            await _socket.WriteAsync(buffer, cancelled);
            return;
        }

        _toSend = ArrayPool<byte>.Shared.Rent(BufferLength);
        buffer.CopyTo(_toSend);
        _waiting = buffer.Length;
    }

    private ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancelled)
    {
        // The handshake is a few small messages each way, and most connections of a flood end in it. An empty read only waits.
        if (!_sendsTogether || buffer.IsEmpty)
        {
            return _socket.ReadAsync(buffer, cancelled);
        }

        int length = _lastReceived > IdleLength / 2 ? BufferLength : IdleLength;
        if (_received.Length != length)
        {
            Return();
            _received = ArrayPool<byte>.Shared.Rent(length);
            _isRented = true;
        }

        return FillAsync(buffer, cancelled);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> FillAsync(Memory<byte> buffer, CancellationToken cancelled)
    {
        _start = 0;
        _end = 0;
        _end = await _socket.ReadAsync(_received, cancelled);
        _lastReceived = _end;
        return TakeReceived(buffer);
    }

    // Only between reads: on disposal one may be under way, and the array then is the collector's.
    private void Return()
    {
        if (_isRented)
        {
            ArrayPool<byte>.Shared.Return(_received);
            _isRented = false;
        }
    }

    private int TakeReceived(Memory<byte> buffer)
    {
        int taken = Math.Min(buffer.Length, _end - _start);
        _received.AsMemory(_start, taken).CopyTo(buffer);
        _start += taken;
        return taken;
    }
}
