using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tapestry.Libp2p;
using Tapestry.Testing;

namespace Tapestry.Benchmarks.Network;

/// <summary>Two processes of one implementation: one dials, the other listens.</summary>
internal sealed class PeerPair(ForeignPeer dialler, ForeignPeer listener) : IAsyncDisposable
{
    /// <summary>What one transfer moves.</summary>
    internal const long TransferBytes = 256L * 1024 * 1024;

    // Measured: after this many neither .NET nor Node becomes faster. Methods are compiled in three steps, and the slow first
    // ones take half as much again of the processor for the first gigabytes.
    private const int WarmUpTransfers = 8;

    internal ForeignPeer Dialler { get; } = dialler;

    internal ForeignPeer Listener { get; } = listener;

    /// <summary>Ours.</summary>
    internal static Task<PeerPair> OursAsync(SecurityProtocol security, CancellationToken stopping) =>
        StartAsync(() => OneOfOursAsync(security, stopping), () => OneOfOursAsync(security, stopping));

    /// <summary>One process of ours.</summary>
    internal static Task<ForeignPeer> OneOfOursAsync(SecurityProtocol security, CancellationToken stopping) => ForeignPeer.StartAsync(Ours(security), stopping);

    /// <summary>Ours, each on one core of its own.</summary>
    internal static Task<PeerPair> OursOnOneCoreEachAsync(SecurityProtocol security, CancellationToken stopping) => StartAsync(
        () => ForeignPeer.StartAsync(Pinned(Ours(security), 0), stopping), () => ForeignPeer.StartAsync(Pinned(Ours(security), 1), stopping));

    /// <summary>js-libp2p.</summary>
    internal static Task<PeerPair> JsAsync(SecurityProtocol security, CancellationToken stopping) => StartAsync(
        () => ForeignPeer.StartAsync(["--security", security.Name], stopping), () => ForeignPeer.StartAsync(["--security", security.Name], stopping));

    /// <summary>Connects them and moves transfers each way, until both have compiled and grown what they need: daemons run for days.</summary>
    internal async Task WarmUpAsync(CancellationToken stopping)
    {
        await DialAsync(stopping);
        await WarmUpConnectedAsync(stopping);
    }

    /// <summary>The same between two that are connected.</summary>
    internal async Task WarmUpConnectedAsync(CancellationToken stopping)
    {
        for (int transfer = 0; transfer < WarmUpTransfers; transfer++)
        {
            await UploadAsync(stopping);
            await DownloadAsync(stopping);
        }
    }

    /// <summary>Connects; the answer has the time that it took.</summary>
    internal Task<JsonElement> DialAsync(CancellationToken stopping) => Dialler.AskAsync("dial", new { address = Listener.Address }, stopping);

    /// <summary>Connects through a relay, at which the listener reserves.</summary>
    internal async Task DialThroughAsync(ForeignPeer relay, CancellationToken stopping)
    {
        JsonElement reserved = await Listener.AskAsync("reserve", new { relay = relay.Address }, stopping);
        await Dialler.AskAsync("dial", new { address = reserved.GetProperty("addresses")[0].GetString() }, stopping);
    }

    internal Task<JsonElement> HangUpAsync(CancellationToken stopping) => Dialler.AskAsync("close", new { peer = Listener.PeerId }, stopping);

    /// <summary>The rate of one stream from the dialler, in MB/s: from the open stream to the first byte of the answer.</summary>
    internal async Task<double> UploadAsync(CancellationToken stopping) => Rate(await TransferAsync(TransferBytes, 0, stopping), "uploadMilliseconds");

    /// <summary>The rate of one stream to the dialler, in MB/s: from the first byte to the last.</summary>
    internal async Task<double> DownloadAsync(CancellationToken stopping) => Rate(await TransferAsync(0, TransferBytes, stopping), "downloadMilliseconds");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Dialler.DisposeAsync();
        await Listener.DisposeAsync();
    }

    private static async Task<PeerPair> StartAsync(Func<Task<ForeignPeer>> startDialler, Func<Task<ForeignPeer>> startListener)
    {
        ForeignPeer[] peers = await Task.WhenAll(startDialler(), startListener());
        return new PeerPair(peers[0], peers[1]);
    }

    private static ProcessStartInfo Ours(SecurityProtocol security) => OwnProgram.With(NetworkPeer.Argument, security.Name);

    private static ProcessStartInfo Pinned(ProcessStartInfo program, int core) =>
        new("taskset", ["-c", core.ToString(CultureInfo.InvariantCulture), program.FileName, .. program.ArgumentList]);

    private Task<JsonElement> TransferAsync(long upload, long download, CancellationToken stopping) =>
        Dialler.AskAsync("perf", new { peer = Listener.PeerId, upload, download }, stopping);

    private static double Rate(JsonElement transfer, string time) => TransferBytes / 1e3 / transfer.GetProperty(time).GetDouble();
}
