using System.Text.Json;
using Tapestry.Libp2p;

namespace Tapestry.Benchmarks.Network;

/// <summary>One stream over Noise against what a machine of one core a side allows: the cipher alone and TCP alone, in the same run.</summary>
/// <remarks>
/// <para>Each process is bound to one core. A byte costs the sender its sealing and its half of TCP, and the receiver its half
/// of TCP and its opening; both work at the same time, so the slower side sets the rate.</para>
/// <para>Sealing and opening run alone, on frames of 65,519 bytes in one buffer. TCP runs alone between the two processes, in
/// writes of 256 KiB: its rate is that of the side that has more to do, and is taken for both. So
/// <c>limit = 1 / (1 / min(seal, open) + 1 / TCP)</c>.</para>
/// </remarks>
internal sealed class CipherLimitPart : NetworkPart
{
    private const double Goal = 0.70;

    /// <inheritdoc/>
    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping)
    {
        await using PeerPair pair = await PeerPair.OursOnOneCoreEachAsync(SecurityProtocol.Noise, stopping);
        await pair.WarmUpAsync(stopping);
        await TcpAsync(pair, stopping);
        (List<double> up, List<double> down, List<double> limits) = ([], [], []);
        for (int run = 1; run <= options.Runs; run++)
        {
            report($"against the cipher, run {run} of {options.Runs}");
            up.Add(await pair.UploadAsync(stopping));
            JsonElement cipher = await pair.Dialler.AskAsync("cipher", new { }, stopping);
            double slower = Math.Min(cipher.GetProperty("seal").GetDouble(), cipher.GetProperty("open").GetDouble());
            limits.Add(1 / ((1 / slower) + (1 / await TcpAsync(pair, stopping))));
            down.Add(await pair.DownloadAsync(stopping));
        }

        return
        [
            BenchmarkRow.MoreIsBetter("one stream, noise, up, a core a side", "MB/s", up, limits, "cipher and TCP", Goal),
            BenchmarkRow.MoreIsBetter("one stream, noise, down, a core a side", "MB/s", down, limits, "cipher and TCP", Goal),
        ];
    }

    private static async Task<double> TcpAsync(PeerPair pair, CancellationToken stopping)
    {
        JsonElement listening = await pair.Listener.AskAsync("rawListen", new { }, stopping);
        JsonElement sent = await pair.Dialler.AskAsync("rawSend", new { port = listening.GetProperty("port").GetInt32(), bytes = PeerPair.TransferBytes }, stopping);
        return PeerPair.TransferBytes / 1e3 / sent.GetProperty("milliseconds").GetDouble();
    }
}
