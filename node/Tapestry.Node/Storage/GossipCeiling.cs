using Microsoft.Extensions.Logging;
using Tapestry.Cli;
using Tapestry.Libp2p.Gossip;
using Tapestry.Node.Network;

namespace Tapestry.Node.Storage;

/// <summary>The ceiling of our gossip's sequence numbers in RocksDB, so that after a restart with a clock set back others still hear us.</summary>
/// <remarks>
/// specs/40-ledger.md, section 6. Gossip is a convenience, since everything is said again on streams: a disk that refuses is logged
/// and otherwise ignored here.
/// </remarks>
/// <param name="records">The database.</param>
/// <param name="logger">Where a refusing disk is logged.</param>
internal sealed class GossipCeiling(RecordStore records, ILogger logger) : IGossipSequenceStore
{
    /// <inheritdoc/>
    public ulong Load()
    {
        try
        {
            return records.ReadGossipCeiling();
        }
        catch (CliException error)
        {
            NetworkLog.CeilingNotKept(logger, error.Message);
            return 0;
        }
    }

    /// <inheritdoc/>
    public void Save(ulong ceiling)
    {
        try
        {
            records.WriteGossipCeiling(ceiling);
        }
        catch (Exception error) when (error is CliException || StorageErrors.IsOfDisk(error))
        {
            NetworkLog.CeilingNotKept(logger, error.Message);
        }
    }
}
