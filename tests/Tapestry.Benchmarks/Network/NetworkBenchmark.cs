using System.Diagnostics;
using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Testing;

namespace Tapestry.Benchmarks.Network;

/// <summary><c>bench network</c>: our libp2p against js-libp2p, each with two processes on loopback, in turn in the same minutes.</summary>
/// <remarks>
/// TCP, Noise and yamux on both. A transfer is /perf/1.0.0 on one stream; a rate counts from the open stream to the first byte
/// of the answer (up), or from there to the last byte (down). Each side is warmed up with one transfer each way.
/// </remarks>
internal sealed class NetworkBenchmark : Benchmark
{
    private const long TransferBytes = 256L * 1024 * 1024;
    private const int DialsPerRun = 10;
    private const int StreamsPerRun = 50;

    internal override string Name => "network";

    internal override string Description => "TCP, Noise and yamux against js-libp2p";

    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Terminal terminal, CancellationToken stopping)
    {
        await using Side ours = await Side.StartAsync(() => OwnProgram.With(NetworkPeer.Argument), stopping);
        await using Side js = await Side.StartAsync(null, stopping);
        await using GossipBenchmark oursGossip = await GossipBenchmark.StartAsync(() => OwnProgram.With(NetworkPeer.Argument), stopping);
        await using GossipBenchmark jsGossip = await GossipBenchmark.StartAsync(null, stopping);
        IReadOnlyList<BenchmarkRow> rows = await terminal.WithProgressAsync("network", options.Runs + 1, async meter =>
        {
            foreach (Side side in new[] { ours, js })
            {
                await side.WarmUpAsync(stopping);
            }

            await oursGossip.WarmUpAsync(stopping);
            await jsGossip.WarmUpAsync(stopping);

            for (int run = 1; run <= options.Runs; run++)
            {
                meter.Report(run, $"run {run} of {options.Runs}");
                await ours.MeasureAsync(stopping);
                await js.MeasureAsync(stopping);
                await oursGossip.MeasureAsync(stopping);
                await jsGossip.MeasureAsync(stopping);
            }

            meter.Report(options.Runs + 1, "");
            return (IReadOnlyList<BenchmarkRow>)[.. Rows(ours, js), .. GossipBenchmark.Rows(oursGossip, jsGossip)];
        });
        return rows;
    }

    private static BenchmarkRow[] Rows(Side ours, Side js) =>
    [
        BenchmarkRow.MoreIsBetter("one stream, up", "MB/s", ours.Up, js.Up, "js-libp2p", 2.5),
        BenchmarkRow.MoreIsBetter("one stream, down", "MB/s", ours.Down, js.Down, "js-libp2p", 2.5),
        BenchmarkRow.LessIsBetter("connection set-up", "ms", ours.Dials, js.Dials, "js-libp2p", 2),
        BenchmarkRow.LessIsBetter("new stream and first byte", "ms", ours.Opens, js.Opens, "js-libp2p", 2),
    ];

    /// <summary>Two processes of one implementation, and what was measured between them.</summary>
    private sealed class Side(ForeignPeer dialler, ForeignPeer listener) : IAsyncDisposable
    {
        public List<double> Up { get; } = [];

        public List<double> Down { get; } = [];

        public List<double> Dials { get; } = [];

        public List<double> Opens { get; } = [];

        public static async Task<Side> StartAsync(Func<ProcessStartInfo>? program, CancellationToken stopping)
        {
            ForeignPeer[] peers = await Task.WhenAll(Start(), Start());
            return new Side(peers[0], peers[1]);

            Task<ForeignPeer> Start() =>
                program is null ? ForeignPeer.StartAsync(stopping) : ForeignPeer.StartAsync(program(), stopping);
        }

        public async Task WarmUpAsync(CancellationToken stopping)
        {
            await dialler.AskAsync("dial", new { address = listener.Address }, stopping);
            await TransferAsync(TransferBytes, 0, stopping);
            await TransferAsync(0, TransferBytes, stopping);
            await dialler.AskAsync("open", new { peer = listener.PeerId, times = StreamsPerRun }, stopping);
        }

        public async Task MeasureAsync(CancellationToken stopping)
        {
            List<double> dials = [];
            for (int i = 0; i < DialsPerRun; i++)
            {
                await dialler.AskAsync("close", new { peer = listener.PeerId }, stopping);
                JsonElement dialled = await dialler.AskAsync("dial", new { address = listener.Address }, stopping);
                dials.Add(dialled.GetProperty("milliseconds").GetDouble());
            }

            Dials.Add(BenchmarkRow.Median(dials));
            Up.Add(Rate(await TransferAsync(TransferBytes, 0, stopping), "uploadMilliseconds"));
            Down.Add(Rate(await TransferAsync(0, TransferBytes, stopping), "downloadMilliseconds"));
            JsonElement opened = await dialler.AskAsync("open", new { peer = listener.PeerId, times = StreamsPerRun }, stopping);
            Opens.Add(BenchmarkRow.Median(opened.GetProperty("milliseconds").EnumerateArray().Select(time => time.GetDouble())));
        }

        public async ValueTask DisposeAsync()
        {
            await dialler.DisposeAsync();
            await listener.DisposeAsync();
        }

        private Task<JsonElement> TransferAsync(long upload, long download, CancellationToken stopping) =>
            dialler.AskAsync("perf", new { peer = listener.PeerId, upload, download }, stopping);

        private static double Rate(JsonElement transfer, string time) => TransferBytes / 1e3 / transfer.GetProperty(time).GetDouble();
    }
}
