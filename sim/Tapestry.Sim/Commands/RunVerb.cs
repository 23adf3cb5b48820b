using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Sim.Faults;

namespace Tapestry.Sim.Commands;

/// <summary><c>tapestry sim run</c>: one world, its figures and its trace hash.</summary>
internal static class RunVerb
{
    private static readonly Option<int> Partners = new("--partners") { Description = "Members of the network, 1 to 512.", DefaultValueFactory = _ => 100 };
    private static readonly Option<int> Committee = new("--committee") { Description = "Seats that aggregate and certify; 4, 7, 10 or 13 tolerate 1, 2, 3 or 4 faulty ones.", DefaultValueFactory = _ => 4 };
    private static readonly Option<long> Rounds = new("--rounds") { Description = "Rounds of the run.", DefaultValueFactory = _ => 20 };
    private static readonly Option<long> Seed = new("--seed") { Description = "Where all chance comes from; equal seeds give equal trace hashes.", DefaultValueFactory = _ => 1 };
    private static readonly Option<double> Loss = new("--loss") { Description = "Probability that a message is lost, from 0 to below 1; lasts for the whole run.", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> Crash = new("--crash") { Description = "Crashes, each of a random member at a random moment, followed by a restart.", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> Byzantine = new("--byzantine") { Description = "Byzantine seats; the rules promise safety up to f = (committee - 1) / 3.", DefaultValueFactory = _ => 0 };
    private static readonly Option<string?> Crime = new("--crime") { Description = $"What Byzantine members do: {string.Join(", ", Crimes.Names)}. A random choice each if not given." };
    private static readonly Option<int> Delay = new("--delay-ms") { Description = "The bound on message delays, in milliseconds.", DefaultValueFactory = _ => 100 };
    private static readonly Option<int> Mbps = new("--uplink-mbps") { Description = "What a member can send, in megabits a second.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<long> UpdateBytes = new("--update-bytes") { Description = "Bytes of one encoded update.", DefaultValueFactory = _ => 750_000 };

    internal static Command Create(CommandLineApp app) => app.Does(
        new Command("run", "Run one network in virtual time.")
        {
            Partners, Committee, Rounds, Seed, Loss, Crash, Byzantine, Crime, Delay, Mbps, UpdateBytes,
        },
        (arguments, _, stopping) => Task.FromResult(Run(arguments, stopping)));

    private static VerbResult Run(ParseResult arguments, CancellationToken stopping)
    {
        WorldOptions options = OptionsOf(arguments);
        long start = Stopwatch.GetTimestamp();
        using World world = new(options);
        WorldReport report = world.Run(stopping);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        ExitCode exit = report.Violation is null ? ExitCode.Ok : ExitCode.VerificationFailed;
        return new VerbResult(new { run = report, wallSeconds = Math.Round(seconds, 3) }, console => Show(console, report, seconds), exit);
    }

    private static WorldOptions OptionsOf(ParseResult arguments)
    {
        int members = arguments.GetValue(Partners);
        int committee = Math.Min(arguments.GetValue(Committee), members);
        int byzantine = arguments.GetValue(Byzantine);
        double loss = arguments.GetValue(Loss);
        Require(members is >= 1 and <= 512, "--partners", members, "1 to 512");
        Require(committee >= 1, "--committee", committee, "at least 1");
        Require(byzantine >= 0 && byzantine <= committee, "--byzantine", byzantine, $"0 to {committee}");
        Require(loss is >= 0 and < 1, "--loss", loss, "0 to below 1");
        Require(arguments.GetValue(Rounds) is >= 1 and <= 1_000_000, "--rounds", arguments.GetValue(Rounds), "1 to 1000000");
        Require(arguments.GetValue(Delay) is >= 1 and <= 60_000, "--delay-ms", arguments.GetValue(Delay), "1 to 60000");
        Require(arguments.GetValue(Mbps) >= 1, "--uplink-mbps", arguments.GetValue(Mbps), "at least 1");
        Require(arguments.GetValue(Crash) >= 0, "--crash", arguments.GetValue(Crash), "at least 0");
        string? crime = arguments.GetValue(Crime);
        Require(crime is null || Crimes.Names.Contains(crime), "--crime", crime ?? "", string.Join(", ", Crimes.Names));

        // Training takes most of a round; whoever is slowest still meets the deadline.
        const int trainMs = 20_000;
        long rounds = arguments.GetValue(Rounds);
        bool hasFaults = arguments.GetValue(Crash) > 0;
        return new WorldOptions
        {
            Seed = arguments.GetValue(Seed),
            Members = members,
            Committee = committee,
            Rounds = rounds,
            Loss = loss,
            LossForEver = loss > 0,
            Crashes = arguments.GetValue(Crash),
            HealAtMs = hasFaults ? rounds * trainMs * 3 / 2 : 0,
            ByzantineSeats = byzantine,
            Crime = crime,
            DelayMs = arguments.GetValue(Delay),
            TrainMinimumMs = trainMs,
            TrainMaximumMs = trainMs * 3 / 2,
            ContributeMs = trainMs * 3,
            ResendMs = Math.Max(2 * arguments.GetValue(Delay), trainMs / 10),
            UplinkMbps = arguments.GetValue(Mbps),
            UpdateBytes = arguments.GetValue(UpdateBytes),
            BaseBytes = arguments.GetValue(UpdateBytes) * 4,
            RoundBoundMs = trainMs * 30,
        };
    }

    private static void Require(bool holds, string option, object value, string range)
    {
        if (!holds)
        {
            throw new CliException("usage", $"{option} is {value}.", $"Give {range}.", ExitCode.Usage);
        }
    }

    private static void Show(IAnsiConsole console, WorldReport report, double seconds)
    {
        Table table = new Table().HideHeaders().Border(TableBorder.None).AddColumn("").AddColumn("");
        void Row(string name, FormattableString value) => table.AddRow(Markup.Escape(name), Markup.Escape(value.ToString(CultureInfo.InvariantCulture)));
        Row("members, seats, Byzantine", $"{report.Members}, {report.Committee}, {report.Byzantine}");
        Row("rounds decided, VOID", $"{report.Rounds}, {report.Voids}");
        Row("manifests included", $"{report.Included}");
        Row("virtual time", $"{report.VirtualMs / 1000.0:F1} s; a round {report.RoundP50Ms / 1000.0:F1} s (p50), {report.RoundP95Ms / 1000.0:F1} s (p95)");
        Row("messages, lost", $"{report.Messages:N0}, {report.LostMessages:N0}");
        Row("bytes sent", $"{report.SentBytes:N0}");
        Row("crashes", $"{report.Crashes}");
        Row("ledger", $"{report.TreeSize} leaves, root {report.TreeRoot}");
        Row("base", $"{report.Base}");
        Row("events", $"{report.Events:N0} in {seconds:F1} s");
        Row("trace hash", $"{report.TraceHash}");
        if (report.Violation is Violation violation)
        {
            Row("BROKEN", $"{violation.Promise} at {violation.AtMs} ms: {violation.What}");
        }

        console.Write(table);
    }
}
