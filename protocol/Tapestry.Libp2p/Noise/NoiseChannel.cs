using System.IO.Pipelines;

namespace Tapestry.Libp2p.Noise;

/// <summary>An encrypted, authenticated pipe to a peer that has proved who it is.</summary>
/// <remarks>
/// libp2p/specs, noise/README.md, "Wire Format". Both halves work on the caller's task, so one task that reads and one that
/// writes decrypt and encrypt at the same time. The stream below is closed when both halves are completed, or on disposal.
/// </remarks>
public sealed class NoiseChannel : IDuplexPipe, IAsyncDisposable
{
    private readonly Stream _stream;
    private int _openHalves = 2;

    internal NoiseChannel(Stream stream, PeerId remote, (NoiseCipher Send, NoiseCipher Receive) ciphers, ReadOnlySpan<byte> received)
    {
        _stream = stream;
        Remote = remote;
        Input = new NoiseReader(stream, ciphers.Receive, received, HalfCompleted);
        Output = new NoiseWriter(stream, ciphers.Send, HalfCompleted);
    }

    /// <summary>The peer that proved its identity in the handshake.</summary>
    public PeerId Remote { get; }

    /// <summary>Decrypted bytes from the peer.</summary>
    public PipeReader Input { get; }

    /// <summary>Bytes for the peer; sent when flushed.</summary>
    public PipeWriter Output { get; }

    /// <summary>Closes the stream below; reads and writes under way end with <see cref="Libp2pFault.ConnectionLost"/>.</summary>
    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void HalfCompleted()
    {
        if (Interlocked.Decrement(ref _openHalves) == 0)
        {
            _stream.Dispose();
        }
    }
}
