using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>A blob's name and how it is cut: what a fetcher knows before it asks anybody, as the plan's layout gives it.</summary>
/// <param name="Root">The RFC 6962 root over the chunks.</param>
/// <param name="Length">Bytes in all.</param>
/// <param name="ChunkBytes">Bytes of every chunk but the last.</param>
internal sealed record BlobShape(Digest Root, long Length, int ChunkBytes)
{
    /// <summary>How many chunks there are; -1 when there is no such blob.</summary>
    public int ChunkCount { get; } = BlobTrailer.ChunkCount(Length, ChunkBytes);

    /// <summary>How many pages the hashes of all chunks fill.</summary>
    public int PageCount => HashPages.Count(ChunkCount);

    /// <summary>Bytes of one chunk.</summary>
    public int ChunkLength(int index) => (int)Math.Min(ChunkBytes, Length - ((long)index * ChunkBytes));
}
