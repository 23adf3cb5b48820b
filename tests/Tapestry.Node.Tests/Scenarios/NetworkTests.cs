using System.Text.Json.Nodes;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;
using Tapestry.Node.Demo;
using Tapestry.Node.Ledger;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Four daemons as processes of their own, with the smallest plan, on loopback.</summary>
public sealed class NetworkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _outputs = new();
    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(6));
    private readonly DemoNetwork _network;

    public NetworkTests() => _network = DemoNetwork.Create(_folder.Path, PlanPresets.ByName["tiny"], TimeProvider.System);

    public void Dispose()
    {
        _network.Dispose();
        _late.Dispose();
        _folder.Dispose();
        _outputs.Dispose();
    }

    [TorchFact]
    public async Task Four_daemons_end_their_rounds_with_one_base_and_a_ledger_that_verifies()
    {
        StartAll();
        StatusReport[] ends = await WaitAsync(Ended);
        await StopAllAsync();

        ends.Select(end => end.Base).Distinct().Should().ContainSingle().Which.Should().NotBe(_network.Genesis.InitialBase.ToString());
        ends.Select(end => end.LedgerRoot).Distinct().Should().ContainSingle();
        ends.Should().OnlyContain(end => end.Connected.Count == 3 && end.SentBytes > 0);
        foreach (DaemonProcess daemon in _network.Daemons)
        {
            using (RecordStore records = LedgerFolder.OpenRecords(daemon.Folder))
            {
                records.ReadGossipCeiling().Should().BePositive("a later life starts above what this one gossiped");
            }

            AuditReport report = Audit(daemon.Folder);
            report.Fault.Should().BeNull();
            report.Rounds.Should().Be(_network.Genesis.Plan.Rounds);
            report.Base.Should().Be(ends[0].Base);
        }

        await new VerbWalk(_network.Daemons[1].Folder, _network.Genesis, ends[1]).RunAsync(_outputs);
        AnAuditNoticesAChangedEntry(_network.Daemons[0].Folder);
        await new VerbWalk(_network.Daemons[0].Folder, _network.Genesis, ends[0]).AnAuditFailsAsync();
    }

    [TorchFact]
    public async Task Without_any_gossip_rounds_are_certified_because_everything_is_said_again_on_streams()
    {
        foreach (DaemonProcess daemon in _network.Daemons)
        {
            TurnGossipOff(daemon.Folder);
        }

        StartAll();
        StatusReport[] ends = await WaitAsync(Ended);
        await StopAllAsync();

        ends.Select(end => end.Base).Distinct().Should().ContainSingle().Which.Should().NotBe(_network.Genesis.InitialBase.ToString(), "not every round was VOID");
        foreach (DaemonProcess daemon in _network.Daemons)
        {
            Audit(daemon.Folder).Fault.Should().BeNull();
            File.ReadAllText(daemon.LogPath).Should().Contain("network:gossip is off");
            using RecordStore records = LedgerFolder.OpenRecords(daemon.Folder);
            records.ReadGossipCeiling().Should().Be(0, "nothing was gossiped");
        }
    }

    [TorchFact]
    public async Task A_daemon_that_is_killed_comes_back_to_the_same_base_and_signs_nothing_twice()
    {
        StartAll();
        await WaitAsync(reports => reports[0].Contributed >= 2);
        await _network.Daemons[0].KillAsync();
        _network.Daemons[0].Start();
        StatusReport[] ends = await WaitAsync(Ended);
        await StopAllAsync();

        ends.Select(end => end.Base).Distinct().Should().ContainSingle();
        foreach (DaemonProcess daemon in _network.Daemons)
        {
            using RecordStore records = LedgerFolder.OpenRecords(daemon.Folder);
            records.ReadAll(Table.Evidence).Should().BeEmpty();
            Audit(daemon.Folder).Fault.Should().BeNull();
        }
    }

    [TorchFact]
    public async Task A_second_daemon_on_one_folder_and_a_port_in_use_are_refused_with_a_hint()
    {
        DaemonProcess first = _network.Daemons[0];
        first.Start();
        await WaitForAsync(first, report => report.LedgerEntries > 0);
        string[] before = WhatNothingMayChange(first.Folder);

        (await TapestryProcess.FailAsync("run", "--data", first.Folder.Root)).Code.Should().Be("folder-in-use");
        await GoesOnAsync(first, before);

        DataFolder second = _network.Daemons[1].Folder;
        File.Copy(first.Folder.Settings, second.Settings, overwrite: true);
        (int exitCode, string code, _) = await TapestryProcess.FailAsync("run", "--data", second.Root);
        exitCode.Should().Be((int)ExitCode.Unreachable);
        code.Should().Be("port-in-use");
        (await TapestryProcess.FailAsync("run", "--data", second.Root, "--set", "http:listen=off")).Code.Should().Be("port-in-use");
        await GoesOnAsync(first, before);
    }

    [TorchFact]
    public async Task Members_of_another_genesis_or_plan_say_so_on_both_sides()
    {
        // The same members and keys, but another plan, and so another genesis.
        Genesis other = NewGenesis.Create(
            "demo", _network.Genesis.Plan with { Rounds = 99 }, [.. _network.Genesis.Members], 4, noFaultTolerance: false, TimeProvider.System);
        File.WriteAllBytes(_network.Daemons[1].Folder.Genesis, other.Encode().ToArray());
        _network.Daemons[0].Start();
        _network.Daemons[1].Start();

        StatusReport ours = await WaitForAsync(_network.Daemons[0], report => report.Faults.ContainsKey("boreas: WrongGenesis"));
        await WaitForAsync(_network.Daemons[1], report => report.Faults.ContainsKey("aurora: WrongGenesis"));

        ours.Connected.Should().BeEmpty();
    }

    [TorchFact]
    public async Task One_address_is_enough_to_join_and_after_a_restart_none_is_needed()
    {
        IReadOnlyList<DaemonProcess> daemons = _network.Daemons;
        string first = File.ReadLines(PeerListOf(daemons[0])).First(line => line.EndsWith(PeerOf(0), StringComparison.Ordinal));
        File.WriteAllText(PeerListOf(daemons[0]), "# everybody dials this member\n");
        foreach (DaemonProcess daemon in daemons.Skip(1))
        {
            File.WriteAllText(PeerListOf(daemon), first);
        }

        StartAll();
        StatusReport[] joined = await WaitAsync(reports => reports.All(report => report.Connected.Count == 3) && reports.Skip(1).All(KnowsAllForGood));
        joined[3].Members.Select(member => (member.Name, member.Source)).Should().BeEquivalentTo(
            [(daemons[0].Name, "list"), (daemons[1].Name, "signed"), (daemons[2].Name, "signed")]);
        await StopAllAsync();

        foreach (DaemonProcess daemon in daemons.Skip(1))
        {
            File.WriteAllText(PeerListOf(daemon), "/this/is/no/address");
            daemon.Start();
        }

        foreach (DaemonProcess daemon in daemons.Skip(1))
        {
            await WaitForAsync(daemon, report => report.Connected.Count == 2);
        }

        File.ReadAllText(daemons[1].LogPath).Should().Contain("Going on with the addresses that members signed before");
    }

    private static void TurnGossipOff(DataFolder folder)
    {
        JsonNode settings = JsonNode.Parse(File.ReadAllBytes(folder.Settings))!;
        settings["network"]!["gossip"] = "off";
        File.WriteAllText(folder.Settings, settings.ToJsonString());
    }

    /// <summary>Whether it would find all others after a restart; whoever is linked may still be about to tell its signed addresses.</summary>
    private static bool KnowsAllForGood(StatusReport report) => report.Members.All(member => member.Source is "list" or "signed");

    private static string PeerListOf(DaemonProcess daemon) => Path.Combine(daemon.Folder.Root, "peers.txt");

    private string PeerOf(int owner) => PeerId.From(_network.MemberOf(owner).PeerKey).ToString();

    /// <summary>What is the same at any moment of a daemon that ends no round: its ledger, keys, genesis and settings.</summary>
    private static string[] WhatNothingMayChange(DataFolder folder)
    {
        using RecordStore records = LedgerFolder.OpenRecords(folder);
        return
        [
            .. records.ReadAll(Table.Entries).Select(row => $"{row.Key} {row.Value}"),
            .. new[] { folder.Keys, folder.Genesis, folder.Settings }.Select(path => Convert.ToHexString(File.ReadAllBytes(path))),
        ];
    }

    private static void AnAuditNoticesAChangedEntry(DataFolder folder)
    {
        Genesis genesis = LedgerFolder.ReadGenesis(folder.Genesis);
        using (RecordStore records = RecordStore.Open(folder.Records))
        {
            byte[] entry = records.Read(Table.Entries, LedgerKeys.Number(2))!.ToArray();
            entry[^1] ^= 1;
            records.Write([new Protocol.Partners.Record(Table.Entries, ByteString.Own(LedgerKeys.Number(2)), ByteString.Own(entry))]);
        }

        using RecordStore changed = LedgerFolder.OpenRecords(folder);
        LedgerAudit.Run(changed, genesis, null).Fault.Should().Contain("entry 2");
    }

    private static AuditReport Audit(DataFolder folder)
    {
        Genesis genesis = LedgerFolder.ReadGenesis(folder.Genesis);
        using RecordStore records = LedgerFolder.OpenRecords(folder);
        return LedgerAudit.Run(records, genesis, LedgerFolder.ReadCheckpoint(folder, genesis));
    }

    private bool Ended(StatusReport[] reports) =>
        reports.All(report => report.Round >= _network.Genesis.Plan.Rounds)
        && reports.Select(report => report.Base).Distinct().Count() == 1;

    private void StartAll()
    {
        foreach (DaemonProcess daemon in _network.Daemons)
        {
            daemon.Start();
        }
    }

    private async Task StopAllAsync()
    {
        await Task.WhenAll(_network.Daemons.Select(daemon => daemon.StopAsync()));
        _network.Daemons.Should().OnlyContain(daemon => daemon.EndedWith == 0, "a daemon that is asked to stop ends well");
    }

    private async Task GoesOnAsync(DaemonProcess daemon, string[] before)
    {
        await WaitForAsync(daemon, _ => true);
        daemon.EndedWith.Should().BeNull();
        WhatNothingMayChange(daemon.Folder).Should().Equal(before);
    }

    /// <summary>Asks all until they say what is wanted. Nothing else tells when a process is that far.</summary>
    private async Task<StatusReport[]> WaitAsync(Func<StatusReport[], bool> isSo)
    {
        while (true)
        {
            StatusReport?[] reports = await Task.WhenAll(_network.Daemons.Select(daemon => daemon.AskAsync(_late.Token)));
            if (reports.All(report => report is not null) && isSo(reports!))
            {
                return reports!;
            }

            await Task.Delay(100, _late.Token);
        }
    }

    private async Task<StatusReport> WaitForAsync(DaemonProcess daemon, Func<StatusReport, bool> isSo)
    {
        while (true)
        {
            if (await daemon.AskAsync(_late.Token) is StatusReport report && isSo(report))
            {
                return report;
            }

            await Task.Delay(100, _late.Token);
        }
    }
}
