using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Configuration;
using Tapestry.Node.Ledger;
using Tapestry.Node.Network;
using Tapestry.Node.Storage;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Rounds;

/// <summary>Reads a base out of a data folder whose daemon is not running: for derivatives, export and evaluation.</summary>
internal static class BaseFolder
{
    /// <summary>Stands for the last certified base of the ledger.</summary>
    public const string Latest = "latest";

    /// <summary>The parameters of a base, [P].</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="name">The base's digest, or <see cref="Latest"/>.</param>
    /// <exception cref="CliException">The folder does not hold it, or a daemon works on the folder.</exception>
    public static float[] ReadParameters(DataFolder folder, string name)
    {
        Genesis genesis = LedgerFolder.ReadGenesis(folder.Genesis);
        Digest wanted = name == Latest ? FindLatest(folder, genesis) : Digest.TryParse(name, out Digest digest) ? digest : throw new CliException(
            "usage", $"'{name}' is neither '{Latest}' nor the 64 hexadecimal digits of a base.", "'tapestry status' and 'tapestry ledger list' name bases.",
            ExitCode.Usage);
        using FileStream folderLock = folder.TakeLock();
        using BlobStore blobs = BlobStore.Open(folder.Blobs, genesis.Plan.Exchange.ChunkBytes);
        return new BaseFiles(blobs, new RootLists(folder.Lists), genesis).ReadParameters(wanted) ?? throw new CliException(
            "no-base", $"{folder.Root} does not hold the base {wanted.ToShortString()} in full.",
            "Bases older than the plan's keepRounds are deleted; take 'latest', or run the daemon until it has caught up.");
    }

    /// <summary>The last certified base that the ledger names.</summary>
    private static Digest FindLatest(DataFolder folder, Genesis genesis)
    {
        using RecordStore records = LedgerFolder.OpenRecords(folder);
        Leaf.Result? last = records.ReadAll(Table.Entries)
            .Select(row => Leaf.TryRead(row.Value.Span, out Leaf? leaf) ? leaf : null)
            .OfType<Leaf.Result>()
            .LastOrDefault();
        return last?.Base ?? genesis.InitialBase;
    }
}
