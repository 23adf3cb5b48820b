using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;

namespace Tapestry.Crypto;

/// <summary>The Merkle tree over a list: one digest that names the list, its order and its length together with the size.</summary>
/// <remarks>
/// RFC 6962, section 2.1, with SHA-256. The tree of n leaves splits at the largest power of two below n. Leaves and inner
/// nodes are hashed with different prefixes, so that neither can be passed off as the other.
/// </remarks>
public static class MerkleTree
{
    /// <summary>The largest tree, in leaves; keeps every index of <see cref="StoredHashes"/> inside a long.</summary>
    public const long SizeMax = 1L << 56;

    private const byte LeafPrefix = 0x00;
    private const byte NodePrefix = 0x01;

    // Leaves up to this size are hashed in one call from the stack: SHA-256 of a contiguous span costs no native object.
    private const int ShortLeafLength = 500;

    /// <summary>The root of the empty list: SHA-256 of no bytes.</summary>
    public static Digest EmptyRoot { get; } = Digest.Of([]);

    /// <summary>The hash of a leaf: SHA-256(0x00, data).</summary>
    public static Digest LeafHash(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Digest.Length];
        if (data.Length <= ShortLeafLength)
        {
            Span<byte> prefixed = stackalloc byte[ShortLeafLength + 1];
            prefixed[0] = LeafPrefix;
            data.CopyTo(prefixed[1..]);
            SHA256.HashData(prefixed[..(data.Length + 1)], hash);
            return new Digest(hash);
        }

        using IncrementalHash incremental = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        incremental.AppendData([LeafPrefix]);
        incremental.AppendData(data);
        incremental.GetHashAndReset(hash);
        return new Digest(hash);
    }

    /// <summary>The hash of a leaf that lies in several pieces.</summary>
    public static Digest LeafHash(in ReadOnlySequence<byte> data)
    {
        if (data.IsSingleSegment)
        {
            return LeafHash(data.FirstSpan);
        }

        using Sha256 hash = StartLeaf();
        foreach (ReadOnlyMemory<byte> piece in data)
        {
            hash.Append(piece.Span);
        }

        return hash.FinishAndReset();
    }

    /// <summary>The hash of a leaf whose data comes in pieces: append them all, then finish.</summary>
    public static Sha256 StartLeaf()
    {
        Sha256 hash = new();
        hash.Append([LeafPrefix]);
        return hash;
    }

    /// <summary>The hash of an inner node: SHA-256(0x01, left, right).</summary>
    public static Digest NodeHash(Digest left, Digest right)
    {
        Span<byte> prefixed = stackalloc byte[1 + (2 * Digest.Length)];
        prefixed[0] = NodePrefix;
        left.CopyTo(prefixed[1..]);
        right.CopyTo(prefixed[(1 + Digest.Length)..]);
        return Digest.Of(prefixed);
    }

    /// <summary>The root of a list of leaf hashes; <see cref="EmptyRoot"/> for none.</summary>
    public static Digest Root(ReadOnlySpan<Digest> leafHashes)
    {
        MerkleFrontier frontier = new();
        foreach (Digest leafHash in leafHashes)
        {
            frontier.Append(leafHash);
        }

        return frontier.Root;
    }

    /// <summary>Where a range of two or more leaves splits: the largest power of two below its length.</summary>
    internal static long SplitPoint(long length) => 1L << BitOperations.Log2((ulong)(length - 1));
}
