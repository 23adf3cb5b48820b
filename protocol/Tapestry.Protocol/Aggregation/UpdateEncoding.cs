using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Aggregation;

/// <summary>A member's update as shards, with error feedback: what the encoding loses is added to the next update.</summary>
/// <remarks>specs/30-rounds.md, section 13. Only this member computes it, so it need not be the same anywhere else.</remarks>
public static class UpdateEncoding
{
    /// <summary>Encodes base - local + residual for one slice.</summary>
    /// <param name="layout">The plan's layout.</param>
    /// <param name="slice">The slice.</param>
    /// <param name="codec">The plan's codec for updates.</param>
    /// <param name="baseParameters">Parameters of the base, [elements].</param>
    /// <param name="localParameters">Parameters after training, [elements].</param>
    /// <param name="residual">What earlier encodings lost, [elements]; or empty, for none.</param>
    /// <param name="shard">Receives the shard; <see cref="BaseLayout.ShardBytes"/> long.</param>
    /// <param name="candidateResidual">Receives what this encoding loses, [elements]; it becomes the residual if the update is included. May be the residual's memory.</param>
    /// <returns>False when the update holds a value that is not finite: training went wrong, and nothing may be sent.</returns>
    public static bool TryEncode(
        BaseLayout layout, int slice, Codec codec, ReadOnlySpan<float> baseParameters, ReadOnlySpan<float> localParameters,
        ReadOnlySpan<float> residual, Span<byte> shard, Span<float> candidateResidual)
    {
        int elements = layout.Slice(slice).Elements;
        bool lengthsFit = baseParameters.Length == elements && localParameters.Length == elements && candidateResidual.Length == elements
            && (residual.IsEmpty || residual.Length == elements) && shard.Length == ShardCodec.Bytes(codec, elements);
        if (!lengthsFit)
        {
            throw new ArgumentException($"Slice {slice} has {elements} elements; a buffer is longer or shorter.");
        }

        float[] update = new float[layout.ChunkElements];
        float[] decoded = new float[layout.ChunkElements];
        for (int first = 0; first < elements; first += update.Length)
        {
            int count = Math.Min(update.Length, elements - first);
            Span<float> wanted = update.AsSpan(0, count);
            Span<float> sent = decoded.AsSpan(0, count);
            Span<byte> chunk = ShardChunks.Of(layout, codec, shard, first, count);
            Elementwise.Difference(
                baseParameters.Slice(first, count), localParameters.Slice(first, count),
                residual.IsEmpty ? residual : residual.Slice(first, count), wanted);
            if (!ShardCodec.TryEncode(codec, wanted, chunk) || !ShardCodec.TryDecode(codec, chunk, sent))
            {
                return false;
            }

            Elementwise.Difference(wanted, sent, [], candidateResidual.Slice(first, count));
        }

        return true;
    }
}
