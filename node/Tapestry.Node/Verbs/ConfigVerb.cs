using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Node.Configuration;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry config</c>: every setting with its value here, default, range and meaning.</summary>
internal static class ConfigVerb
{
    private sealed record Row(string Key, string? Value, string Default, string Range, string Meaning);

    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        FolderOptions folders = new();
        Command command = new("config", "List every setting: its value here, default, range and meaning.");
        folders.AddTo(command);
        return app.Does(command, (arguments, _, _) =>
        {
            DataFolder folder = folders.Folder(arguments);
            IConfigurationRoot layers = NodeOptions.Layers(folder, folders.Flags(arguments));
            _ = folders.Options(arguments, folder);
            Row[] rows =
            [
                .. NodeOptions.Settings.Select(setting =>
                    new Row(setting.Key, layers[setting.Key], setting.Default, setting.Range, setting.Meaning)),
            ];
            return Task.FromResult(new VerbResult(new { File = folder.Settings, Settings = rows }, console => Show(console, rows)));
        });
    }

    private static void Show(IAnsiConsole console, IEnumerable<Row> rows)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("key", "value", "default", "range", "meaning");
        foreach (Row row in rows)
        {
            table.AddRow([.. new[] { row.Key, row.Value ?? "", row.Default, row.Range, row.Meaning }.Select(Markup.Escape)]);
        }

        console.Write(table);
    }
}
