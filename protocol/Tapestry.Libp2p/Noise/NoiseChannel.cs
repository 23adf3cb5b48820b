using System.IO.Pipelines;

namespace Tapestry.Libp2p.Noise;

/// <summary>A channel that is secured by Noise.</summary>
/// <remarks>
/// libp2p/specs, noise/README.md, "Wire Format". Both halves work on the caller's task, so a task that reads and one that
/// writes decrypt and encrypt at the same time where each has a thread. The stream below is closed when both halves are
/// completed, or on disposal.
/// </remarks>
public sealed class NoiseChannel : SecureChannel
{
    private readonly Stream _stream;
    private int _openHalves = 2;

    internal NoiseChannel(
        Stream stream, PeerId remote, string? earlyMuxer, (NoiseCipher Send, NoiseCipher Receive) ciphers, ReadOnlySpan<byte> received)
        : base(remote, earlyMuxer)
    {
        _stream = stream;
        Input = new NoiseReader(stream, ciphers.Receive, received, HalfCompleted);
        Output = new NoiseWriter(stream, ciphers.Send, HalfCompleted);
    }

    /// <inheritdoc/>
    public override SecurityProtocol Security => SecurityProtocol.Noise;

    /// <inheritdoc/>
    public override PipeReader Input { get; }

    /// <inheritdoc/>
    public override PipeWriter Output { get; }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void HalfCompleted()
    {
        if (Interlocked.Decrement(ref _openHalves) == 0)
        {
            _stream.Dispose();
        }
    }
}
