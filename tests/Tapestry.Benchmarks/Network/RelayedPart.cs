using Tapestry.Libp2p;
using Tapestry.Testing;

namespace Tapestry.Benchmarks.Network;

/// <summary>One stream through our relay against one through a js-libp2p relay, and against one without a relay, in the same minutes.</summary>
/// <remarks>
/// Both ends are ours throughout, so what differs is the relay: three processes for each, none of which limits bytes or time. Every byte is
/// sealed and opened three times, between the ends and on both connections of the relay. Reported without goal.
/// </remarks>
internal sealed class RelayedPart : NetworkPart
{
    /// <inheritdoc/>
    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Action<string> report, CancellationToken stopping)
    {
        await using PeerPair direct = await PeerPair.OursAsync(SecurityProtocol.Noise, stopping);
        await using ForeignPeer ourRelay = await PeerPair.OneOfOursAsync(SecurityProtocol.Noise, stopping);
        await using ForeignPeer jsRelay = await ForeignPeer.StartAsync(["--security", SecurityProtocol.Noise.Name, "--with", "unlimitedRelay"], stopping);
        await using PeerPair throughOurs = await PeerPair.OursAsync(SecurityProtocol.Noise, stopping);
        await using PeerPair throughJs = await PeerPair.OursAsync(SecurityProtocol.Noise, stopping);
        await throughOurs.DialThroughAsync(ourRelay, stopping);
        await throughJs.DialThroughAsync(jsRelay, stopping);
        await direct.DialAsync(stopping);

        Rates without = new(direct);
        Rates ours = new(throughOurs);
        Rates js = new(throughJs);
        report("relays, warming up");
        foreach (PeerPair pair in new[] { direct, throughOurs, throughJs })
        {
            await pair.WarmUpConnectedAsync(stopping);
        }

        for (int run = 1; run <= options.Runs; run++)
        {
            report($"relays, run {run} of {options.Runs}");
            foreach (Rates rates in new[] { without, ours, js })
            {
                await rates.MeasureAsync(stopping);
            }
        }

        return
        [
            BenchmarkRow.MoreIsBetter("one stream through a relay, noise, up", "MB/s", ours.Up, js.Up, "js-libp2p's relay", goal: 0),
            BenchmarkRow.MoreIsBetter("one stream through a relay, noise, down", "MB/s", ours.Down, js.Down, "js-libp2p's relay", goal: 0),
            BenchmarkRow.MoreIsBetter("one stream through our relay, noise, up", "MB/s", ours.Up, without.Up, "no relay", goal: 0),
            BenchmarkRow.MoreIsBetter("one stream through our relay, noise, down", "MB/s", ours.Down, without.Down, "no relay", goal: 0),
        ];
    }

    /// <summary>What was measured between two processes.</summary>
    private sealed class Rates(PeerPair pair)
    {
        public List<double> Up { get; } = [];

        public List<double> Down { get; } = [];

        public async Task MeasureAsync(CancellationToken stopping)
        {
            Up.Add(await pair.UploadAsync(stopping));
            Down.Add(await pair.DownloadAsync(stopping));
        }
    }
}
