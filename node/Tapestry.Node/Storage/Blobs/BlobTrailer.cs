using System.Buffers.Binary;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>What follows the bytes of a blob in its file: the leaf hash of every chunk, the length and the chunk size.</summary>
/// <remarks>
/// Layout, after the blob's own bytes: 32 bytes a chunk; "tapblob1"; the blob's length in 8 bytes and the chunk size in 4,
/// big-endian. So a chunk can be served and checked without reading the others, and one sync makes both durable.
/// </remarks>
/// <param name="Length">The blob's length, in bytes.</param>
/// <param name="ChunkBytes">The size of every chunk but the last.</param>
/// <param name="LeafHashes">RFC 6962 leaf hashes of the chunks.</param>
internal sealed record BlobTrailer(long Length, int ChunkBytes, Digest[] LeafHashes)
{
    /// <summary>The smallest chunk, in bytes.</summary>
    public const int ChunkBytesMin = 1024;

    /// <summary>The largest chunk, in bytes: a plan's largest.</summary>
    public const int ChunkBytesMax = 1024 * 1024;

    /// <summary>The most chunks of a blob: 64 GiB at the smallest chunk of a plan, and 32 MiB of hashes.</summary>
    public const int ChunksMax = 1 << 20;

    /// <summary>Bytes after the hashes.</summary>
    public const int FooterBytes = 20;

    private static ReadOnlySpan<byte> Magic => "tapblob1"u8;

    /// <summary>The RFC 6962 root over the chunks: the blob's name.</summary>
    public Digest Root => MerkleTree.Root(LeafHashes);

    /// <summary>How many chunks a blob of so many bytes has; -1 when there is no such blob.</summary>
    public static int ChunkCount(long length, int chunkBytes)
    {
        if (length < 0 || chunkBytes is < ChunkBytesMin or > ChunkBytesMax || length > (long)ChunksMax * chunkBytes)
        {
            return -1;
        }

        return (int)((length + chunkBytes - 1) / chunkBytes);
    }

    /// <summary>The bytes of one chunk.</summary>
    public int ChunkLength(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, LeafHashes.Length);
        return (int)Math.Min(ChunkBytes, Length - ((long)index * ChunkBytes));
    }

    /// <summary>The trailer as bytes.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[(LeafHashes.Length * Digest.Length) + FooterBytes];
        for (int i = 0; i < LeafHashes.Length; i++)
        {
            LeafHashes[i].CopyTo(bytes.AsSpan(i * Digest.Length));
        }

        Span<byte> footer = bytes.AsSpan(LeafHashes.Length * Digest.Length);
        Magic.CopyTo(footer);
        BinaryPrimitives.WriteInt64BigEndian(footer[8..], Length);
        BinaryPrimitives.WriteInt32BigEndian(footer[16..], ChunkBytes);
        return bytes;
    }

    /// <summary>Reads the trailer of an open file.</summary>
    /// <returns>Null when the file does not end in a trailer that belongs to its length.</returns>
    public static BlobTrailer? Read(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        long fileBytes = RandomAccess.GetLength(file);
        Span<byte> footer = stackalloc byte[FooterBytes];
        if (fileBytes < FooterBytes || !TryReadExactly(file, footer, fileBytes - FooterBytes) || !footer.StartsWith(Magic))
        {
            return null;
        }

        long length = BinaryPrimitives.ReadInt64BigEndian(footer[8..]);
        int chunkBytes = BinaryPrimitives.ReadInt32BigEndian(footer[16..]);
        int count = ChunkCount(length, chunkBytes);
        if (count < 0 || fileBytes != length + ((long)count * Digest.Length) + FooterBytes)
        {
            return null;
        }

        byte[] hashes = new byte[count * Digest.Length];
        if (!TryReadExactly(file, hashes, length))
        {
            return null;
        }

        Digest[] leafHashes = new Digest[count];
        for (int i = 0; i < count; i++)
        {
            leafHashes[i] = new Digest(hashes.AsSpan(i * Digest.Length, Digest.Length));
        }

        return new BlobTrailer(length, chunkBytes, leafHashes);
    }

    /// <summary>Fills a span from a place in a file.</summary>
    /// <returns>False when the file ends before.</returns>
    public static bool TryReadExactly(Microsoft.Win32.SafeHandles.SafeFileHandle file, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
            {
                return false;
            }

            destination = destination[read..];
            offset += read;
        }

        return true;
    }
}
