using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Tapestry.Crypto;

/// <summary>What must be kept of a growing Merkle tree to append to it and to name it: at most 56 hashes.</summary>
/// <remarks>
/// The roots of the complete subtrees into which the leaves fall, largest first: one for each bit of the size (a compact
/// range). Equal lists of leaves have equal frontiers, and equal bytes. Not for concurrent use.
/// </remarks>
public sealed class MerkleFrontier
{
    /// <summary>The longest encoding, in bytes: the size and a hash for each of its bits.</summary>
    public const int EncodedLengthMax = SizeLength + (56 * Digest.Length);

    private const int SizeLength = sizeof(long);

    private readonly List<Digest> _subtrees = [];

    /// <summary>The number of leaves.</summary>
    public long Size { get; private set; }

    /// <summary>The root of the tree; <see cref="MerkleTree.EmptyRoot"/> for no leaves.</summary>
    public Digest Root
    {
        get
        {
            if (_subtrees.Count == 0)
            {
                return MerkleTree.EmptyRoot;
            }

            Digest root = _subtrees[^1];
            for (int i = _subtrees.Count - 2; i >= 0; i--)
            {
                root = MerkleTree.NodeHash(_subtrees[i], root);
            }

            return root;
        }
    }

    /// <summary>Appends a leaf.</summary>
    /// <exception cref="InvalidOperationException">The tree has <see cref="MerkleTree.SizeMax"/> leaves.</exception>
    public void Append(Digest leafHash) => Append(leafHash, stored: null);

    /// <summary>Appends a leaf and lists the hashes of all nodes that it completes.</summary>
    /// <param name="leafHash">The leaf's hash.</param>
    /// <param name="stored">Receives, at its end, the leaf's hash and those of the complete subtrees that end with it:
    /// what a log keeps at consecutive indices from <see cref="StoredHashes.Count"/> of the size before. Null for none.</param>
    /// <exception cref="InvalidOperationException">The tree has <see cref="MerkleTree.SizeMax"/> leaves.</exception>
    public void Append(Digest leafHash, IList<Digest>? stored)
    {
        if (Size == MerkleTree.SizeMax)
        {
            throw new InvalidOperationException($"A tree holds at most {MerkleTree.SizeMax} leaves.");
        }

        Digest hash = leafHash;
        stored?.Add(hash);

        // Each trailing one of the size is a subtree of equal height that the new one completes, as in binary counting.
        for (int merges = BitOperations.TrailingZeroCount(~Size); merges > 0; merges--)
        {
            hash = MerkleTree.NodeHash(_subtrees[^1], hash);
            _subtrees.RemoveAt(_subtrees.Count - 1);
            stored?.Add(hash);
        }

        _subtrees.Add(hash);
        Size++;
    }

    /// <summary>An independent copy.</summary>
    public MerkleFrontier Copy()
    {
        MerkleFrontier copy = new() { Size = Size };
        copy._subtrees.AddRange(_subtrees);
        return copy;
    }

    /// <summary>The frontier as bytes: the size, big-endian in 8 bytes, and the hashes, largest subtree first.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[SizeLength + (_subtrees.Count * Digest.Length)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Size);
        for (int i = 0; i < _subtrees.Count; i++)
        {
            _subtrees[i].CopyTo(bytes.AsSpan(SizeLength + (i * Digest.Length)));
        }

        return bytes;
    }

    /// <summary>Reads what <see cref="ToArray"/> wrote; every other byte string is refused.</summary>
    /// <returns>False when the size is out of range or the length does not belong to it.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out MerkleFrontier? frontier)
    {
        frontier = null;
        if (bytes.Length < SizeLength)
        {
            return false;
        }

        long size = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (size is < 0 or > MerkleTree.SizeMax
            || bytes.Length != SizeLength + (BitOperations.PopCount((ulong)size) * Digest.Length))
        {
            return false;
        }

        frontier = new MerkleFrontier { Size = size };
        for (ReadOnlySpan<byte> rest = bytes[SizeLength..]; !rest.IsEmpty; rest = rest[Digest.Length..])
        {
            frontier._subtrees.Add(new Digest(rest[..Digest.Length]));
        }

        return true;
    }

    /// <summary>The frontier of a log of <paramref name="size"/> leaves that is kept as stored hashes.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is negative or above <see cref="MerkleTree.SizeMax"/>.</exception>
    public static MerkleFrontier FromStoredHashes(long size, StoredHashReader read)
    {
        ArgumentNullException.ThrowIfNull(read);
        StoredHashes.ThrowIfNotASize(size);
        MerkleFrontier frontier = new() { Size = size };
        StoredHashes.ReadSubtrees(0, size, read, frontier._subtrees);
        return frontier;
    }
}
