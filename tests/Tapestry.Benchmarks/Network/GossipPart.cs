namespace Tapestry.Benchmarks.Network;

/// <summary>Gossip against js-libp2p.</summary>
internal sealed class GossipPart : NetworkPart
{
    /// <inheritdoc/>
    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping)
    {
        await using GossipBenchmark ours = await GossipBenchmark.StartAsync(() => OwnProgram.With(NetworkPeer.Argument, "noise"), stopping);
        await using GossipBenchmark js = await GossipBenchmark.StartAsync(null, stopping);
        await ours.WarmUpAsync(stopping);
        await js.WarmUpAsync(stopping);
        for (int run = 1; run <= options.Runs; run++)
        {
            report($"gossip, run {run} of {options.Runs}");
            await ours.MeasureAsync(stopping);
            await js.MeasureAsync(stopping);
        }

        return [.. GossipBenchmark.Rows(ours, js)];
    }
}
