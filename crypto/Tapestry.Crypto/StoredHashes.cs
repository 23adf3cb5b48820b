using System.Numerics;

namespace Tapestry.Crypto;

/// <summary>Reads the hash that is stored at an index of a log's append-only row of hashes.</summary>
public delegate Digest StoredHashReader(long storedIndex);

/// <summary>The order in which a log keeps the hashes of its tree: rows that are only ever appended.</summary>
/// <remarks>
/// A node is written when its last leaf is, right after its right child: leaf 0, leaf 1, their parent, leaf 2, leaf 3,
/// their parent, the parent of all four, leaf 4 and so on. Only complete subtrees are kept; every root and proof follows
/// from O(log n) of them. The order is that of Go's sumdb/tlog (StoredHashIndex).
/// </remarks>
public static class StoredHashes
{
    /// <summary>How many hashes a log of <paramref name="size"/> leaves keeps.</summary>
    /// <remarks>One for each complete subtree: the sum of size / 2^level over all levels, which is 2·size - popcount(size).</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is negative or above <see cref="MerkleTree.SizeMax"/>.</exception>
    public static long Count(long size)
    {
        ThrowIfNotASize(size);
        return (2 * size) - BitOperations.PopCount((ulong)size);
    }

    /// <summary>Where the hash of a complete subtree is kept.</summary>
    /// <param name="level">Its height: 0 for a leaf; it spans 2^level leaves.</param>
    /// <param name="number">Its number in the level, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such subtree below <see cref="MerkleTree.SizeMax"/> leaves.</exception>
    public static long Index(int level, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 56);
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, MerkleTree.SizeMax >> level);
        long lastLeaf = ((number + 1) << level) - 1;
        return Count(lastLeaf) + level;
    }

    /// <summary>The root of the tree of the first <paramref name="size"/> leaves.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is negative or above <see cref="MerkleTree.SizeMax"/>.</exception>
    public static Digest Root(long size, StoredHashReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        ThrowIfNotASize(size);
        return size == 0 ? MerkleTree.EmptyRoot : RangeRoot(0, size, read);
    }

    /// <summary>The Merkle tree hash of leaves [<paramref name="start"/>, <paramref name="end"/>) as a node of a proof.</summary>
    internal static Digest RangeRoot(long start, long end, StoredHashReader read)
    {
        List<Digest> subtrees = [];
        ReadSubtrees(start, end, read, subtrees);
        Digest root = subtrees[^1];
        for (int i = subtrees.Count - 2; i >= 0; i--)
        {
            root = MerkleTree.NodeHash(subtrees[i], root);
        }

        return root;
    }

    /// <summary>Lists the roots of the complete subtrees of a range, largest first.</summary>
    /// <remarks>The range starts where a subtree of at least its length could: the only kind that a split makes.</remarks>
    internal static void ReadSubtrees(long start, long end, StoredHashReader read, List<Digest> subtrees)
    {
        while (start < end)
        {
            int level = BitOperations.Log2((ulong)(end - start));
            subtrees.Add(read(Index(level, start >> level)));
            start += 1L << level;
        }
    }

    internal static void ThrowIfNotASize(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MerkleTree.SizeMax);
    }
}
