using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Aggregation;

/// <summary>The measure of a shard that receipts carry: decoded values squared and added in double, in index order, in one accumulator.</summary>
/// <remarks>specs/30-rounds.md, section 13. The order makes equal sums a proof of equal values seen; the chain of additions is the cost of it.</remarks>
public static class SumOfSquares
{
    /// <summary>The sum so far, and then these values.</summary>
    public static double Add(double sum, ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            double wide = value;
            sum += wide * wide;
        }

        return sum;
    }

    /// <summary>Checks a whole shard against its codec and measures it.</summary>
    /// <param name="layout">The plan's layout.</param>
    /// <param name="slice">The slice that the shard is of.</param>
    /// <param name="codec">The manifest's codec.</param>
    /// <param name="shard">The shard; any bytes.</param>
    /// <param name="sum">The sum of squares, finite; 0 for a shard that is refused.</param>
    /// <returns>False for a wrong length, a value that is not finite, or a reserved scale or code.</returns>
    public static bool TryMeasure(BaseLayout layout, int slice, Codec codec, ReadOnlySpan<byte> shard, out double sum)
    {
        sum = 0;
        SliceExtent extent = layout.Slice(slice);
        if (shard.Length != ShardCodec.Bytes(codec, extent.Elements))
        {
            return false;
        }

        float[] values = new float[layout.ChunkElements];
        double running = 0;
        for (int first = 0; first < extent.Elements; first += values.Length)
        {
            Span<float> chunk = values.AsSpan(0, Math.Min(values.Length, extent.Elements - first));
            if (!ShardCodec.TryDecode(codec, ShardChunks.Of(layout, codec, shard, first, chunk.Length), chunk))
            {
                return false;
            }

            running = Add(running, chunk);
        }

        sum = running;
        return true;
    }
}
