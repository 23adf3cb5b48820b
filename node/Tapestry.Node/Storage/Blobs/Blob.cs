using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>A stored blob, open for reading; every chunk is checked against the blob's name as it is read.</summary>
/// <remarks>Chunks may be read from several threads at once. Deleting the blob does not disturb an open one.</remarks>
internal sealed class Blob : IChunkSource
{
    private readonly BlobStore _store;
    private readonly SafeFileHandle _file;
    private readonly BlobTrailer _trailer;
    private readonly bool[] _isChecked;
    private Digest[]? _pageRoots;

    /// <param name="store">Where it lies.</param>
    /// <param name="root">Its name.</param>
    /// <param name="file">Its file; taken over.</param>
    /// <param name="trailer">Its trailer, which belongs to the name.</param>
    /// <param name="isChecked">Which chunks have been checked since they came onto this disk, in this process's life; shared by all who have it open.</param>
    internal Blob(BlobStore store, Digest root, SafeFileHandle file, BlobTrailer trailer, bool[] isChecked)
    {
        _store = store;
        _file = file;
        _trailer = trailer;
        _isChecked = isChecked;
        Shape = new BlobShape(root, trailer.Length, trailer.ChunkBytes);
    }

    /// <inheritdoc/>
    public BlobShape Shape { get; }

    /// <summary>The blob's name.</summary>
    public Digest Root => Shape.Root;

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
                Volatile.Write(ref _isChecked[index], true);
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

    /// <inheritdoc/>
    public bool Has(int index) => true;

    /// <inheritdoc/>
    public ReadOnlySpan<Digest> Hashes(int page) => page == HashPages.Top
        ? _pageRoots ??= HashPages.Roots(LeafHashes)
        : LeafHashes.Slice(page * HashPages.LeavesPerPage, HashPages.Length(page, ChunkCount));

    /// <inheritdoc/>
    public bool IsIntact(int index)
    {
        if (Volatile.Read(ref _isChecked[index]))
        {
            return true;
        }

        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            return TryReadChunk(index, chunk);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    /// <inheritdoc/>
    public bool TryCopyTo(int index, Range part, PipeWriter output)
    {
        (int start, int length) = part.GetOffsetAndLength(ChunkLength(index));
        string why = $"chunk {index} is shorter than what was stored";
        try
        {
            if (ChunkCopy.TryCopy(_file, ((long)index * ChunkBytes) + start, length, output))
            {
                return true;
            }
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
