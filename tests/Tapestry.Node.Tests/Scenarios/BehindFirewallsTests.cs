using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;
using Tapestry.Node.Demo;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Four daemons, of which two are behind firewalls of their own: they reach the other two, and nobody reaches them.</summary>
public sealed class BehindFirewallsTests : IAsyncLifetime, IDisposable
{
    private const int FirstPort = 4610;

    // The first two are at the hub, the others each at a leaf.
    private const int Reached = 2;

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(8));
    private readonly NetworkStar _star = new(leaves: DemoNetwork.MemberCount - Reached);
    private readonly DemoNetwork _network;
    private readonly List<Process> _daemons = [];

    public BehindFirewallsTests() => _network = DemoNetwork.Create(_folder.Path, PlanPresets.ByName["tiny"], TimeProvider.System);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (Process daemon in _daemons)
        {
            daemon.Kill();
            await daemon.WaitForExitAsync();
            daemon.Dispose();
        }
    }

    public void Dispose()
    {
        _network.Dispose();
        _star.Dispose();
        _late.Dispose();
        _folder.Dispose();
    }

    [TorchNamespacesFact]
    public async Task Two_daemons_that_cannot_reach_each_other_complete_rounds_through_a_third()
    {
        for (int owner = 0; owner < DemoNetwork.MemberCount; owner++)
        {
            WritePeerList(owner);
            _daemons.Add(Start(owner));
        }

        StatusReport[] ends = [await EndAsync(0), await EndAsync(1), await EndAsync(2), await EndAsync(3)];

        ends.Select(end => end.Base).Distinct().Should().ContainSingle().Which.Should().NotBe(_network.Genesis.InitialBase.ToString());
        ends.Select(end => end.LedgerRoot).Distinct().Should().ContainSingle();
        foreach (int owner in new[] { 2, 3 })
        {
            // Each is linked to all others, the one that it cannot reach among them; and is reached at the relays only.
            ends[owner].Connected.Should().HaveCount(3);
            ends[owner].Addresses.Should().Contain(address => IsCircuit(address));
        }
    }

    private static bool IsCircuit(string address) => address.Contains("/p2p-circuit/", StringComparison.Ordinal);

    private string NamespaceOf(int owner) => owner < Reached ? _star.Hub : _star.Leaf(owner - Reached);

    private PeerId PeerOf(int owner) => PeerId.From(_network.MemberOf(owner).PeerKey);

    // Everybody knows those at the hub, each at the address that it can reach.
    private void WritePeerList(int owner)
    {
        string hub = NetworkStar.HubAddressFor(owner < Reached ? 0 : owner - Reached);
        IEnumerable<string> lines = Enumerable.Range(0, Reached)
            .Where(other => other != owner)
            .Select(other => string.Create(CultureInfo.InvariantCulture, $"/ip4/{hub}/tcp/{FirstPort + other}/p2p/{PeerOf(other)}"));
        File.WriteAllLines(Path.Combine(_network.Daemons[owner].Folder.Root, "peers.txt"), lines);
    }

    private Process Start(int owner)
    {
        DataFolder folder = _network.Daemons[owner].Folder;
        ProcessStartInfo program = Program(owner, "run", "--data", folder.Root);
        if (owner < Reached)
        {
            program.Environment["TAPESTRY_network__listen"] = string.Create(CultureInfo.InvariantCulture, $"/ip4/0.0.0.0/tcp/{FirstPort + owner}");
        }

        // The others listen on their own loopback: a firewall lets nobody in.
        Process daemon = Process.Start(program)!;
        daemon.ErrorDataReceived += (_, line) => File.AppendAllText(_network.Daemons[owner].LogPath, line.Data + "\n");
        daemon.BeginErrorReadLine();
        daemon.BeginOutputReadLine();
        return daemon;
    }

    /// <summary>Asks a daemon, from its own side of the firewall, until its rounds are over and it is linked through others where it must be.</summary>
    private async Task<StatusReport> EndAsync(int owner)
    {
        while (true)
        {
            _daemons[owner].HasExited.Should().BeFalse("its log is {0}", _network.Daemons[owner].LogPath);
            if (await AskAsync(owner) is StatusReport report && report.Round >= _network.Genesis.Plan.Rounds && (owner < Reached || IsLinkedThroughOthers(report)))
            {
                return report;
            }

            // To ask is to start a program, on the cores that train.
            await Task.Delay(TimeSpan.FromSeconds(2), _late.Token);
        }
    }

    // Rounds need three of four, and may be over before those behind firewalls have found each other.
    private static bool IsLinkedThroughOthers(StatusReport report) =>
        report.Connected.Count == DemoNetwork.MemberCount - 1 && report.Addresses.Any(IsCircuit);

    private async Task<StatusReport?> AskAsync(int owner)
    {
        using Process asking = Process.Start(Program(owner, "status", "--json", "--data", _network.Daemons[owner].Folder.Root))!;
        Task<string> errors = asking.StandardError.ReadToEndAsync(_late.Token);
        string output = await asking.StandardOutput.ReadToEndAsync(_late.Token);
        await asking.WaitForExitAsync(_late.Token);
        await errors;
        return asking.ExitCode == 0 ? JsonDocument.Parse(output).RootElement.GetProperty("data").Deserialize<StatusReport>(Envelope.Format) : null;
    }

    private ProcessStartInfo Program(int owner, params string[] arguments)
    {
        ProcessStartInfo own = OwnProgram.Describe(arguments);
        ProcessStartInfo program = NetworkStar.Program(NamespaceOf(owner), own.FileName, [.. own.ArgumentList]);
        program.RedirectStandardOutput = true;
        program.RedirectStandardError = true;
        program.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        return program;
    }
}
