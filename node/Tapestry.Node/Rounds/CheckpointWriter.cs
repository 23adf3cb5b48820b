using Tapestry.Crypto;
using Tapestry.Node.Configuration;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Rounds;

/// <summary>Signs the ledger's head after every round and keeps it as a file: C2SP tlog-checkpoint, this member's log key.</summary>
/// <remarks>Written after the round's batch is durable, so a checkpoint never claims leaves that a crash could take back.</remarks>
/// <param name="genesis">Names the ledger.</param>
/// <param name="key">The member's checkpoint key.</param>
/// <param name="folder">Where the file lies.</param>
internal sealed class CheckpointWriter(Genesis genesis, SigningKey key, DataFolder folder)
{
    /// <summary>Signs and replaces the file.</summary>
    public void Write(long size, Digest root) =>
        AtomicFile.Write(folder.Checkpoint, new Checkpoint(genesis.LedgerOrigin, size, root).Sign(key).ToArray());
}
