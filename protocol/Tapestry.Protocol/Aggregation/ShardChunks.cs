using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Aggregation;

/// <summary>Finds the chunks of a shard or of an encoded aggregate.</summary>
internal static class ShardChunks
{
    /// <summary>The bytes of the chunk that encodes <paramref name="elements"/> elements from <paramref name="firstElement"/>, a chunk's first.</summary>
    internal static ReadOnlySpan<byte> Of(BaseLayout layout, Codec codec, ReadOnlySpan<byte> shard, int firstElement, int elements) =>
        shard.Slice(firstElement / layout.ChunkElements * layout.ShardChunkBytes(codec), ShardCodec.Bytes(codec, elements));

    /// <inheritdoc cref="Of(BaseLayout, Codec, ReadOnlySpan{byte}, int, int)"/>
    internal static Span<byte> Of(BaseLayout layout, Codec codec, Span<byte> shard, int firstElement, int elements) =>
        shard.Slice(firstElement / layout.ChunkElements * layout.ShardChunkBytes(codec), ShardCodec.Bytes(codec, elements));
}
