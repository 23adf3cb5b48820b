using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Node.Configuration;

namespace Tapestry.Node.Verbs;

/// <summary>The options that say which member a verb is about and how it is set up.</summary>
internal sealed class FolderOptions
{
    private readonly Option<string> _data = new("--data")
    {
        Description = "The member's data folder.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("TAPESTRY_DATA") ?? "tapestry-data",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Overrides a setting, as key=value; see: tapestry config",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_data);
        command.Add(_set);
    }

    /// <summary>The data folder that the command line names.</summary>
    public DataFolder Folder(ParseResult arguments) => new(arguments.GetRequiredValue(_data));

    /// <summary>The <c>--set</c> flags, checked for their keys.</summary>
    /// <exception cref="CliException">A flag is not key=value, or its key is unknown.</exception>
    public IReadOnlyDictionary<string, string?> Flags(ParseResult arguments)
    {
        Dictionary<string, string?> flags = new(StringComparer.OrdinalIgnoreCase);
        foreach (string text in arguments.GetValue(_set) ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? text : text[..equals];
            if (equals <= 0 || !NodeOptions.Settings.Any(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase)))
            {
                throw new CliException(
                    "usage", $"--set {text} does not set a known key.", "Write --set key=value; keys are listed by: tapestry config", ExitCode.Usage);
            }

            flags[key] = text[(equals + 1)..];
        }

        return flags;
    }

    /// <summary>The settings of the member, all layers read and checked.</summary>
    /// <exception cref="CliException">A value is out of range, or tapestry.json has an unknown key.</exception>
    public NodeOptions Options(ParseResult arguments, DataFolder folder)
    {
        Microsoft.Extensions.Configuration.IConfigurationRoot layers = NodeOptions.Layers(folder, Flags(arguments));
        IReadOnlyList<string> unknown = NodeOptions.UnknownKeys(folder);
        if (unknown.Count > 0)
        {
            throw new CliException(
                "configuration", $"{folder.Settings} has unknown keys: {string.Join(", ", unknown)}.",
                "Keys are listed by: tapestry config", ExitCode.Configuration);
        }

        return NodeOptions.Read(layers, folder);
    }
}
