namespace Tapestry.Libp2p;

/// <summary>Diagnosis: round trips and throughput.</summary>
public sealed partial class Libp2pHost
{
    /// <summary>Measures one round trip to a peer, by <c>/ipfs/ping/1.0.0</c>.</summary>
    /// <exception cref="Libp2pException">As <see cref="OpenStreamAsync"/>, or the echo was wrong.</exception>
    public async Task<TimeSpan> PingAsync(PeerId peer, CancellationToken cancelled)
    {
        await using Libp2pStream stream = await OpenStreamAsync(peer, PingProtocol.Id, cancelled);
        return await PingProtocol.AskAsync(stream, Options.Time, cancelled);
    }

    /// <summary>Moves bytes up to a peer and back on one stream, by <c>/perf/1.0.0</c>.</summary>
    /// <exception cref="Libp2pException">As <see cref="OpenStreamAsync"/>, or the peer sent another number of bytes.</exception>
    public async Task<PerfMeasurement> MeasureAsync(PeerId peer, ulong uploadBytes, ulong downloadBytes, CancellationToken cancelled)
    {
        long start = Options.Time.GetTimestamp();
        await using Libp2pStream stream = await OpenStreamAsync(peer, PerfProtocol.Id, cancelled);
        TimeSpan connected = Options.Time.GetElapsedTime(start);
        return await PerfProtocol.AskAsync(stream, connected, uploadBytes, downloadBytes, Options.Time, cancelled);
    }
}
