using Tapestry.Cli;

namespace Tapestry.Benchmarks.Swarm;

/// <summary><c>bench swarm</c>: the swarm's rows of <c>bench network</c> alone.</summary>
internal sealed class SwarmBenchmark : Benchmark
{
    internal override string Name => "swarm";

    internal override string Description => "one blob to eight peers over shaped links, against its source alone";

    internal override Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Terminal terminal, CancellationToken stopping) =>
        terminal.WithProgressAsync("swarm", 1, meter => new SwarmPart().RunAsync(options, what => meter.Report(0, what), stopping));
}
