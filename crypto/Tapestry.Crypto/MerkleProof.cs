using System.Numerics;

namespace Tapestry.Crypto;

/// <summary>Proofs that a leaf is in a tree and that one tree is the start of another.</summary>
/// <remarks>
/// RFC 6962, sections 2.1.1 and 2.1.2. A proof is the list of the hashes that the verifier lacks, nearest the leaf first.
/// Its length follows from the sizes, and a proof of any other length is refused, so nothing can be smuggled along.
/// </remarks>
public static class MerkleProof
{
    /// <summary>The longest proof, in hashes; bounds what is decoded from a peer.</summary>
    public const int LengthMax = 57;

    /// <summary>Proves that leaf <paramref name="index"/> is in the tree of the first <paramref name="size"/> leaves.</summary>
    /// <param name="index">The leaf, from 0.</param>
    /// <param name="size">Leaves of the tree.</param>
    /// <param name="read">Reads the log's stored hashes; called O(log² size) times.</param>
    /// <exception cref="ArgumentOutOfRangeException">The tree has no such leaf, or the size is out of range.</exception>
    public static Digest[] ProveInclusion(long index, long size, StoredHashReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        StoredHashes.ThrowIfNotASize(size);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);

        List<Digest> fromRoot = [];
        long start = 0;
        long end = size;
        while (end - start > 1)
        {
            long middle = start + MerkleTree.SplitPoint(end - start);
            if (index < middle)
            {
                fromRoot.Add(StoredHashes.RangeRoot(middle, end, read));
                end = middle;
            }
            else
            {
                fromRoot.Add(StoredHashes.RangeRoot(start, middle, read));
                start = middle;
            }
        }

        fromRoot.Reverse();
        return [.. fromRoot];
    }

    /// <summary>Proves that the tree of the first <paramref name="oldSize"/> leaves is the start of that of <paramref name="size"/>.</summary>
    /// <param name="oldSize">Leaves of the older tree, from 1.</param>
    /// <param name="size">Leaves of the newer tree.</param>
    /// <param name="read">Reads the log's stored hashes; called O(log² size) times.</param>
    /// <returns>The proof; empty for equal sizes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The old size is not in 1 to size, or the size is out of range.</exception>
    public static Digest[] ProveConsistency(long oldSize, long size, StoredHashReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        StoredHashes.ThrowIfNotASize(size);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, size);

        List<Digest> fromRoot = [];
        long start = 0;
        long end = size;
        while (oldSize < end)
        {
            long middle = start + MerkleTree.SplitPoint(end - start);
            if (oldSize <= middle)
            {
                fromRoot.Add(StoredHashes.RangeRoot(middle, end, read));
                end = middle;
            }
            else
            {
                fromRoot.Add(StoredHashes.RangeRoot(start, middle, read));
                start = middle;
            }
        }

        // The old tree ends here with a subtree. If that is all of it, the verifier holds its hash: the old root.
        if (start != 0)
        {
            fromRoot.Add(StoredHashes.RangeRoot(start, end, read));
        }

        fromRoot.Reverse();
        return [.. fromRoot];
    }

    /// <summary>Whether the proof shows that a leaf is in a tree.</summary>
    /// <param name="index">The leaf, from 0; any value may come from a peer.</param>
    /// <param name="size">Leaves of the tree.</param>
    /// <param name="leafHash">The leaf's hash.</param>
    /// <param name="proof">The proof.</param>
    /// <param name="root">The tree's root.</param>
    public static bool VerifyInclusion(long index, long size, Digest leafHash, ReadOnlySpan<Digest> proof, Digest root)
    {
        if (index < 0 || index >= size || size > MerkleTree.SizeMax)
        {
            return false;
        }

        // Below the level where the paths of the leaf and of the last leaf part, siblings stand on both sides; from there
        // on the leaf's subtree is on the right border, and only the left siblings, one for each bit set, exist.
        int inner = InnerLength(index, size);
        if (proof.Length != inner + BitOperations.PopCount((ulong)(index >> inner)))
        {
            return false;
        }

        Digest hash = FoldInner(leafHash, proof[..inner], index);
        return FoldBorder(hash, proof[inner..]) == root;
    }

    /// <summary>Whether the proof shows that a tree is the start of another.</summary>
    /// <param name="oldSize">Leaves of the older tree; 0 is refused, for it would say nothing.</param>
    /// <param name="size">Leaves of the newer tree.</param>
    /// <param name="oldRoot">The older tree's root.</param>
    /// <param name="root">The newer tree's root.</param>
    /// <param name="proof">The proof; empty exactly for equal sizes.</param>
    public static bool VerifyConsistency(long oldSize, long size, Digest oldRoot, Digest root, ReadOnlySpan<Digest> proof)
    {
        if (oldSize <= 0 || oldSize > size || size > MerkleTree.SizeMax)
        {
            return false;
        }

        if (oldSize == size)
        {
            return proof.IsEmpty && oldRoot == root;
        }

        // The old tree's last complete subtree is where both recomputations start. It spans 2^shift leaves; if it is the
        // whole old tree, its hash is the old root and the proof leaves it out.
        int shift = BitOperations.TrailingZeroCount(oldSize);
        bool isWholeOldTree = oldSize == 1L << shift;
        int inner = InnerLength(oldSize - 1, size) - shift;
        long number = (oldSize - 1) >> shift;
        int border = BitOperations.PopCount((ulong)(number >> inner));
        int seed = isWholeOldTree ? 0 : 1;
        if (proof.Length != seed + inner + border)
        {
            return false;
        }

        Digest start = isWholeOldTree ? oldRoot : proof[0];
        ReadOnlySpan<Digest> innerProof = proof.Slice(seed, inner);
        ReadOnlySpan<Digest> borderProof = proof[(seed + inner)..];
        Digest oldHash = FoldBorder(FoldInnerLeft(start, innerProof, number), borderProof);
        Digest newHash = FoldBorder(FoldInner(start, innerProof, number), borderProof);
        return oldHash == oldRoot && newHash == root;
    }

    /// <summary>How many levels lie below the one where the paths of a leaf and of the last leaf part.</summary>
    private static int InnerLength(long index, long size) =>
        index == size - 1 ? 0 : BitOperations.Log2((ulong)(index ^ (size - 1))) + 1;

    private static Digest FoldInner(Digest hash, ReadOnlySpan<Digest> siblings, long number)
    {
        for (int level = 0; level < siblings.Length; level++)
        {
            hash = IsRight(number, level) ? MerkleTree.NodeHash(siblings[level], hash) : MerkleTree.NodeHash(hash, siblings[level]);
        }

        return hash;
    }

    /// <summary>As <see cref="FoldInner"/>, for the older tree, which lacks everything to the right.</summary>
    private static Digest FoldInnerLeft(Digest hash, ReadOnlySpan<Digest> siblings, long number)
    {
        for (int level = 0; level < siblings.Length; level++)
        {
            hash = IsRight(number, level) ? MerkleTree.NodeHash(siblings[level], hash) : hash;
        }

        return hash;
    }

    private static Digest FoldBorder(Digest hash, ReadOnlySpan<Digest> leftSiblings)
    {
        foreach (Digest sibling in leftSiblings)
        {
            hash = MerkleTree.NodeHash(sibling, hash);
        }

        return hash;
    }

    private static bool IsRight(long number, int level) => ((number >> level) & 1) == 1;
}
