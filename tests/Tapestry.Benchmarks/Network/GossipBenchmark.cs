using System.Diagnostics;
using System.Text.Json;
using Tapestry.Testing;

namespace Tapestry.Benchmarks.Network;

/// <summary>The gossip rows of <c>bench network</c>: two processes of one implementation, signed messages from one to the other.</summary>
/// <remarks>
/// The rate is of messages with a window of them unacknowledged: the receiver publishes one small message for every quarter of the
/// window, on both sides alike. The latency is from before the publication to the receiver's validator, of messages with a pause between.
/// </remarks>
internal sealed class GossipBenchmark(ForeignPeer sender, ForeignPeer receiver) : IAsyncDisposable
{
    private const int LatencyMessages = 256;
    private const int PauseMilliseconds = 5;

    // As for streams: until neither side becomes faster.
    private const int WarmUpPumps = 5;

    private static readonly Load[] Loads =
    [
        new("1 KiB", 1024, Messages: 8192, Window: 256),
        new("64 KiB", 64 * 1024, Messages: 1024, Window: 32),
    ];

    private readonly Dictionary<string, Measured> _measured = Loads.ToDictionary(load => load.Name, _ => new Measured());

    /// <summary>Starts two processes: of a program of ours, or of js-libp2p.</summary>
    internal static async Task<GossipBenchmark> StartAsync(Func<ProcessStartInfo>? program, CancellationToken stopping)
    {
        ForeignPeer[] peers = await Task.WhenAll(Start(), Start());
        return new GossipBenchmark(peers[0], peers[1]);

        Task<ForeignPeer> Start() =>
            program is null ? ForeignPeer.StartAsync(["--with", "gossip"], stopping) : ForeignPeer.StartAsync(program(), stopping);
    }

    /// <summary>Connects both and lets them compile what they need.</summary>
    internal async Task WarmUpAsync(CancellationToken stopping)
    {
        await sender.AskAsync("dial", new { address = receiver.Address }, stopping);
        foreach (Load load in Loads)
        {
            await receiver.AskAsync("gossipSink", new { topic = load.Topic, ackEvery = load.AckEvery }, stopping);
            await sender.AskAsync("subscribe", new { topic = load.Topic }, stopping);
            await sender.AskAsync("subscribe", new { topic = load.Topic + "/ack" }, stopping);
            await receiver.AskAsync("subscribe", new { topic = load.Topic + "/ack" }, stopping);
            await sender.AskAsync("gossipAwait", new { topic = load.Topic, peers = 1 }, stopping);
            await receiver.AskAsync("gossipAwait", new { topic = load.Topic + "/ack", peers = 1 }, stopping);
            for (int pump = 0; pump < WarmUpPumps; pump++)
            {
                await PumpAsync(load, load.Messages, 0, stopping);
            }
        }
    }

    internal async Task MeasureAsync(CancellationToken stopping)
    {
        foreach (Load load in Loads)
        {
            Measured measured = _measured[load.Name];
            double milliseconds = await PumpAsync(load, load.Messages, 0, stopping);
            measured.PerSecond.Add(load.Messages / milliseconds * 1000);
            await PumpAsync(load, LatencyMessages, PauseMilliseconds, stopping);
            JsonElement taken = await receiver.AskAsync("gossipSinkTake", new { }, stopping);
            List<double> latencies = [.. taken.GetProperty("microseconds").EnumerateArray().Select(value => value.GetDouble() / 1000).Order()];
            measured.P50.Add(latencies[latencies.Count / 2]);
            measured.P99.Add(latencies[latencies.Count * 99 / 100]);
        }
    }

    /// <summary>The rows of ours beside those of js-libp2p.</summary>
    internal static IEnumerable<BenchmarkRow> Rows(GossipBenchmark ours, GossipBenchmark js) => Loads.SelectMany(load => (BenchmarkRow[])
    [
        BenchmarkRow.MoreIsBetter($"gossip {load.Name}", "messages/s", ours._measured[load.Name].PerSecond, js._measured[load.Name].PerSecond, "js-libp2p", 3),
        BenchmarkRow.LessIsBetter($"gossip {load.Name}, latency p50", "ms", ours._measured[load.Name].P50, js._measured[load.Name].P50, "js-libp2p", 1),
        BenchmarkRow.LessIsBetter($"gossip {load.Name}, latency p99", "ms", ours._measured[load.Name].P99, js._measured[load.Name].P99, "js-libp2p", 1),
    ]);

    public async ValueTask DisposeAsync()
    {
        await sender.DisposeAsync();
        await receiver.DisposeAsync();
    }

    private async Task<double> PumpAsync(Load load, int count, double pauseMilliseconds, CancellationToken stopping)
    {
        JsonElement pumped = await sender.AskAsync(
            "gossipPump", new { topic = load.Topic, bytes = load.Bytes, count, window = load.Window, ackEvery = load.AckEvery, pauseMilliseconds }, stopping);
        return pumped.GetProperty("milliseconds").GetDouble();
    }

    private sealed record Load(string Name, int Bytes, int Messages, int Window)
    {
        public int AckEvery => Window / 4;

        public string Topic => $"/bench/{Bytes}";
    }

    private sealed class Measured
    {
        public List<double> PerSecond { get; } = [];

        public List<double> P50 { get; } = [];

        public List<double> P99 { get; } = [];
    }
}
