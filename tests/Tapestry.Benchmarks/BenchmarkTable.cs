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
                Markup.Escape(row.Name), Number(row.Ours), Number(row.Peer), Markup.Escape(row.PeerName), row.Unit,
                row.Ratio.ToString("F2", CultureInfo.InvariantCulture), row.Goal.ToString("F2", CultureInfo.InvariantCulture),
                row.Met ? "[green]met[/]" : "[red]missed[/]", row.Runs.ToString(CultureInfo.InvariantCulture));
        }

        return table;
    }

    private static string Number(double value) => value.ToString(value < 100 ? "F2" : "N0", CultureInfo.InvariantCulture);
}
