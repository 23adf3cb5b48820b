using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Aggregation;

/// <summary>How the flat vector is cut: chunks to hash, slices to own, and the lengths of what is sent for them.</summary>
/// <remarks>
/// specs/30-rounds.md, section 2. A base is two sections, parameters and outer momentum, in little-endian FP32, each padded with
/// zeros to whole chunks. A slice is the same range of chunks in both. Nothing is sent for padding.
/// </remarks>
public sealed class BaseLayout
{
    /// <summary>Parameters, then outer momentum.</summary>
    public const int Sections = 2;

    /// <summary>A layout.</summary>
    /// <param name="parameterCount">P, at least 1.</param>
    /// <param name="chunkBytes">Bytes of a chunk of the base; a multiple of the bytes of 32 FP32 values.</param>
    /// <param name="slices">1 to 256, so that no slice is empty.</param>
    /// <exception cref="ArgumentException">The numbers do not fit each other, as <see cref="PlanRules"/> would say.</exception>
    public BaseLayout(long parameterCount, int chunkBytes, int slices)
    {
        if (parameterCount < 1 || chunkBytes < MxInt8.BlockElements * sizeof(float) || chunkBytes % (MxInt8.BlockElements * sizeof(float)) != 0
            || slices is < 1 or > Limits.Slices)
        {
            throw new ArgumentException($"{parameterCount} parameters in {slices} slices of chunks of {chunkBytes} bytes are no layout.");
        }

        ParameterCount = parameterCount;
        ChunkBytes = chunkBytes;
        SliceCount = slices;
        ChunksPerSection = (parameterCount + ChunkElements - 1) / ChunkElements;
        ChunksPerSlice = (ChunksPerSection + slices - 1) / slices;
        if ((slices - 1) * ChunksPerSlice >= ChunksPerSection || ChunksPerSlice * ChunkElements > int.MaxValue / sizeof(float))
        {
            throw new ArgumentException($"{ChunksPerSection} chunks cannot be cut into {slices} slices.");
        }
    }

    /// <summary>P: parameters of the model.</summary>
    public long ParameterCount { get; }

    /// <summary>Bytes of a chunk of the base.</summary>
    public int ChunkBytes { get; }

    /// <summary>Elements of a chunk, of the base as of a shard: chunk c of a shard encodes chunk c of the slice.</summary>
    public int ChunkElements => ChunkBytes / sizeof(float);

    /// <summary>Slices.</summary>
    public int SliceCount { get; }

    /// <summary>Chunks of one section.</summary>
    public long ChunksPerSection { get; }

    /// <summary>Chunks of one section in every slice but the last, which may have fewer.</summary>
    public long ChunksPerSlice { get; }

    /// <summary>Bytes of one section, padding included.</summary>
    public long SectionBytes => ChunksPerSection * ChunkBytes;

    /// <summary>Bytes of a base.</summary>
    public long BaseBytes => Sections * SectionBytes;

    /// <summary>The layout of a plan that <see cref="PlanRules"/> finds good.</summary>
    public static BaseLayout Of(Plan plan) => new(plan.ParameterCount, plan.Exchange.ChunkBytes, plan.Exchange.Slices);

    /// <summary>Where a slice lies in a section.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slice.</exception>
    public SliceExtent Slice(int slice)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slice);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slice, SliceCount);
        long firstChunk = slice * ChunksPerSlice;
        int chunks = (int)(Math.Min(firstChunk + ChunksPerSlice, ChunksPerSection) - firstChunk);
        long firstElement = firstChunk * ChunkElements;
        int paddedElements = chunks * ChunkElements;
        int elements = (int)Math.Min(paddedElements, ParameterCount - firstElement);
        return new SliceExtent(slice, firstElement, elements, paddedElements, chunks);
    }

    /// <summary>Bytes of a slice's shard, or of its encoded aggregate.</summary>
    public int ShardBytes(int slice, Codec codec) => ShardCodec.Bytes(codec, Slice(slice).Elements);

    /// <summary>Bytes of every chunk of a shard but the last, which may be shorter.</summary>
    public int ShardChunkBytes(Codec codec) => ShardCodec.Bytes(codec, ChunkElements);

    /// <summary>Bytes of one member's whole update.</summary>
    public long UpdateBytes(Codec codec) => Enumerable.Range(0, SliceCount).Sum(slice => (long)ShardBytes(slice, codec));
}

/// <summary>The place of a slice in a section, and how much of it is more than padding.</summary>
/// <param name="Index">Which slice.</param>
/// <param name="FirstElement">Its first element.</param>
/// <param name="Elements">Parameters in it.</param>
/// <param name="PaddedElements">With padding: whole chunks.</param>
/// <param name="Chunks">Chunks of one section.</param>
public readonly record struct SliceExtent(int Index, long FirstElement, int Elements, int PaddedElements, int Chunks);
