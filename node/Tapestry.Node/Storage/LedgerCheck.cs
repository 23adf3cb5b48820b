using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Storage;

/// <summary>What recomputing a ledger from its leaves came to.</summary>
/// <param name="Size">Leaves that were read before the check ended.</param>
/// <param name="Root">Their root.</param>
/// <param name="Fault">What does not hold.</param>
/// <param name="At">The leaf or stored-hash index at which it shows; -1 for none.</param>
internal sealed record LedgerCheck(long Size, Digest Root, LedgerFault Fault, long At)
{
    /// <summary>Whether everything holds.</summary>
    public bool Holds => Fault == LedgerFault.None;

    /// <summary>Recomputes a ledger from nothing but its leaves and compares every stored hash and the head with that.</summary>
    /// <param name="records">The tables Entries and Hashes.</param>
    /// <param name="expectedSize">Leaves that the head claims.</param>
    /// <param name="expectedRoot">The root that the head claims.</param>
    /// <remarks>Reads both tables once, in order, with O(log n) memory.</remarks>
    public static LedgerCheck Verify(IRecordReader records, long expectedSize, Digest expectedRoot)
    {
        MerkleFrontier frontier = new();
        List<Digest> completed = [];
        long storedIndex = 0;
        using IEnumerator<KeyValuePair<ByteString, ByteString>> hashes = records.ReadAll(Table.Hashes).GetEnumerator();
        foreach (KeyValuePair<ByteString, ByteString> entry in records.ReadAll(Table.Entries))
        {
            if (!IsKey(entry.Key, frontier.Size))
            {
                return new(frontier.Size, frontier.Root, LedgerFault.MissingEntry, frontier.Size);
            }

            completed.Clear();
            frontier.Append(MerkleTree.LeafHash(entry.Value.Span), completed);
            foreach (Digest hash in completed)
            {
                if (!hashes.MoveNext() || !IsKey(hashes.Current.Key, storedIndex) || !IsHash(hashes.Current.Value, hash))
                {
                    return new(frontier.Size, frontier.Root, LedgerFault.WrongHash, storedIndex);
                }

                storedIndex++;
            }
        }

        if (hashes.MoveNext())
        {
            return new(frontier.Size, frontier.Root, LedgerFault.SurplusHash, storedIndex);
        }

        if (frontier.Size != expectedSize)
        {
            return new(frontier.Size, frontier.Root, LedgerFault.WrongSize, Math.Min(frontier.Size, expectedSize));
        }

        return frontier.Root == expectedRoot
            ? new(frontier.Size, frontier.Root, LedgerFault.None, -1)
            : new(frontier.Size, frontier.Root, LedgerFault.WrongRoot, -1);
    }

    private static bool IsKey(ByteString key, long index) =>
        key.Length == sizeof(long) && BinaryPrimitives.ReadInt64BigEndian(key.Span) == index;

    private static bool IsHash(ByteString value, Digest hash) => value.Length == Digest.Length && new Digest(value.Span) == hash;
}

/// <summary>What is wrong with a ledger on disk.</summary>
internal enum LedgerFault
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The entries are not numbered from 0 without a gap.</summary>
    MissingEntry,

    /// <summary>A stored hash is missing or is not the hash of its subtree: it or an entry was changed.</summary>
    WrongHash,

    /// <summary>There are hashes of leaves that are not there.</summary>
    SurplusHash,

    /// <summary>The head claims more or fewer leaves.</summary>
    WrongSize,

    /// <summary>The head claims another root.</summary>
    WrongRoot,
}
