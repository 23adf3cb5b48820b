using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Fuzz;

Option<long> inputs = new("--inputs") { Description = "How many inputs are made, over all targets.", DefaultValueFactory = _ => 100_000 };
Option<long> seed = new("--seed") { Description = "Makes the inputs.", DefaultValueFactory = _ => 20261122 };
Option<string?> name = new("--target") { Description = "Only this decoder. Default: all." };
Option<long?> only = new("--only") { Description = "Only the input of this number, of --target: a finding again." };
Option<FileInfo?> file = new("--file") { Description = "Only the bytes of this file, of --target." };
Option<DirectoryInfo> findings = new("--findings")
{
    Description = "Where the inputs of findings are saved.",
    DefaultValueFactory = _ => new DirectoryInfo(Path.Combine("artifacts", "fuzz")),
};
Option<DirectoryInfo?> corpus = new("--write-corpus") { Description = "Write the valid samples into this folder, and nothing else." };
name.AcceptOnlyFromAmong([.. FuzzTargets.All.Select(target => target.Name)]);
inputs.Validators.Add(result =>
{
    if (result.GetValueOrDefault<long>() < 0)
    {
        result.AddError("--inputs is at least 0.");
    }
});

CommandLineApp app = new("Gives every decoder hostile bytes, and checks that it neither throws, hangs nor takes more memory than it declares.", "fuzz");
foreach (Option option in (Option[])[inputs, seed, name, only, file, findings, corpus])
{
    app.Root.Add(option);
}

app.Does(app.Root, async (arguments, terminal, stopping) =>
{
    IReadOnlyList<FuzzTarget> targets = [.. FuzzTargets.All.Where(target => arguments.GetValue(name) is not string one || target.Name == one)];
    if (arguments.GetValue(corpus) is DirectoryInfo folder)
    {
        int files = targets.Sum(target => Corpus.WriteValid(folder.FullName, target));
        return VerbResult.Line(new { Files = files }, $"{files} files in {folder.FullName}");
    }

    long seedValue = arguments.GetValue(seed);
    FuzzRun run = new();
    if (arguments.GetValue(only) is not null || arguments.GetValue(file) is not null)
    {
        FuzzTarget target = targets.Count == 1
            ? targets[0]
            : throw new CliException("target", "--only and --file are of one target.", "Name it with --target.", ExitCode.Usage);
        await run.RunAsync(target, [.. FuzzReport.Chosen(target, seedValue, arguments.GetValue(only), arguments.GetValue(file))]);
    }
    else
    {
        long total = arguments.GetValue(inputs);
        await terminal.WithProgressAsync("fuzz", Math.Max(1, total), async meter =>
        {
            await run.RunAsync(targets, total, seedValue, (target, done) => meter.Report(done, target.Name), stopping);
            return 0;
        });
    }

    FuzzReport report = FuzzReport.Of(run, seedValue, arguments.GetValue(findings)!.FullName);
    foreach (FuzzReport.Finding finding in report.Findings)
    {
        terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{finding.Target}: {finding.Promise}: {finding.What}"));
        terminal.Say($"  again: {finding.Again}");
    }

    return new VerbResult(report, console => report.Show(console), report.Findings.Count == 0 ? ExitCode.Ok : ExitCode.Failed);
});
return await app.RunAsync(args);
