using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tapestry.Cli;

namespace Tapestry.Node.Demo;

/// <summary><c>tapestry demo</c>: a real network of four daemons trains on real text, and its ledger verifies.</summary>
internal static class DemoVerb
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        Option<KillMoment?> kill = new("--kill")
        {
            Description = "Kill one daemon with SIGKILL at this moment, and start it again: manifest (where none is named) or leader.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> work = new("--work") { Description = "Keep everything in this new folder, instead of a temporary one that is deleted." };
        Option<int> rounds = new("--rounds") { Description = "Rounds to run.", DefaultValueFactory = _ => DemoSettings.Rounds };
        Option<long> seed = new("--seed") { Description = "Seed of the initial base.", DefaultValueFactory = _ => 1 };
        Command command = new("demo", "Four daemons train one model on twenty languages; then an auditor checks the ledger.") { kill, work, rounds, seed };
        return app.Does(command, async (arguments, terminal, stopping) =>
        {
            KillMoment? moment = MomentOf(arguments, kill);
            RequireRounds(arguments.GetValue(rounds), moment);
            string? keep = arguments.GetValue(work);
            DirectoryInfo folder = keep is null ? Directory.CreateTempSubdirectory("tapestry-demo-") : NewFolder(keep);
            try
            {
                DemoRun run = new(folder.FullName, terminal, moment, arguments.GetValue(rounds), arguments.GetValue(seed));
                DemoReport report = await run.RunAsync(stopping);
                return new VerbResult(report, console => Show(console, report), IsGood(report) ? ExitCode.Ok : ExitCode.VerificationFailed);
            }
            finally
            {
                if (keep is null)
                {
                    folder.Delete(recursive: true);
                }
            }
        });
    }

    private static bool IsGood(DemoReport report) => report.Ledger.Verified && report.Kill is null or { Held: true };

    private static KillMoment? MomentOf(ParseResult arguments, Option<KillMoment?> kill) =>
        arguments.GetResult(kill) is { Tokens.Count: 0 } ? KillMoment.Manifest : arguments.GetValue(kill);

    private static void RequireRounds(int rounds, KillMoment? moment)
    {
        int least = moment is null ? 1 : DemoKilling.RoundsMin;
        if (rounds < least)
        {
            throw new CliException(
                "usage", $"--rounds {rounds} is too few{(moment is null ? "" : " for --kill")}: it takes at least {least}.",
                $"Name {least} or more with --rounds, or leave it out for {DemoSettings.Rounds}.", ExitCode.Usage);
        }
    }

    private static DirectoryInfo NewFolder(string path) => Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()
        ? throw new CliException("folder-not-empty", $"The folder {path} is not empty.", "Name a new one with --work.", ExitCode.Usage)
        : Directory.CreateDirectory(path);

    private static void Show(IAnsiConsole console, DemoReport report)
    {
        Table losses = new Table().Border(TableBorder.Rounded).Title("held-out bits per byte (lower is better)")
            .AddColumns("language", "owner", "untrained", "base", "alone: owner", "alone: others", "derivative: owner", "derivative: others");
        foreach (DemoLoss loss in report.Loss)
        {
            losses.AddRow(
                Markup.Escape(loss.Language), loss.Owner, Bits(loss.Untrained), Bits(loss.Base), Bits(loss.AloneOwner), Bits(loss.AloneOthers),
                Bits(loss.DerivativeOwner), Bits(loss.DerivativeOthers));
        }

        DemoOverall overall = report.Overall;
        losses.AddRow(
            "all together", "", Bits(overall.Untrained), Bits(overall.Base), Bits(overall.AloneOwn), Bits(overall.AloneOthers), Bits(overall.DerivativeOwn),
            Bits(overall.DerivativeOthers));
        console.Write(losses);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"over all languages: base {overall.Base:0.00}; alone {string.Join(", ", overall.Alone.Select(alone => $"{alone.Key} {Bits(alone.Value)}"))}"));
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a round moves {report.Bytes.PerRound / 1e6:0.00} MB among four; as FP32 {report.Bytes.AsFp32 / 1e6:0.00} MB: {report.Bytes.Ratio:0.0} times less"));
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"the bound, an update up, f + 1 times, and an aggregate down, for each that counted, is {report.Bytes.Bound / 1e6:0.00} MB: {report.Bytes.OverBound:0.00} times that; the least that the ledger allows, {report.Bytes.Least / 1e6:0.00} MB: {report.Bytes.OverLeast:0.00} times"));
        foreach (DemoSample sample in report.Samples)
        {
            console.WriteLine($"{sample.Language}: {sample.Prompt}|{sample.Text}");
        }

        console.WriteLine($"ledger: {report.Ledger.Entries} entries, root {report.Ledger.Root}, {(report.Ledger.Verified ? "verified by a process without data or keys" : "DOES NOT VERIFY")}");
        if (report.Kill is DemoKill kill)
        {
            console.WriteLine(
                $"{kill.Member} was killed in round {kill.Round} ({kill.Moment}) and came back after {kill.OthersRounds} rounds of the others: "
                + $"{(kill.SameBase ? "the same base" : "ANOTHER BASE")}, {kill.SlotsChanged} slots signed twice, {kill.Evidence} rows of evidence, {kill.RoundsLost} of {kill.RoundsKept + kill.RoundsLost} certified rounds lost");
        }

        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Rounds} rounds, {report.ElapsedMs / 1e3:0} s in all"));
    }

    private static string Bits(double bitsPerByte) => bitsPerByte.ToString("0.00", CultureInfo.InvariantCulture);
}
