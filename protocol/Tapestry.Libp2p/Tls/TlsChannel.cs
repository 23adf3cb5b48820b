using System.IO.Pipelines;
using System.Net.Security;

namespace Tapestry.Libp2p.Tls;

/// <summary>A channel that is secured by TLS 1.3.</summary>
internal sealed class TlsChannel : SecureChannel
{
    // Four TLS records at a time, each way.
    private const int BufferLength = 64 * 1024;

    private readonly SslStream _tls;

    internal TlsChannel(SslStream tls, PeerId remote, string? earlyMuxer)
        : base(remote, earlyMuxer)
    {
        _tls = tls;

        // Empty reads, so that nothing is held while nothing comes.
        Input = PipeReader.Create(tls, new StreamPipeReaderOptions(
            bufferSize: BufferLength, minimumReadSize: BufferLength / 4, leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(tls, new StreamPipeWriterOptions(minimumBufferSize: BufferLength, leaveOpen: true));
    }

    /// <inheritdoc/>
    public override SecurityProtocol Security => SecurityProtocol.Tls;

    /// <inheritdoc/>
    public override PipeReader Input { get; }

    /// <inheritdoc/>
    public override PipeWriter Output { get; }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _tls.DisposeAsync();
}
