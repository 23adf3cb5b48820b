using Tapestry.Benchmarks.Swarm;
using Tapestry.Cli;

namespace Tapestry.Benchmarks.Network;

/// <summary><c>bench network</c>: our libp2p against js-libp2p, and against what the machine allows, on loopback, in turn in the same minutes.</summary>
internal sealed class NetworkBenchmark : Benchmark
{
    /// <summary>The parts by the word that chooses one.</summary>
    internal static readonly IReadOnlyList<(string Name, NetworkPart Part)> Parts =
    [
        ("streams", new StreamsPart()),
        ("limit", new CipherLimitPart()),
        ("relayed", new RelayedPart()),
        ("gossip", new GossipPart()),
        ("idle", new IdleConnectionsPart()),
        ("swarm", new SwarmPart()),
    ];

    internal override string Name => "network";

    internal override string Description => "streams, relays, connections, gossip, memory and the swarm against js-libp2p and the machine's limit";

    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Terminal terminal, CancellationToken stopping)
    {
        List<BenchmarkRow> rows = [];
        NetworkPart[] chosen = [.. Parts.Where(part => options.Part is null || part.Name == options.Part).Select(part => part.Part)];
        await terminal.WithProgressAsync("network", chosen.Length, async meter =>
        {
            for (int part = 0; part < chosen.Length; part++)
            {
                rows.AddRange(await chosen[part].RunAsync(options, what => meter.Report(part, what), stopping));
            }

            meter.Report(chosen.Length, "");
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
