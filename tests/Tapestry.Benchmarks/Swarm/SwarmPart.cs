using System.Globalization;
using System.Text.Json;
using Tapestry.Benchmarks.Network;
using Tapestry.Testing;

namespace Tapestry.Benchmarks.Swarm;

/// <summary>The swarm's rows of <c>bench network</c>: one blob to eight peers over links of 100 Mbit/s, against its source alone.</summary>
/// <remarks>
/// Nine processes, each in a network namespace with a shaped link. Alone, the source serves eight who do not know each other:
/// measured with an eighth of the blob, and scaled, as its uplink is busy from the first byte to the last; or what that link
/// needs for eight copies, whichever is less. Files are on a memory disk: nine peers on one disk is not what is measured.
/// Each run is warmed up with a small blob. It ends when the last of the eight has the blob, synced under its name.
/// </remarks>
internal sealed class SwarmPart : NetworkPart
{
    private const int Fetchers = 8;
    private const int MegabitsPerSecond = 100;
    private const long BlobBytes = 256L * 1024 * 1024;
    private const long AloneBytes = BlobBytes / 8;
    private const long WarmUpBytes = 4L * 1024 * 1024;
    private const int ChunkBytes = 64 * 1024;

    // Eight copies at the rate of the link, without any header.
    private const double LinkSeconds = Fetchers * BlobBytes * 8 / (MegabitsPerSecond * 1e6);

    private const string TimeName = "swarm: 256 MiB to 8 peers, 100 Mbit/s links";
    private const string CopiesName = "swarm: copies that the source sends";
    private const string PeerName = "source alone";

    // The promise: 5 times faster, under 1.6 copies of the 8.
    private const double Goal = 5;

    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping)
    {
        if (ShapedNetwork.Obstacle is string obstacle)
        {
            return [BenchmarkRow.NotRun(TimeName, "s", PeerName, Goal, obstacle), BenchmarkRow.NotRun(CopiesName, "copies", PeerName, Goal, obstacle)];
        }

        List<Measured> together = [];
        List<Measured> alone = [];
        for (int run = 1; run <= options.Runs; run++)
        {
            report($"swarm, run {run} of {options.Runs}");
            together.Add(await MeasureAsync(BlobBytes, knowEachOther: true, stopping));
            alone.Add(await MeasureAsync(AloneBytes, knowEachOther: false, stopping));
        }

        return
        [
            BenchmarkRow.LessIsBetter(
                TimeName, "s", together.Select(run => run.Seconds),
                alone.Select(run => Math.Min(run.Seconds * BlobBytes / AloneBytes, LinkSeconds)), PeerName, Goal),
            BenchmarkRow.LessIsBetter(CopiesName, "copies", together.Select(run => run.Copies), alone.Select(run => run.Copies), PeerName, Goal),
        ];
    }

    /// <summary>One run in processes and namespaces of its own.</summary>
    private static async Task<Measured> MeasureAsync(long bytes, bool knowEachOther, CancellationToken stopping)
    {
        using ShapedNetwork network = new(Fetchers + 1, MegabitsPerSecond);
        DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(
            Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"tapestry-swarm-{Environment.ProcessId}")));
        List<ForeignPeer> peers = [];
        try
        {
            for (int host = 0; host <= Fetchers; host++)
            {
                string own = Path.Combine(folder.FullName, host.ToString(CultureInfo.InvariantCulture));
                peers.Add(await ForeignPeer.StartAsync(
                    network.On(host, OwnProgram.With(SwarmBenchPeer.Argument, ShapedNetwork.AddressOf(host), own)), stopping));
            }

            return await MeasureAsync(peers, bytes, knowEachOther, stopping);
        }
        finally
        {
            foreach (ForeignPeer peer in peers)
            {
                await peer.DisposeAsync();
            }

            folder.Delete(recursive: true);
        }
    }

    private static async Task<Measured> MeasureAsync(List<ForeignPeer> peers, long bytes, bool knowEachOther, CancellationToken stopping)
    {
        ForeignPeer source = peers[0];
        for (int host = 1; host < peers.Count; host++)
        {
            foreach (ForeignPeer other in knowEachOther ? peers[..host] : [source])
            {
                await peers[host].AskAsync("dial", new { address = other.Address }, stopping);
            }
        }

        await SpreadAsync(peers, WarmUpBytes, knowEachOther, stopping);
        return await SpreadAsync(peers, bytes, knowEachOther, stopping);
    }

    /// <summary>The source makes a blob, and all others fetch it.</summary>
    private static async Task<Measured> SpreadAsync(List<ForeignPeer> peers, long bytes, bool knowEachOther, CancellationToken stopping)
    {
        ForeignPeer source = peers[0];
        JsonElement held = await source.AskAsync("hold", new { length = bytes, chunkBytes = ChunkBytes }, stopping);
        string root = held.GetProperty("root").GetString()!;
        long before = (await source.AskAsync("sent", new { }, stopping)).GetProperty("bytes").GetInt64();
        long start = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(peers.Skip(1).Select(fetcher => fetcher.AskAsync(
            "fetch",
            new
            {
                root,
                length = bytes,
                chunkBytes = ChunkBytes,
                providers = (knowEachOther ? peers.Where(other => other != fetcher) : [source]).Select(other => other.PeerId),
            },
            stopping)));
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        long sent = (await source.AskAsync("sent", new { }, stopping)).GetProperty("bytes").GetInt64() - before;
        return new Measured(seconds, (double)sent / bytes);
    }

    private sealed record Measured(double Seconds, double Copies);
}
