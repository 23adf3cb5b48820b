using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;
using Tapestry.Node.Ledger;
using Tapestry.Node.Rounds;
using Tapestry.Node.Storage;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Tapestry.Training.Optimization;

namespace Tapestry.Node.Demo;

/// <summary>The demo from the first key to the last table.</summary>
/// <param name="root">An empty folder.</param>
/// <param name="terminal">Where the live table is drawn.</param>
/// <param name="kill">When to kill a daemon; null for never.</param>
/// <param name="rounds">Rounds to run.</param>
/// <param name="seed">Seed of the initial base.</param>
internal sealed class DemoRun(string root, Terminal terminal, KillMoment? kill, int rounds, long seed)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    /// <summary>Runs it.</summary>
    public async Task<DemoReport> RunAsync(CancellationToken stopping)
    {
        long started = terminal.Time.GetTimestamp();
        Plan plan = PlanPresets.ByName["demo"] with { Rounds = rounds, InitialSeed = seed };
        using DemoNetwork network = DemoNetwork.Create(root, plan, terminal.Time);
        terminal.Say($"four members in {root}; network {network.Genesis.Digest.ToShortString()}");
        DemoWatch watch = new(network, terminal);
        DemoKilling? killing = kill is KillMoment moment ? new DemoKilling(network, moment, terminal) : null;
        try
        {
            foreach (DaemonProcess daemon in network.Daemons)
            {
                daemon.Start();
            }

            await watch.RunAsync(reports => killing?.ActAsync(reports, stopping) ?? Task.CompletedTask, Timeout, stopping);
        }
        finally
        {
            await Task.WhenAll(network.Daemons.Select(daemon => daemon.StopAsync()));
        }

        DemoKill? kept = killing?.Check(watch.Reports);
        float[] parameters = BaseFolder.ReadParameters(network.Daemons[0].Folder, watch.Reports[0]!.Base);
        terminal.Say("measuring: the base on every language, then each partner alone and its derivative");
        DemoFindings findings = await new DemoEvaluation(network, parameters, terminal).RunAsync(stopping);
        DemoLedger ledger = await VerifyElsewhereAsync(network, stopping);
        long ended = watch.Reports.Min(report => report!.Round);
        return new DemoReport(
            ended, Members(network, watch), Losses(findings), Overall(findings), Bytes(network, ended), ledger, kept, findings.Samples,
            (long)terminal.Time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>A fifth process checks a copy of one member's ledger: it has the genesis, but no keys, no texts and no model.</summary>
    private async Task<DemoLedger> VerifyElsewhereAsync(DemoNetwork network, CancellationToken stopping)
    {
        DataFolder source = network.Daemons[^1].Folder;
        DataFolder copy = new(Path.Combine(root, "auditor"));
        Directory.CreateDirectory(copy.Records);
        foreach (string file in Directory.EnumerateFiles(source.Records))
        {
            File.Copy(file, Path.Combine(copy.Records, Path.GetFileName(file)));
        }

        File.Copy(source.Genesis, copy.Genesis);
        File.Copy(source.Checkpoint, copy.Checkpoint);
        using System.Diagnostics.Process auditor = OwnProgram.Start(["ledger", "verify", "--data", copy.Root, "--json"]);
        Task<string> errors = auditor.StandardError.ReadToEndAsync(stopping);
        string output = await auditor.StandardOutput.ReadToEndAsync(stopping);
        await auditor.WaitForExitAsync(stopping);
        if (auditor.ExitCode != 0)
        {
            terminal.Say(await errors);
            return new DemoLedger(0, "", false);
        }

        JsonElement data = JsonDocument.Parse(output).RootElement.GetProperty("data");
        return new DemoLedger(data.GetProperty("entries").GetInt64(), data.GetProperty("root").GetString()!, data.GetProperty("verified").GetBoolean());
    }

    private static DemoMember[] Members(DemoNetwork network, DemoWatch watch) =>
    [
        .. network.Daemons.Select((daemon, owner) => new DemoMember(
            daemon.Name, PeerId.From(network.MemberOf(owner).PeerKey).ToString(), [.. DemoCorpora.OwnedBy(owner).Select(language => language.Name)],
            watch.Reports[owner]!.Base, daemon.Traffic.SentBytes, daemon.Traffic.ReceivedBytes)),
    ];

    private static DemoLoss[] Losses(DemoFindings findings) =>
    [
        .. DemoCorpora.Languages.Select((language, index) => new DemoLoss(
            language.Name, DemoNetwork.NameOf(language.Owner), findings.Untrained[index].BitsPerByte, findings.Shared[index].BitsPerByte,
            findings.Alone[language.Owner][index].BitsPerByte,
            Others(language.Owner).Average(owner => findings.Alone[owner][index].BitsPerByte),
            findings.Derivatives[language.Owner][index].BitsPerByte,
            Others(language.Owner).Average(owner => findings.Derivatives[owner][index].BitsPerByte))),
    ];

    private static DemoOverall Overall(DemoFindings findings) => new(
        Mean(findings.Untrained, _ => true),
        Mean(findings.Shared, _ => true),
        Enumerable.Range(0, DemoNetwork.MemberCount).ToDictionary(DemoNetwork.NameOf, owner => Mean(findings.Alone[owner], _ => true)),
        MeanOver(findings.Alone, isOwn: true),
        MeanOver(findings.Alone, isOwn: false),
        MeanOver(findings.Derivatives, isOwn: true),
        MeanOver(findings.Derivatives, isOwn: false));

    private static double MeanOver(IReadOnlyList<Evaluation[]> models, bool isOwn) =>
        Enumerable.Range(0, DemoNetwork.MemberCount).Average(owner => Mean(models[owner], language => (language.Owner == owner) == isOwn));

    /// <summary>Every language counts alike: scripts that take three bytes a letter shall not count three times.</summary>
    private static double Mean(Evaluation[] evaluations, Func<DemoLanguage, bool> counts) =>
        DemoCorpora.Languages.Zip(evaluations).Where(pair => counts(pair.First)).Average(pair => pair.Second.BitsPerByte);

    private static IEnumerable<int> Others(int owner) => Enumerable.Range(0, DemoNetwork.MemberCount).Where(other => other != owner);

    /// <summary>Counted where it arrived, so that what a killed daemon had sent counts too; the same on the same ways, with every encoded value in four bytes.</summary>
    private static DemoBytes Bytes(DemoNetwork network, long rounds)
    {
        Plan plan = network.Genesis.Plan;
        long update = RoundEstimate.EncodedBytes(plan.ParameterCount, plan.Exchange.Up);
        long aggregate = RoundEstimate.EncodedBytes(plan.ParameterCount, plan.Exchange.Down);
        double growth = (double)RoundEstimate.EncodedBytes(plan.ParameterCount, Codec.Fp32) / update;
        DaemonTraffic all = network.Daemons.Select(daemon => daemon.Traffic).Aggregate((one, other) => one + other);
        long perRound = all.ReceivedBytes / rounds;
        long blobs = all.ReceivedBlobBytes / rounds;
        long asFp32 = perRound - blobs + (long)(blobs * growth);
        using RecordStore records = LedgerFolder.OpenRecords(network.Daemons[0].Folder);
        IReadOnlyList<int> included = DemoBound.IncludedIn(records);
        int faults = network.Genesis.FormCommittee().Faults;
        long bound = DemoBound.Bytes(included, faults, update, aggregate) / rounds;
        long least = DemoBound.LeastBytes(included, DemoNetwork.MemberCount, faults, update, aggregate) / rounds;
        return new DemoBytes(perRound, asFp32, (double)asFp32 / perRound, bound, Over(bound), least, Over(least));

        double Over(long bytes) => bytes == 0 ? 0 : (double)perRound / bytes;
    }
}
