using System.IO.Pipelines;

namespace Tapestry.Fuzz.Targets;

/// <summary>The input as a connection that delivers it in pieces and then ends; what is written to it is dropped. Nothing ever waits.</summary>
internal sealed class PieceStream(byte[] input) : Stream
{
    private InputRandom _pieces = new(input.Length, "pieces", 0);
    private int _position;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>A reader of the input, in pieces.</summary>
    public static PipeReader Reader(ReadOnlySpan<byte> input) => PipeReader.Create(new PieceStream(input.ToArray()));

    /// <summary>Both directions.</summary>
    public static IDuplexPipe Pipe(ReadOnlySpan<byte> input)
    {
        PieceStream stream = new(input.ToArray());
        return new Ends(PipeReader.Create(stream), PipeWriter.Create(stream));
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int most = Math.Min(buffer.Length, input.Length - _position);
        int count = most == 0 ? 0 : 1 + _pieces.Next(_pieces.Next(3) == 0 ? Math.Min(most, 3) : most);
        input.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override void Write(byte[] buffer, int offset, int count)
    {
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
