using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry run</c>: the daemon.</summary>
internal static class RunVerb
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        FolderOptions folders = new();
        Option<string?> peers = new("--peers") { Description = "The peer list: one multiaddress with /p2p/ a line. Default: network:peers." };
        Command command = new("run", "Run this member's daemon until it is stopped.") { peers };
        folders.AddTo(command);
        return app.Does(command, async (arguments, terminal, stopping) =>
        {
            DataFolder folder = folders.Folder(arguments);
            NodeOptions options = folders.Options(arguments, folder);
            if (arguments.GetValue(peers) is string path)
            {
                options = options with { PeersPath = Path.GetFullPath(path) };
            }

            await DaemonHost.RunAsync(folder, options, stopping);
            terminal.Say("stopped");
            return new VerbResult(new { Data = folder.Root });
        });
    }
}
