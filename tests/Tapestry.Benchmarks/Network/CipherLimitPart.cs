using System.Text.Json;
using Tapestry.Libp2p;
using Tapestry.Testing;

namespace Tapestry.Benchmarks.Network;

/// <summary>One stream over Noise against what a machine of one core a side allows: the cipher alone and TCP alone, in the same run.</summary>
/// <remarks>
/// <para>Each process is bound to one core. A byte costs the sender its sealing and its half of TCP, and the receiver its half
/// of TCP and its opening; both work at the same time, so the slower side sets the rate.</para>
/// <para>Sealing and opening run alone, on frames of 65,519 bytes in one buffer. TCP runs alone between the two processes, in
/// writes of 256 KiB, in the direction of the transfer: its rate is that of the side that has more to do, and is taken for both.
/// So <c>limit = 1 / (1 / min(seal, open) + 1 / TCP)</c>.</para>
/// </remarks>
internal sealed class CipherLimitPart : NetworkPart
{
    private const double Goal = 0.70;

    /// <inheritdoc/>
    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping)
    {
        await using PeerPair pair = await PeerPair.OursOnOneCoreEachAsync(SecurityProtocol.Noise, stopping);
        await pair.WarmUpAsync(stopping);
        await LimitAsync(pair.Dialler, pair.Listener, stopping);
        await LimitAsync(pair.Listener, pair.Dialler, stopping);
        (List<double> up, List<double> upLimits, List<double> down, List<double> downLimits) = ([], [], [], []);
        for (int run = 1; run <= options.Runs; run++)
        {
            report($"against the cipher, run {run} of {options.Runs}");
            up.Add(await pair.UploadAsync(stopping));
            upLimits.Add(await LimitAsync(pair.Dialler, pair.Listener, stopping));
            down.Add(await pair.DownloadAsync(stopping));
            downLimits.Add(await LimitAsync(pair.Listener, pair.Dialler, stopping));
        }

        return
        [
            BenchmarkRow.MoreIsBetter("one stream, noise, up, a core a side", "MB/s", up, upLimits, "cipher and TCP", Goal),
            BenchmarkRow.MoreIsBetter("one stream, noise, down, a core a side", "MB/s", down, downLimits, "cipher and TCP", Goal),
        ];
    }

    private static async Task<double> LimitAsync(ForeignPeer sender, ForeignPeer receiver, CancellationToken stopping)
    {
        JsonElement seal = await sender.AskAsync("cipher", new { }, stopping);
        JsonElement open = await receiver.AskAsync("cipher", new { }, stopping);
        double cipher = Math.Min(seal.GetProperty("seal").GetDouble(), open.GetProperty("open").GetDouble());
        JsonElement listening = await receiver.AskAsync("rawListen", new { }, stopping);
        JsonElement sent = await sender.AskAsync("rawSend", new { port = listening.GetProperty("port").GetInt32(), bytes = PeerPair.TransferBytes }, stopping);
        double tcp = PeerPair.TransferBytes / 1e3 / sent.GetProperty("milliseconds").GetDouble();
        return 1 / ((1 / cipher) + (1 / tcp));
    }
}
