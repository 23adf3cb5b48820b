using Tapestry.Cli;

namespace Tapestry.Node.Configuration;

/// <summary>Where everything of one member lies on disk; nothing is kept anywhere else.</summary>
/// <param name="root">The folder; made absolute.</param>
internal sealed class DataFolder(string root)
{
    /// <summary>The folder itself.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Settings of this machine.</summary>
    public string Settings => Path.Combine(Root, "tapestry.json");

    /// <summary>The member's secret keys; readable by its owner only.</summary>
    public string Keys => Path.Combine(Root, "keys");

    /// <summary>The genesis of the network that this member belongs to.</summary>
    public string Genesis => Path.Combine(Root, "genesis");

    /// <summary>RocksDB: ledger, votes and indices.</summary>
    public string Records => Path.Combine(Root, "records");

    /// <summary>Files named by digest: shards, aggregates, bases, residuals.</summary>
    public string Blobs => Path.Combine(Root, "blobs");

    /// <summary>Lists of slice roots: what the names of bases and aggregates stand for.</summary>
    public string Lists => Path.Combine(Root, "lists");

    /// <summary>The inner optimiser's state and the position in the corpus, replaced atomically.</summary>
    public string Training => Path.Combine(Root, "training");

    /// <summary>The last signed checkpoint of the ledger.</summary>
    public string Checkpoint => Path.Combine(Root, "checkpoint");

    /// <summary>Held open by the one daemon that works on this folder.</summary>
    public string Lock => Path.Combine(Root, "lock");

    /// <summary>Takes the folder for this process.</summary>
    /// <returns>The lock; dispose to let go. A crash lets go too.</returns>
    /// <exception cref="CliException">Another process has it, or the folder cannot be written.</exception>
    public FileStream TakeLock()
    {
        try
        {
            return new FileStream(Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (File.Exists(Lock))
        {
            throw new CliException(
                "folder-in-use", $"Another process works on the data folder {Root}.",
                "Stop that daemon, or give this one its own folder with --data.", ExitCode.Failed, error);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new CliException(
                "folder-not-writable", $"The data folder {Root} cannot be written: {error.Message}",
                "Check its owner and the free space, or name another with --data.", ExitCode.Configuration, error);
        }
    }

    /// <summary>Refuses a folder that <c>tapestry init</c> has not made.</summary>
    /// <exception cref="CliException">There are no keys in it.</exception>
    public void RequireInitialised()
    {
        if (!File.Exists(Keys))
        {
            throw new CliException(
                "not-initialised", $"There is no member in {Root}: the file 'keys' is missing.",
                $"Run: tapestry init --data {Root}", ExitCode.Configuration);
        }
    }
}
