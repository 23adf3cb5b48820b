using Tapestry.Protocol.Partners;

namespace Tapestry.Sim;

/// <summary>What a run came to.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Members">Members.</param>
/// <param name="Committee">Seats.</param>
/// <param name="Byzantine">Byzantine members.</param>
/// <param name="Rounds">Rounds that ended at an honest member.</param>
/// <param name="Voids">Those without a result.</param>
/// <param name="Included">Manifests that counted, in all rounds.</param>
/// <param name="VirtualMs">Virtual time.</param>
/// <param name="RoundP50Ms">Median time of a round at a member.</param>
/// <param name="RoundP95Ms">95th percentile of the same.</param>
/// <param name="Messages">Messages sent.</param>
/// <param name="LostMessages">Those that were lost.</param>
/// <param name="SentBytes">Bytes sent by all members: messages, bodies, shards and bases.</param>
/// <param name="Events">Things that happened.</param>
/// <param name="Crashes">Crashes.</param>
/// <param name="Base">The base after the last round.</param>
/// <param name="TreeSize">Ledger leaves.</param>
/// <param name="TreeRoot">Ledger root.</param>
/// <param name="Crimes">What the Byzantine members do.</param>
/// <param name="Probes">How often rarely used rules were reached.</param>
/// <param name="TraceHash">Names the whole run.</param>
/// <param name="Violation">The first broken promise, or null.</param>
public sealed record WorldReport(
    long Seed,
    int Members,
    int Committee,
    int Byzantine,
    long Rounds,
    long Voids,
    long Included,
    long VirtualMs,
    long RoundP50Ms,
    long RoundP95Ms,
    long Messages,
    long LostMessages,
    long SentBytes,
    long Events,
    int Crashes,
    string Base,
    long TreeSize,
    string TreeRoot,
    IReadOnlyList<string> Crimes,
    IReadOnlyDictionary<string, long> Probes,
    string TraceHash,
    Violation? Violation)
{
    internal static WorldReport Of(World world, string traceHash)
    {
        PartnerStatus? status = world.Hosts.Where(host => host.IsHonest && host.IsUp)
            .Select(host => host.Partner!.Status).MaxBy(one => one.Round);
        return new WorldReport(
            world.Options.Seed,
            world.Options.Members,
            world.Options.Committee,
            world.Hosts.Count(host => !host.IsHonest),
            world.Oracle.IsVoid.Count,
            world.Oracle.IsVoid.Values.Count(isVoid => isVoid),
            world.Oracle.Included.Values.Sum(),
            world.Time.NowUs / 1000,
            Percentile(world.Oracle.RoundMs, 50),
            Percentile(world.Oracle.RoundMs, 95),
            world.Network.Messages,
            world.Network.LostMessages,
            world.Hosts.Sum(host => host.SentBytes),
            world.Time.Happened,
            world.Crashes,
            status?.Base.ToString() ?? "",
            status?.TreeSize ?? 0,
            status?.TreeRoot.ToString() ?? "",
            [.. world.Hosts.Where(host => !host.IsHonest).Select(host => $"{host.Index}: {host.Fault!.GetType().Name}")],
            world.Oracle.Probes,
            traceHash,
            world.Oracle.Violation);
    }

    private static long Percentile(List<long> values, int percent)
    {
        if (values.Count == 0)
        {
            return 0;
        }

        values.Sort();
        return values[(values.Count - 1) * percent / 100];
    }
}
