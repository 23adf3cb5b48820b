using System.Globalization;
using Spectre.Console;

namespace Tapestry.Fuzz;

/// <summary>What a run came to, for people and scripts.</summary>
internal sealed record FuzzReport(long Seed, long Inputs, double Seconds, IReadOnlyList<FuzzRow> Targets, IReadOnlyList<FuzzReport.Finding> Findings)
{
    /// <summary>A finding, with its bytes saved and the command that runs it again.</summary>
    internal sealed record Finding(string Target, string Promise, string What, string File, string Again);

    /// <summary>Saves the inputs of the findings and sums up.</summary>
    public static FuzzReport Of(FuzzRun run, long seed, string folder) => new(
        seed, run.Rows.Sum(row => row.Inputs), run.Rows.Sum(row => row.Seconds), run.Rows,
        [.. run.Findings.Select(finding => Saved(finding, seed, folder))]);

    /// <summary>The inputs that the command line names.</summary>
    public static IEnumerable<(long Index, byte[] Bytes)> Chosen(FuzzTarget target, long seed, long? index, FileInfo? file)
    {
        if (file is not null)
        {
            yield return (-1, File.ReadAllBytes(file.FullName));
        }

        if (index is long number)
        {
            IReadOnlyList<byte[]> corpus = Corpus.Of(target);
            yield return (number, new Mutator(target.Name, corpus.Count > 0 ? corpus : [.. target.Samples()], target.LengthMax, seed).Make(number));
        }
    }

    /// <summary>A row a target.</summary>
    public void Show(IAnsiConsole console)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumns("decoder", "inputs", "read", "slowest ms", "most memory, of its bound", "seconds");
        foreach (FuzzRow row in Targets)
        {
            table.AddRow(
                row.Name, Text(row.Inputs, "N0"), Text(row.Read, "N0"), Text(row.SlowestMs, "F2"), Text(row.MemoryShare, "P0"), Text(row.Seconds, "F1"));
        }

        console.Write(table);
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Inputs:N0} inputs in {Seconds:F1} s, seed {Seed}: {Findings.Count} findings"));
    }

    private static Finding Saved(FuzzFinding finding, long seed, string folder)
    {
        string file = Corpus.Save(folder, finding);
        string again = finding.Index < 0
            ? $"./tapestry fuzz --target {finding.Target} --file {file}"
            : string.Create(CultureInfo.InvariantCulture, $"./tapestry fuzz --target {finding.Target} --seed {seed} --only {finding.Index}");
        return new Finding(finding.Target, finding.Promise, finding.What, file, again);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
