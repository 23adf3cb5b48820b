using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry status</c>: where the daemon of this folder stands, asked over its local HTTP API.</summary>
internal static class StatusVerb
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        FolderOptions folders = new();
        Option<string?> url = new("--url") { Description = "Ask this address instead of the folder's own http:listen." };
        Command command = new("status", "Where the running daemon stands.") { url };
        folders.AddTo(command);
        return app.Does(command, async (arguments, _, stopping) =>
        {
            DataFolder folder = folders.Folder(arguments);
            string address = arguments.GetValue(url) ?? Address(folders.Options(arguments, folder));
            StatusReport report = await AskAsync(new Uri(address), stopping);
            return new VerbResult(report, console => Show(console, report));
        });
    }

    private static string Address(NodeOptions options) => options.Http is { Port: > 0 } endpoint
        ? $"http://{endpoint}"
        : throw new CliException(
            "no-http", "The setting http:listen is off or names no fixed port.", "Give the address with --url; the daemon's log shows it.",
            ExitCode.Configuration);

    private static async Task<StatusReport> AskAsync(Uri address, CancellationToken stopping)
    {
        using HttpClient http = new() { BaseAddress = address, Timeout = Timeout };
        try
        {
            await using Stream body = await http.GetStreamAsync(new Uri("/status", UriKind.Relative), stopping);
            return await JsonSerializer.DeserializeAsync<StatusReport>(body, Envelope.Format, stopping)
                ?? throw new JsonException("empty");
        }
        catch (Exception error) when (error is HttpRequestException or JsonException
            || (error is TaskCanceledException && !stopping.IsCancellationRequested))
        {
            throw new CliException(
                "not-running", $"No daemon answers at {address}.", "Start it with: tapestry run --peers <file>", ExitCode.Unreachable, error);
        }
    }

    private static void Show(IAnsiConsole console, StatusReport report)
    {
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        void Row(string name, string value) => grid.AddRow(new Text(name), new Text(value));

        Row("member", $"{report.Name}  {report.Member}");
        Row("peer", string.Join("\n", report.Addresses.DefaultIfEmpty(report.Peer)));
        Row("network", $"{report.NetworkName}  {report.Network}");
        Row("phase", report.Phase);
        Row("rounds", $"{report.Round} of {report.Rounds}");
        Row("base", report.Base);
        Row("ledger", $"{report.LedgerEntries} entries, root {report.LedgerRoot}");
        Row("committee", string.Join(", ", report.Committee));
        Row("connected", report.Connected.Count == 0 ? "nobody" : string.Join(", ", report.Connected));
        foreach (MemberReport member in report.Members)
        {
            Row($"  {member.Name}", $"{member.Address ?? "address unknown"} ({member.Source})");
        }

        Row("sent, received", $"{Megabytes(report.SentBytes)} MB, {Megabytes(report.ReceivedBytes)} MB");
        foreach ((string fault, long count) in report.Faults)
        {
            Row("fault", $"{fault} ({count})");
        }

        console.Write(grid);
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.00", CultureInfo.InvariantCulture);
}
