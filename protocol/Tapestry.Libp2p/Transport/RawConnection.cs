using System.Buffers;
using System.IO.Pipelines;

namespace Tapestry.Libp2p;

/// <summary>A connection before it is secure: pipes for the first negotiation over a stream that the secure channel then takes over.</summary>
internal sealed class RawConnection : IDuplexPipe, IAsyncDisposable
{
    // The whole handshake is a few hundred bytes each way.
    private const int BufferLength = 4096;

    internal RawConnection(Stream stream)
    {
        Stream = stream;
        Input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferLength, leaveOpen: true));
        Output = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: BufferLength, leaveOpen: true));
    }

    internal Stream Stream { get; }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    public ValueTask DisposeAsync() => Stream.DisposeAsync();

    /// <summary>What was received and not read: it belongs to the next layer.</summary>
    internal byte[] TakeReceived()
    {
        byte[] received = Input.TryRead(out ReadResult result) ? result.Buffer.ToArray() : [];
        Input.Complete();
        Output.Complete();
        return received;
    }
}
