using Microsoft.Win32.SafeHandles;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>A stored blob, open for reading; every chunk is checked against the blob's name as it is read.</summary>
/// <remarks>Chunks may be read from several threads at once. Deleting the blob does not disturb an open one.</remarks>
internal sealed class Blob : IDisposable
{
    private readonly BlobStore _store;
    private readonly SafeFileHandle _file;
    private readonly BlobTrailer _trailer;

    internal Blob(BlobStore store, Digest root, SafeFileHandle file, BlobTrailer trailer)
    {
        _store = store;
        Root = root;
        _file = file;
        _trailer = trailer;
    }

    /// <summary>The blob's name.</summary>
    public Digest Root { get; }

    /// <summary>Its length, in bytes.</summary>
    public long Length => _trailer.Length;

    /// <summary>The size of every chunk but the last, in bytes.</summary>
    public int ChunkBytes => _trailer.ChunkBytes;

    /// <summary>How many chunks it has.</summary>
    public int ChunkCount => _trailer.LeafHashes.Length;

    /// <summary>The leaf hash of every chunk; their RFC 6962 root is the blob's name.</summary>
    public ReadOnlySpan<Digest> LeafHashes => _trailer.LeafHashes;

    /// <summary>The length of one chunk, in bytes.</summary>
    public int ChunkLength(int index) => _trailer.ChunkLength(index);

    /// <summary>Reads and checks one chunk.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="destination">At least <see cref="ChunkLength"/> bytes; holds nothing of use when the result is false.</param>
    /// <returns>False when the chunk is not what was stored; the blob has then been moved aside.</returns>
    public bool TryReadChunk(int index, Span<byte> destination)
    {
        Span<byte> chunk = destination[..ChunkLength(index)];
        string why;
        try
        {
            if (BlobTrailer.TryReadExactly(_file, chunk, (long)index * ChunkBytes)
                && MerkleTree.LeafHash(chunk) == _trailer.LeafHashes[index])
            {
                return true;
            }

            why = $"chunk {index} is not what was stored";
        }
        catch (IOException error)
        {
            why = $"chunk {index} cannot be read: {error.Message}";
        }

        _store.MoveAside(Root, why);
        return false;
    }

    /// <summary>Reads and checks the whole blob.</summary>
    /// <param name="destination">Exactly <see cref="Length"/> bytes.</param>
    /// <returns>False when it is not what was stored; it has then been moved aside.</returns>
    public bool TryReadAll(Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Length);
        for (int index = 0; index < ChunkCount; index++)
        {
            if (!TryReadChunk(index, destination[(index * ChunkBytes)..]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();
}
