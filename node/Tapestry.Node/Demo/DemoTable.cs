using System.Globalization;
using Spectre.Console;
using Tapestry.Node.Daemon;

namespace Tapestry.Node.Demo;

/// <summary>The one live table of the demo: where each daemon stands.</summary>
internal static class DemoTable
{
    private const double BitsPerNat = 1.4426950408889634;

    /// <summary>The table of this moment.</summary>
    /// <param name="names">The members.</param>
    /// <param name="reports">What each answered last; null for one that does not answer.</param>
    public static Table Draw(IReadOnlyList<string> names, IReadOnlyList<StatusReport?> reports)
    {
        Table table = new Table().Border(TableBorder.Rounded)
            .AddColumns("member", "round", "phase", "own loss, bits/byte", "sent MB", "received MB", "committee", "ledger", "base");
        for (int index = 0; index < names.Count; index++)
        {
            table.AddRow([.. Cells(names[index], reports[index]).Select(Markup.Escape)]);
        }

        return table;
    }

    /// <summary>The same as a line, for logs and pipes.</summary>
    public static string Line(IReadOnlyList<StatusReport?> reports)
    {
        StatusReport[] answering = [.. reports.OfType<StatusReport>()];
        if (answering.Length == 0)
        {
            return "nobody answers yet";
        }

        StatusReport first = answering.MaxBy(report => report.Round)!;
        string losses = string.Join(" ", answering.Select(report => Loss(report.LossBefore)));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"round {first.Round} of {first.Rounds}  base {first.Base[..12]}  loss {losses}  sent {answering.Sum(report => report.SentBytes) / 1e6:0.0} MB  ledger {first.LedgerEntries}");
    }

    private static string[] Cells(string name, StatusReport? report) => report is null
        ? [name, "", "down", "", "", "", "", "", ""]
        : [
            name,
            string.Create(CultureInfo.InvariantCulture, $"{report.Round} of {report.Rounds}"),
            report.Phase,
            $"{Loss(report.LossBefore)} to {Loss(report.LossAfter)}",
            Megabytes(report.SentBytes),
            Megabytes(report.ReceivedBytes),
            report.Committee.Contains(report.Name) ? "seat" : "",
            report.LedgerEntries.ToString(CultureInfo.InvariantCulture),
            report.Base[..12],
        ];

    private static string Loss(double? nats) =>
        nats is double value ? (value * BitsPerNat).ToString("0.00", CultureInfo.InvariantCulture) : "-";

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
}
