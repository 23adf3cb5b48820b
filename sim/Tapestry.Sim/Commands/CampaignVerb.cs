using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Sim.Faults;

namespace Tapestry.Sim.Commands;

/// <summary><c>tapestry sim campaign</c>: many small worlds with random faults; a failing one prints how to replay it.</summary>
internal static class CampaignVerb
{
    private static readonly Option<int> Seeds = new("--seeds") { Description = "How many worlds.", DefaultValueFactory = _ => 200 };
    private static readonly Option<long> First = new("--first-seed") { Description = "The first seed; the others follow.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Committee = new("--committee") { Description = "Seats of every world: 4, 7, 10 or 13; 0 for a random one of 4 and 7.", DefaultValueFactory = _ => 0 };
    private static readonly Option<string> Break = new("--break") { Description = $"A rule to break in every honest member, to see that it is noticed: {string.Join(", ", Mutations.Names)}.", DefaultValueFactory = _ => "none" };
    private static readonly Option<string?> Crime = new("--crime") { Description = $"What every Byzantine member does: {string.Join(", ", Crimes.Names)}. A random choice each if not given." };
    private static readonly Option<double> Minutes = new("--minutes") { Description = "Start no further world after so many minutes of real time; 0 for no limit.", DefaultValueFactory = _ => 0 };
    private static readonly Option<bool> KeepGoing = new("--keep-going") { Description = "Go on after a failing seed and count them." };

    internal static Command Create(CommandLineApp app) => app.Does(
        new Command("campaign", "Run many small networks with random faults.") { Seeds, First, Committee, Break, Crime, Minutes, KeepGoing },
        RunAsync);

    private static async Task<VerbResult> RunAsync(ParseResult arguments, Terminal terminal, CancellationToken stopping)
    {
        int seeds = arguments.GetValue(Seeds);
        int committee = arguments.GetValue(Committee);
        string mutation = arguments.GetValue(Break)!;
        string? crime = arguments.GetValue(Crime);
        if (seeds < 1 || committee is not (0 or 4 or 7 or 10 or 13) || !Mutations.Names.Contains(mutation) || (crime is not null && !Crimes.Names.Contains(crime)))
        {
            throw new CliException(
                "usage", $"--seeds {seeds}, --committee {committee}, --break {mutation}, --crime {crime} cannot be run.",
                $"Give at least one seed, a committee of 0, 4, 7, 10 or 13, and one of: {string.Join(", ", Mutations.Names)}.", ExitCode.Usage);
        }

        CampaignReport report = await terminal.WithProgressAsync("campaign", seeds, meter => Task.FromResult(
            Run(arguments.GetValue(First), seeds, committee, mutation, crime, LimitOf(arguments), arguments.GetValue(KeepGoing), meter, stopping)));
        return new VerbResult(report, console => Show(console, report), report.Failures.Count == 0 ? ExitCode.Ok : ExitCode.VerificationFailed);
    }

    private static TimeSpan LimitOf(ParseResult arguments) =>
        arguments.GetValue(Minutes) is > 0 and double minutes ? TimeSpan.FromMinutes(minutes) : TimeSpan.MaxValue;

    private static CampaignReport Run(
        long first, int seeds, int committee, string mutation, string? crime, TimeSpan limit, bool keepGoing, IProgressMeter meter, CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        SortedDictionary<string, long> probes = new(StringComparer.Ordinal);
        List<CampaignFailure> failures = [];
        long rounds = 0;
        long voids = 0;
        long virtualMs = 0;
        long events = 0;
        long crashes = 0;
        int worlds = 0;
        for (int index = 0; index < seeds && (keepGoing || failures.Count == 0) && Stopwatch.GetElapsedTime(start) < limit; index++)
        {
            WorldOptions options = Mutations.Apply(mutation, SmallWorlds.Of(first + index, committee)) with { Crime = crime };
            using World world = new(options);
            WorldReport report = world.Run(stopping);
            worlds++;
            rounds += report.Rounds;
            voids += report.Voids;
            virtualMs += report.VirtualMs;
            events += report.Events;
            crashes += report.Crashes;
            foreach ((string name, long count) in report.Probes)
            {
                probes[name] = probes.GetValueOrDefault(name) + count;
            }

            if (report.Violation is Violation violation)
            {
                string breaking = mutation == Mutations.None ? "" : $" --break {mutation}";
                string acting = crime is null ? "" : $" --crime {crime}";
                string replay = $"tapestry sim campaign --seeds 1 --first-seed {report.Seed} --committee {committee}{breaking}{acting}";
                failures.Add(new CampaignFailure(report.Seed, violation.Promise, violation.What, report.Crimes, replay));
            }

            meter.Report(index + 1, $"{rounds} rounds, {failures.Count} failures");
        }

        return new CampaignReport(worlds, rounds, voids, virtualMs, events, crashes, mutation, probes, failures);
    }

    private static void Show(IAnsiConsole console, CampaignReport report)
    {
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Worlds} worlds, {report.Rounds} rounds ({report.Voids} VOID), {report.Crashes} crashes, {report.Events:N0} events, {report.VirtualMs / 3_600_000.0:F1} virtual hours"));
        foreach ((string name, long count) in report.Probes)
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: {count}"));
        }

        foreach (CampaignFailure failure in report.Failures)
        {
            console.WriteLine($"BROKEN in seed {failure.Seed}: {failure.Promise}: {failure.What}");
            console.WriteLine($"  Byzantine: {string.Join(", ", failure.Crimes)}");
            console.WriteLine($"  replay: {failure.Replay}");
        }
    }
}

/// <summary>What a campaign came to.</summary>
internal sealed record CampaignReport(
    int Worlds, long Rounds, long Voids, long VirtualMs, long Events, long Crashes, string Broken,
    IReadOnlyDictionary<string, long> Probes, IReadOnlyList<CampaignFailure> Failures);

/// <summary>A world in which a promise was broken.</summary>
internal sealed record CampaignFailure(long Seed, string Promise, string What, IReadOnlyList<string> Crimes, string Replay);
