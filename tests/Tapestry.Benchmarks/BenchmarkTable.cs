using System.Globalization;
using Spectre.Console;

namespace Tapestry.Benchmarks;

/// <summary>The rows for people.</summary>
internal static class BenchmarkTable
{
    internal static Table Of(IReadOnlyList<BenchmarkRow> rows)
    {
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumns("measured", "ours", "peer", "peer is", "unit", "ratio", "goal", "", "runs");
        foreach (BenchmarkRow row in rows)
        {
            table.AddRow(
                Markup.Escape(row.Name), Number(row.Ours), Optional(row.Peer), Markup.Escape(row.PeerName), row.Unit,
                Optional(row.Ratio), Optional(row.Goal),
                row.Skipped is string why ? $"[yellow]skipped: {Markup.Escape(why)}[/]" : row.Goal == 0 ? "" : row.Met ? "[green]met[/]" : "[red]missed[/]",
                row.Runs.ToString(CultureInfo.InvariantCulture));
        }

        return table;
    }

    // Of a figure that stands alone there is nothing to say here.
    private static string Optional(double value) => value == 0 ? "" : Number(value);

    private static string Number(double value) => value.ToString(value < 100 ? "F2" : "N0", CultureInfo.InvariantCulture);
}
