using System.Text.Json;
using Tapestry.Libp2p;
using Tapestry.Testing;

namespace Tapestry.Benchmarks.Network;

/// <summary>What a thousand connections cost on which nothing happens, and whether that grows.</summary>
internal sealed class IdleConnectionsPart : NetworkPart
{
    private const int Connections = 1000;

    // What a collection leaves differs by some per cent from one to the next.
    private const double FlatGoal = 0.9;

    // `--minutes 10` is the measurement; this only shows that it works.
    private static readonly TimeSpan ShortWatch = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping)
    {
        TimeSpan watch = options.Minutes > 0 ? TimeSpan.FromMinutes(options.Minutes) : ShortWatch;
        List<BenchmarkRow> rows = [];
        foreach (SecurityProtocol security in new[] { SecurityProtocol.Noise, SecurityProtocol.Tls })
        {
            report($"{Connections} idle connections, {security.Name}, for {watch.TotalSeconds:0} s");
            await using PeerPair pair = await PeerPair.OursAsync(security, stopping);
            (double heap, double held) before = await MemoryAsync(pair.Listener, stopping);
            await pair.Dialler.AskAsync("hosts", new { address = pair.Listener.Address, count = Connections }, stopping);
            (double heap, double held) first = await MemoryAsync(pair.Listener, stopping);
            await Task.Delay(watch, stopping);
            (double heap, double held) last = await MemoryAsync(pair.Listener, stopping);
            string name = $"{Connections} idle connections, {security.Name}, each";
            rows.Add(BenchmarkRow.Reported($"{name}, of the process", "KiB", [Each(before.held, last.held)]));
            rows.Add(BenchmarkRow.LessIsBetter(
                $"{name}, of the heap after {watch.TotalSeconds:0} s", "KiB",
                [Each(before.heap, last.heap)], [Each(before.heap, first.heap)], "at the start", FlatGoal));
        }

        return rows;
    }

    private static double Each(double before, double after) => (after - before) / Connections / 1024;

    private static async Task<(double Heap, double Held)> MemoryAsync(ForeignPeer peer, CancellationToken stopping)
    {
        JsonElement memory = await peer.AskAsync("memory", new { }, stopping);
        return (memory.GetProperty("heap").GetDouble(), memory.GetProperty("held").GetDouble());
    }
}
