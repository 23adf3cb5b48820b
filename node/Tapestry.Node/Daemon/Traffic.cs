namespace Tapestry.Node.Daemon;

/// <summary>Bytes of payload that went over the network, both ways, since the process started.</summary>
internal sealed class Traffic
{
    private long _sent;
    private long _sentBlobs;
    private long _received;
    private long _receivedBlobs;
    private Func<(long Sent, long Received)> _gossip = static () => default;

    /// <summary>Bytes sent.</summary>
    public long SentBytes => Interlocked.Read(ref _sent) + _gossip().Sent;

    /// <summary>Bytes of them that were chunks of blobs: shards, aggregates and bases.</summary>
    public long SentBlobBytes => Interlocked.Read(ref _sentBlobs);

    /// <summary>Bytes received.</summary>
    public long ReceivedBytes => Interlocked.Read(ref _received) + _gossip().Received;

    /// <summary>Bytes of them that were chunks of blobs.</summary>
    public long ReceivedBlobBytes => Interlocked.Read(ref _receivedBlobs);

    /// <summary>Adds what gossip counts by itself: what it passes on for others is traffic too.</summary>
    public void CountAlso(Func<(long Sent, long Received)> gossip) => _gossip = gossip;

    /// <summary>Counts bytes sent.</summary>
    public void Sent(long bytes) => Interlocked.Add(ref _sent, bytes);

    /// <summary>Counts bytes of a blob's chunk sent.</summary>
    public void SentBlob(long bytes)
    {
        Interlocked.Add(ref _sentBlobs, bytes);
        Sent(bytes);
    }

    /// <summary>Counts bytes received.</summary>
    public void Received(long bytes) => Interlocked.Add(ref _received, bytes);

    /// <summary>Says how much of what <see cref="Received"/> has counted was a blob's chunk; before anything is done with it, so that a round never ends ahead of its bytes.</summary>
    public void ReceivedBlob(long bytes) => Interlocked.Add(ref _receivedBlobs, bytes);
}
