using System.Runtime.InteropServices;
using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Aggregation;

/// <summary>The names of shards, aggregates, slices and bases: RFC 6962 roots over chunks.</summary>
/// <remarks>specs/30-rounds.md, section 2.</remarks>
public static class Roots
{
    /// <summary>Leaf hashes of the chunks of a shard or of an encoded aggregate, in order; <see cref="MerkleTree.Root"/> of them names it.</summary>
    /// <exception cref="ArgumentException">The shard's length is not the slice's.</exception>
    public static Digest[] ShardLeaves(BaseLayout layout, int slice, Codec codec, ReadOnlySpan<byte> shard)
    {
        SliceExtent extent = layout.Slice(slice);
        if (shard.Length != ShardCodec.Bytes(codec, extent.Elements))
        {
            throw new ArgumentException($"A shard of slice {slice} has {ShardCodec.Bytes(codec, extent.Elements)} bytes, not {shard.Length}.", nameof(shard));
        }

        Digest[] leaves = new Digest[extent.Chunks];
        int chunkBytes = layout.ShardChunkBytes(codec);
        for (int chunk = 0; chunk < leaves.Length; chunk++)
        {
            int first = chunk * chunkBytes;
            leaves[chunk] = MerkleTree.LeafHash(shard[first..Math.Min(first + chunkBytes, shard.Length)]);
        }

        return leaves;
    }

    /// <summary>The name of a shard or of an encoded aggregate.</summary>
    public static Digest OfShard(BaseLayout layout, int slice, Codec codec, ReadOnlySpan<byte> shard) =>
        MerkleTree.Root(ShardLeaves(layout, slice, codec, shard));

    /// <summary>Leaf hashes of the chunks of one slice of a base: those of the parameters, then those of the momentum.</summary>
    /// <param name="layout">The plan's layout.</param>
    /// <param name="slice">The slice.</param>
    /// <param name="parameters">[padded elements], padding included.</param>
    /// <param name="momentum">[padded elements], padding included.</param>
    public static Digest[] BaseSliceLeaves(BaseLayout layout, int slice, ReadOnlySpan<float> parameters, ReadOnlySpan<float> momentum)
    {
        SliceExtent extent = layout.Slice(slice);
        if (parameters.Length != extent.PaddedElements || momentum.Length != extent.PaddedElements)
        {
            throw new ArgumentException($"Slice {slice} has {extent.PaddedElements} elements a section, not {parameters.Length} and {momentum.Length}.");
        }

        Digest[] leaves = new Digest[BaseLayout.Sections * extent.Chunks];
        for (int chunk = 0; chunk < extent.Chunks; chunk++)
        {
            int first = chunk * layout.ChunkElements;
            leaves[chunk] = MerkleTree.LeafHash(MemoryMarshal.AsBytes(parameters.Slice(first, layout.ChunkElements)));
            leaves[extent.Chunks + chunk] = MerkleTree.LeafHash(MemoryMarshal.AsBytes(momentum.Slice(first, layout.ChunkElements)));
        }

        return leaves;
    }

    /// <summary>The name of one slice of a base.</summary>
    public static Digest OfBaseSlice(BaseLayout layout, int slice, ReadOnlySpan<float> parameters, ReadOnlySpan<float> momentum) =>
        MerkleTree.Root(BaseSliceLeaves(layout, slice, parameters, momentum));

    /// <summary>The name of a base, or of a round's aggregate: the tree whose leaf hashes are the slices' roots, in slice order.</summary>
    public static Digest OfSlices(ReadOnlySpan<Digest> sliceRoots) => MerkleTree.Root(sliceRoots);
}
