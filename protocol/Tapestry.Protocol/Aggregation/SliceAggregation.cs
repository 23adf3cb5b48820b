using Tapestry.Crypto;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Aggregation;

/// <summary>One included member's shard of a slice, and how much it counts.</summary>
/// <param name="Codec">How it is encoded.</param>
/// <param name="Bytes">The shard: measured before, so its length and its values are right.</param>
/// <param name="Scale">The scale of the member's norm, 0 to 1.</param>
/// <param name="Weight">The member's weight; positive.</param>
public readonly record struct WeightedShard(Codec Codec, ReadOnlyMemory<byte> Bytes, double Scale, long Weight);

/// <summary>The weighted mean of a slice's shards, its encoding, and the outer step: the same bytes on every machine.</summary>
/// <remarks>
/// specs/30-rounds.md, section 13. For each element, members in id order:
/// <code>
/// sum = 0;  sum = sum + (scale_i * weight_i) * value_i;  g = FP32(sum / (weight_1 + ... + weight_n))
/// encode g with the down codec and decode it again: everyone applies what was encoded
/// m' = FP32(momentum * m + g);  p' = FP32(p - rate * (g + momentum * m'))
/// </code>
/// Slices are independent of each other: a caller may do several at once.
/// </remarks>
public static class SliceAggregation
{
    // Sums, values and quotients of a tile stay in the first- and second-level cache; a whole number of blocks.
    private const int TileElements = 4096;

    /// <summary>Averages a slice's shards, encodes the mean, takes the outer step, and names what came out.</summary>
    /// <param name="layout">The plan's layout.</param>
    /// <param name="slice">The slice.</param>
    /// <param name="shards">In member-id order, at least one.</param>
    /// <param name="down">The plan's codec for aggregates.</param>
    /// <param name="outer">The plan's outer step.</param>
    /// <param name="before">The slice of the base.</param>
    /// <param name="after">Receives the slice of the new base; may be the same memory.</param>
    /// <param name="aggregate">Receives the encoded aggregate; <see cref="BaseLayout.ShardBytes"/> long.</param>
    /// <returns>Both roots, or NONFINITE when a mean or a step does not fit FP32; what was written then means nothing.</returns>
    /// <exception cref="ArgumentException">A buffer's length is wrong, or a shard was not measured before and breaks its codec.</exception>
    public static SliceOutcome Aggregate(
        BaseLayout layout, int slice, IReadOnlyList<WeightedShard> shards, Codec down, OuterStep outer,
        BaseSlice before, BaseSlice after, Span<byte> aggregate)
    {
        if (!TryAverage(layout, slice, shards, down, aggregate) || !TryApply(layout, slice, down, aggregate, outer, before, after))
        {
            return new SliceOutcome(slice, Digest.Zero, Digest.Zero);
        }

        return new SliceOutcome(
            slice, Roots.OfShard(layout, slice, down, aggregate), Roots.OfBaseSlice(layout, slice, after.Parameters, after.Momentum));
    }

    /// <summary>Applies an encoded aggregate to a slice: what every member does with what the owners made.</summary>
    /// <param name="layout">The plan's layout.</param>
    /// <param name="slice">The slice.</param>
    /// <param name="down">The plan's codec for aggregates.</param>
    /// <param name="aggregate">The encoded aggregate.</param>
    /// <param name="outer">The plan's outer step.</param>
    /// <param name="before">The slice of the base.</param>
    /// <param name="after">Receives the slice of the new base, padding zero; may be the same memory.</param>
    /// <returns>False when the aggregate breaks its codec or the step does not fit FP32.</returns>
    public static bool TryApply(
        BaseLayout layout, int slice, Codec down, ReadOnlySpan<byte> aggregate, OuterStep outer, BaseSlice before, BaseSlice after)
    {
        SliceExtent extent = layout.Slice(slice);
        before.RequireLength(extent);
        after.RequireLength(extent);
        RequireShard(layout, slice, down, aggregate.Length);
        float[] gradient = new float[layout.ChunkElements];
        for (int first = 0; first < extent.Elements; first += gradient.Length)
        {
            int count = Math.Min(gradient.Length, extent.Elements - first);
            Span<float> g = gradient.AsSpan(0, count);
            if (!ShardCodec.TryDecode(down, ShardChunks.Of(layout, down, aggregate, first, count), g)
                || !Elementwise.TryNesterov(
                    g, outer.LearningRate, outer.Momentum, before.Parameters.Slice(first, count), before.Momentum.Slice(first, count),
                    after.Parameters.Slice(first, count), after.Momentum.Slice(first, count)))
            {
                return false;
            }
        }

        after.Parameters[extent.Elements..].Clear();
        after.Momentum[extent.Elements..].Clear();
        return true;
    }

    /// <summary>The weighted mean of a slice's shards, encoded.</summary>
    /// <returns>False when a mean does not fit FP32.</returns>
    internal static bool TryAverage(BaseLayout layout, int slice, IReadOnlyList<WeightedShard> shards, Codec down, Span<byte> aggregate)
    {
        if (shards.Count == 0)
        {
            throw new ArgumentException("There is nothing to average.", nameof(shards));
        }

        RequireShard(layout, slice, down, aggregate.Length);
        long totalWeight = 0;
        foreach (WeightedShard shard in shards)
        {
            RequireShard(layout, slice, shard.Codec, shard.Bytes.Length);
            totalWeight += shard.Weight;
        }

        float[] mean = new float[layout.ChunkElements];
        Tile tile = new(TileElements);
        int elements = layout.Slice(slice).Elements;
        for (int first = 0; first < elements; first += mean.Length)
        {
            Span<float> chunk = mean.AsSpan(0, Math.Min(mean.Length, elements - first));
            if (!TryAverageChunk(layout, shards, totalWeight, first, tile, chunk)
                || !ShardCodec.TryEncode(down, chunk, ShardChunks.Of(layout, down, aggregate, first, chunk.Length)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryAverageChunk(
        BaseLayout layout, IReadOnlyList<WeightedShard> shards, long totalWeight, int firstElement, Tile tile, Span<float> mean)
    {
        for (int start = 0; start < mean.Length; start += TileElements)
        {
            Span<float> quotients = mean[start..Math.Min(start + TileElements, mean.Length)];
            Span<double> sums = tile.Sums.AsSpan(0, quotients.Length);
            Span<float> values = tile.Values.AsSpan(0, quotients.Length);
            sums.Clear();
            foreach (WeightedShard shard in shards)
            {
                ReadOnlySpan<byte> chunk = ShardChunks.Of(layout, shard.Codec, shard.Bytes.Span, firstElement, mean.Length);
                if (!ShardCodec.TryDecodePart(shard.Codec, chunk, mean.Length, start, values))
                {
                    throw new ArgumentException("A shard breaks its codec: it was not measured before.", nameof(shards));
                }

                Elementwise.AddScaled(sums, shard.Scale * shard.Weight, values);
            }

            if (!Elementwise.TryDivide(sums, totalWeight, quotients))
            {
                return false;
            }
        }

        return true;
    }

    private static void RequireShard(BaseLayout layout, int slice, Codec codec, int bytes)
    {
        if (bytes != layout.ShardBytes(slice, codec))
        {
            throw new ArgumentException($"Slice {slice} in {codec} takes {layout.ShardBytes(slice, codec)} bytes, not {bytes}.");
        }
    }

    private sealed class Tile(int elements)
    {
        internal double[] Sums { get; } = new double[elements];

        internal float[] Values { get; } = new float[elements];
    }
}

/// <summary>One slice of a base, with its padding: [padded elements] a section.</summary>
public readonly ref struct BaseSlice(Span<float> parameters, Span<float> momentum)
{
    /// <summary>The parameters.</summary>
    public Span<float> Parameters { get; } = parameters;

    /// <summary>The outer momentum.</summary>
    public Span<float> Momentum { get; } = momentum;

    internal void RequireLength(SliceExtent extent)
    {
        if (Parameters.Length != extent.PaddedElements || Momentum.Length != extent.PaddedElements)
        {
            throw new ArgumentException(
                $"Slice {extent.Index} has {extent.PaddedElements} elements a section, not {Parameters.Length} and {Momentum.Length}.");
        }
    }
}
