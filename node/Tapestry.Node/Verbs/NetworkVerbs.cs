using System.CommandLine;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Storage;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry network</c>: the first agreement of a network, made from its members' cards.</summary>
internal static class NetworkVerbs
{
    private const double DefaultLinkMbit = 100;

    /// <summary>The group of verbs.</summary>
    public static Command Create(CommandLineApp app) =>
        new("network", "Create a network: its plan and its genesis.") { PlanCommand(app), CreateCommand(app) };

    private static Command PlanCommand(CommandLineApp app)
    {
        Option<string> preset = PresetOption();
        Command command = new("plan", "Print a preset plan as JSON, to be edited.") { preset };
        return app.Does(command, (arguments, _, _) =>
        {
            Plan plan = Preset(arguments.GetRequiredValue(preset));
            return Task.FromResult(new VerbResult(plan, console => console.Profile.Out.Writer.WriteLine(PlanFile.Write(plan))));
        });
    }

    private static Command CreateCommand(CommandLineApp app)
    {
        Option<string> name = new("--name") { Description = "The network's name: a-z, 0-9 and hyphen.", Required = true };
        Option<string[]> cards = new("--card")
        {
            Description = "Members' card files, as 'tapestry init' prints them.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        Option<string?> planPath = new("--plan") { Description = "The plan, as JSON; instead of --preset." };
        Option<string> preset = PresetOption();
        Option<int> seats = new("--committee") { Description = "Seats of the committee; 0 takes the most of 4, 7, 10 or 13 that the members fill." };
        Option<bool> noFaultTolerance = new("--no-fault-tolerance") { Description = "Accept a committee of fewer than four, which tolerates no fault." };
        Option<double> link = new("--link-mbit") { Description = "Each member's link, Mbit/s each way.", DefaultValueFactory = _ => DefaultLinkMbit };
        Option<double> stepMs = new("--step-ms") { Description = "Time of one inner training step, in milliseconds; 0 leaves training out of the estimate." };
        Option<string> output = new("--output") { Description = "Where the genesis is written.", DefaultValueFactory = _ => "genesis" };
        Command command = new("create", "Make a genesis from cards and a plan; every member copies it into its data folder.")
        {
            name, cards, planPath, preset, seats, noFaultTolerance, link, stepMs, output,
        };
        return app.Does(command, (arguments, terminal, _) =>
        {
            Plan plan = arguments.GetValue(planPath) is string path ? PlanFile.Read(path) : Preset(arguments.GetRequiredValue(preset));
            Member[] members = [.. arguments.GetRequiredValue(cards).Select(card => MemberCard.Read(card).ToMember(card))];
            IReadOnlyList<RoundEstimate> estimate = CheckedEstimate(
                plan, members.Length, NewGenesis.Seats(arguments.GetValue(seats), members.Length), arguments.GetValue(link), arguments.GetValue(stepMs));
            Genesis genesis = NewGenesis.Create(
                arguments.GetRequiredValue(name), plan, members, arguments.GetValue(seats), arguments.GetValue(noFaultTolerance), terminal.Time);
            string file = Path.GetFullPath(arguments.GetRequiredValue(output));
            FileErrors.Writing(file, () => AtomicFile.Write(file, genesis.Encode().Span));
            return Task.FromResult(new VerbResult(Describe(genesis, file, estimate), console => Show(console, genesis, file, estimate)));
        });
    }

    private static Option<string> PresetOption()
    {
        Option<string> preset = new("--preset") { Description = "A plan to start from.", DefaultValueFactory = _ => "small" };
        preset.AcceptOnlyFromAmong([.. PlanPresets.ByName.Keys]);
        return preset;
    }

    private static Plan Preset(string name) => PlanPresets.ByName[name];

    private static IReadOnlyList<RoundEstimate> CheckedEstimate(Plan plan, int members, int seats, double linkMbit, double stepMs)
    {
        if (linkMbit is not (> 0 and < 1e9) || stepMs is not (>= 0 and < 1e9))
        {
            throw new CliException(
                "usage", $"--link-mbit {linkMbit} and --step-ms {stepMs} have to be a positive rate and a time.", "Give measured values.", ExitCode.Usage);
        }

        IReadOnlyList<RoundEstimate> estimate = RoundEstimate.For(plan, members, seats, linkMbit, stepMs);
        string[] misses = [.. estimate.Select(role => role.Misses(plan.Timing)).OfType<string>()];
        return misses.Length == 0 ? estimate : throw new CliException(
            "plan-too-slow", $"The plan cannot meet its own deadlines at {linkMbit} Mbit/s: {string.Join("; ", misses)}.",
            "Raise timing.contributeMs or timing.aggregateMs, train fewer steps, use MxInt8, or a faster link.", ExitCode.Configuration);
    }

    private static object Describe(Genesis genesis, string file, IReadOnlyList<RoundEstimate> estimate) => new
    {
        File = file,
        Network = genesis.Digest.ToString(),
        Plan = genesis.Plan.Digest.ToString(),
        InitialBase = genesis.InitialBase.ToString(),
        Parameters = genesis.Plan.ParameterCount,
        Members = genesis.Members.Select(member => new { member.Name, Id = member.Id.Key.ToString() }),
        Committee = genesis.Committee.Select(member => member.Key.ToString()),
        Round = estimate,
    };

    private static void Show(IAnsiConsole console, Genesis genesis, string file, IReadOnlyList<RoundEstimate> estimate)
    {
        console.WriteLine($"genesis  {file}");
        console.WriteLine($"network  {genesis.Digest}");
        console.WriteLine($"members  {genesis.Members.Count}, committee {genesis.Committee.Count}, parameters {genesis.Plan.ParameterCount:N0}");
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumns("a round, as", "sent MB", "received MB", "disk MB", "train s", "updates s", "aggregates s");
        foreach (RoundEstimate role in estimate)
        {
            table.AddRow(
                role.Role, Megabytes(role.SentBytes), Megabytes(role.ReceivedBytes), Megabytes(role.DiskBytes),
                Seconds(role.TrainMs), Seconds(role.ContributeMs), Seconds(role.ApplyMs));
        }

        console.Write(table);
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture);

    private static string Seconds(long milliseconds) => (milliseconds / 1e3).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);
}
