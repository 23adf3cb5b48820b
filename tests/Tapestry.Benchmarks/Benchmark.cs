using Tapestry.Cli;

namespace Tapestry.Benchmarks;

/// <summary>One comparison of Tapestry with something real.</summary>
internal abstract class Benchmark
{
    /// <summary>The word on the command line.</summary>
    internal abstract string Name { get; }

    /// <summary>What is compared with what, in a few words.</summary>
    internal abstract string Description { get; }

    /// <summary>Runs both sides, interleaved, and returns medians.</summary>
    internal abstract Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Terminal terminal, CancellationToken stopping);
}

/// <summary>What the command line says.</summary>
/// <param name="Runs">How often each side runs.</param>
/// <param name="Threads">Threads of each side.</param>
/// <param name="Python">A Python with PyTorch.</param>
/// <param name="Minutes">How long what must stay flat is watched; 0 for a short look.</param>
/// <param name="Part">The one part of <c>bench network</c> to run; null for all.</param>
internal sealed record BenchmarkOptions(int Runs, int Threads, string Python, int Minutes, string? Part);
