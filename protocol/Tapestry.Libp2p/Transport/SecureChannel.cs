using System.IO.Pipelines;

namespace Tapestry.Libp2p;

/// <summary>An encrypted, authenticated pipe to a peer that has proved who it is.</summary>
public abstract class SecureChannel : IDuplexPipe, IAsyncDisposable
{
    /// <summary>A channel to <paramref name="remote"/>.</summary>
    /// <param name="remote">The peer that proved its identity in the handshake.</param>
    /// <param name="earlyMuxer">The muxer that the handshake agreed on; null when multistream-select is to do it.</param>
    protected SecureChannel(PeerId remote, string? earlyMuxer) => (Remote, EarlyMuxer) = (remote, earlyMuxer);

    /// <summary>The peer that proved its identity in the handshake.</summary>
    public PeerId Remote { get; }

    /// <summary>The muxer that the handshake agreed on; null when multistream-select is to do it.</summary>
    /// <remarks>libp2p/specs, connections/inlined-muxer-negotiation.md.</remarks>
    public string? EarlyMuxer { get; }

    /// <summary>How the channel is secured.</summary>
    public abstract SecurityProtocol Security { get; }

    /// <summary>Decrypted bytes from the peer.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>Bytes for the peer; sent when flushed.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>Closes the stream below; reads and writes under way end with <see cref="Libp2pFault.ConnectionLost"/>.</summary>
    public abstract ValueTask DisposeAsync();
}
