using System.IO.Pipelines;

namespace Tapestry.Libp2p.Tests;

/// <summary>A connection in memory, as two streams, that may cut what it carries into pieces of any length.</summary>
internal sealed class MemoryStreams : Stream
{
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly Func<int> _pieceLength;

    private MemoryStreams(PipeReader input, PipeWriter output, Func<int> pieceLength)
    {
        _input = input.AsStream();
        _output = output.AsStream();
        _pieceLength = pieceLength;
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    internal static (Stream Left, Stream Right) Create(Func<int>? pieceLength = null)
    {
        Pipe leftToRight = new(new PipeOptions(pauseWriterThreshold: 0));
        Pipe rightToLeft = new(new PipeOptions(pauseWriterThreshold: 0));
        pieceLength ??= () => int.MaxValue;
        return (new MemoryStreams(rightToLeft.Reader, leftToRight.Writer, pieceLength),
            new MemoryStreams(leftToRight.Reader, rightToLeft.Writer, pieceLength));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _input.ReadAsync(buffer[..Math.Min(buffer.Length, _pieceLength())], cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _output.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => _output.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _input.Dispose();
            _output.Dispose();
        }

        base.Dispose(disposing);
    }
}
