using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Node.Configuration;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry init</c>: a member's keys, settings and folder, and the card that the others need.</summary>
internal static class InitVerb
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        FolderOptions folders = new();
        Option<string> name = new("--name")
        {
            Description = "The member's name for people.",
            DefaultValueFactory = _ => Environment.MachineName,
        };
        Command command = new("init", "Create a member: keys, settings, data folder. Prints its public card.") { name };
        folders.AddTo(command);
        return app.Does(command, (arguments, terminal, _) =>
        {
            DataFolder folder = folders.Folder(arguments);
            MemberCard card = CreateMember(folder, arguments.GetRequiredValue(name), folders.Flags(arguments));
            terminal.Say($"Created {folder.Root}. Give the card to whoever creates the network; 'keys' is secret: back it up.");
            return Task.FromResult(new VerbResult(card, console => console.Profile.Out.Writer.WriteLine(card.ToJson())));
        });
    }

    /// <summary>Creates the folder, keys, settings and card of a member.</summary>
    /// <param name="folder">Where; created if absent.</param>
    /// <param name="name">The member's name for people.</param>
    /// <param name="settings">Keys and values for tapestry.json, beside the defaults.</param>
    /// <exception cref="CliException">There is a member already, or the folder cannot be written.</exception>
    internal static MemberCard CreateMember(DataFolder folder, string name, IReadOnlyDictionary<string, string?> settings)
    {
        try
        {
            Directory.CreateDirectory(folder.Root);
            KeyFile.Create(folder.Keys);
            using KeyFile keys = KeyFile.Read(folder.Keys);
            MemberCard card = MemberCard.Of(name, keys);
            _ = card.ToMember("--name");
            AtomicFile.Write(Path.Combine(folder.Root, "card.json"), System.Text.Encoding.UTF8.GetBytes(card.ToJson() + "\n"));
            if (!File.Exists(folder.Settings))
            {
                AtomicFile.Write(folder.Settings, SettingsFile.Write(settings));
            }

            return card;
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new CliException(
                "folder-not-writable", $"The data folder {folder.Root} cannot be written: {error.Message}",
                "Check its owner and the free space, or name another with --data.", ExitCode.Configuration, error);
        }
    }
}
