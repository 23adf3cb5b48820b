using Tapestry.Benchmarks.Swarm;
using Tapestry.Cli;

namespace Tapestry.Benchmarks.Network;

/// <summary><c>bench network</c>: our libp2p against js-libp2p, and against what the machine allows, on loopback, in turn in the same minutes.</summary>
internal sealed class NetworkBenchmark : Benchmark
{
    private static readonly NetworkPart[] Parts = [new StreamsPart(), new CipherLimitPart(), new RelayedPart(), new GossipPart(), new IdleConnectionsPart(), new SwarmPart()];

    internal override string Name => "network";

    internal override string Description => "streams, relays, connections, gossip, memory and the swarm against js-libp2p and the machine's limit";

    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Terminal terminal, CancellationToken stopping)
    {
        List<BenchmarkRow> rows = [];
        await terminal.WithProgressAsync("network", Parts.Length, async meter =>
        {
            for (int part = 0; part < Parts.Length; part++)
            {
                rows.AddRange(await Parts[part].RunAsync(options, what => meter.Report(part, what), stopping));
            }

            meter.Report(Parts.Length, "");
            return rows.Count;
        });
        return rows;
    }
}

/// <summary>Some rows of <c>bench network</c> that are measured together.</summary>
internal abstract class NetworkPart
{
    /// <summary>Runs all sides, interleaved.</summary>
    /// <param name="options">What the command line says.</param>
    /// <param name="report">Tells people what is being measured.</param>
    /// <param name="stopping">Ends the measurement and its processes.</param>
    internal abstract Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping);
}
