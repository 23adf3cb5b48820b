using System.Text.Json;
using Tapestry.Libp2p;

namespace Tapestry.Benchmarks.Network;

/// <summary>One stream over Noise and over TLS, connections and new streams, against js-libp2p; and what we allocate for them.</summary>
/// <remarks>TCP and yamux on both. A transfer is /perf/1.0.0 on one stream. Both sides are warmed up alike.</remarks>
internal sealed class StreamsPart : NetworkPart
{
    private const int DialsPerRun = 10;
    private const int StreamsPerRun = 50;
    private const double MiB = 1024 * 1024;

    /// <inheritdoc/>
    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping)
    {
        List<BenchmarkRow> rows = [];
        foreach ((SecurityProtocol security, double goal) in new[] { (SecurityProtocol.Noise, 2.5), (SecurityProtocol.Tls, 1.3) })
        {
            await using PeerPair ourPair = await PeerPair.OursAsync(security, stopping);
            await using PeerPair jsPair = await PeerPair.JsAsync(security, stopping);
            Side ours = new(ourPair);
            Side js = new(jsPair);
            await ourPair.WarmUpAsync(stopping);
            await jsPair.WarmUpAsync(stopping);
            for (int run = 1; run <= options.Runs; run++)
            {
                report($"{security.Name}, run {run} of {options.Runs}");
                await ours.MeasureAsync(stopping);
                await js.MeasureAsync(stopping);
            }

            rows.AddRange(Rows(security, goal, ours, js));
            rows.Add(BenchmarkRow.Reported($"allocated for a MiB, both sides, {security.Name}", "KiB", [await AllocatedAsync(ourPair, stopping)]));
        }

        return rows;
    }

    private static IEnumerable<BenchmarkRow> Rows(SecurityProtocol security, double goal, Side ours, Side js)
    {
        yield return BenchmarkRow.MoreIsBetter($"one stream, {security.Name}, up", "MB/s", ours.Up, js.Up, "js-libp2p", goal);
        yield return BenchmarkRow.MoreIsBetter($"one stream, {security.Name}, down", "MB/s", ours.Down, js.Down, "js-libp2p", goal);
        yield return BenchmarkRow.LessIsBetter($"connection set-up, {security.Name}", "ms", ours.Dials, js.Dials, "js-libp2p", 2);
        yield return BenchmarkRow.LessIsBetter($"new stream and first byte, {security.Name}", "ms", ours.Opens, js.Opens, "js-libp2p", 2);
    }

    private static async Task<double> AllocatedAsync(PeerPair pair, CancellationToken stopping)
    {
        double before = await TotalAsync(pair, stopping);
        await pair.UploadAsync(stopping);
        await pair.DownloadAsync(stopping);
        return (await TotalAsync(pair, stopping) - before) / 1024 / (2 * PeerPair.TransferBytes / MiB);
    }

    private static async Task<double> TotalAsync(PeerPair pair, CancellationToken stopping)
    {
        JsonElement[] both = await Task.WhenAll(
            pair.Dialler.AskAsync("memory", new { }, stopping), pair.Listener.AskAsync("memory", new { }, stopping));
        return both.Sum(memory => memory.GetProperty("allocated").GetDouble());
    }

    /// <summary>What was measured between two processes.</summary>
    private sealed class Side(PeerPair pair)
    {
        public List<double> Up { get; } = [];

        public List<double> Down { get; } = [];

        public List<double> Dials { get; } = [];

        public List<double> Opens { get; } = [];

        public async Task MeasureAsync(CancellationToken stopping)
        {
            List<double> dials = [];
            for (int i = 0; i < DialsPerRun; i++)
            {
                await pair.HangUpAsync(stopping);
                dials.Add((await pair.DialAsync(stopping)).GetProperty("milliseconds").GetDouble());
            }

            Dials.Add(BenchmarkRow.Median(dials));
            Up.Add(await pair.UploadAsync(stopping));
            Down.Add(await pair.DownloadAsync(stopping));
            JsonElement opened = await pair.Dialler.AskAsync("open", new { peer = pair.Listener.PeerId, times = StreamsPerRun }, stopping);
            Opens.Add(BenchmarkRow.Median(opened.GetProperty("milliseconds").EnumerateArray().Select(time => time.GetDouble())));
        }
    }
}
