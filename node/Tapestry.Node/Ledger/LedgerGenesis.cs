using Tapestry.Cli;
using Tapestry.Protocol;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Ledger;

/// <summary>Tells a genesis that was exchanged under existing records.</summary>
internal static class LedgerGenesis
{
    /// <summary>Refuses records whose first entry names another network.</summary>
    /// <param name="records">The records; ones without entries are of no network yet, and pass.</param>
    /// <param name="genesis">The genesis that is to be used with them.</param>
    /// <param name="folder">Where the records are, for the message.</param>
    /// <remarks>A first entry that is no genesis leaf passes: that is damage, which the check of the ledger finds and names.</remarks>
    /// <exception cref="CliException">The records are another network's.</exception>
    public static void Require(IRecordReader records, Genesis genesis, string folder)
    {
        if (records.Read(Table.Entries, LedgerKeys.Number(0)) is not ByteString entry
            || !Leaf.TryRead(entry.Span, out Leaf? leaf)
            || leaf is not Leaf.Genesis first
            || first.Network == genesis.Digest)
        {
            return;
        }

        throw new CliException(
            "wrong-genesis",
            $"The records in {folder} are of the network {first.Network}, but the genesis of '{genesis.NetworkName}' is that of the network {genesis.Digest}.",
            "Put back the genesis that these records were made with; another network needs a data folder of its own.", ExitCode.Configuration);
    }
}
