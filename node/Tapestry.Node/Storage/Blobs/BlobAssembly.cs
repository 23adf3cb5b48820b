using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Puts together a blob of others from chunks that come in any order, from anyone; each is checked before it is stored.</summary>
/// <remarks>
/// The file is laid out as it will be in the end (<see cref="BlobTrailer"/>), with holes, and the roots of the pages of hashes
/// behind the hashes. A restart reads them back and checks every chunk against them, so nothing needs to be synced on the way,
/// and what was stored is not fetched again. For use from any thread.
/// </remarks>
internal sealed class BlobAssembly : PendingBlob, IChunkSource
{
    private readonly Lock _gate = new();
    private readonly Digest[] _hashes;
    private readonly Digest[] _pageRoots;
    private readonly bool[] _pageHeld;
    private readonly bool[] _held;
    private int _missingCount;
    private bool _isTopHeld;
    private bool _isEnded;

    internal BlobAssembly(BlobStore store, BlobShape shape, long round, string path, SafeFileHandle file)
        : base(store, round, path, file)
    {
        Shape = shape;
        _hashes = new Digest[shape.ChunkCount];
        _held = new bool[shape.ChunkCount];
        _pageRoots = new Digest[shape.PageCount];
        _pageHeld = new bool[shape.PageCount];
        _missingCount = shape.ChunkCount;
        if (shape.PageCount == 1)
        {
            // The one page is the whole tree.
            _pageRoots[0] = shape.Root;
            _isTopHeld = true;
        }
    }

    /// <inheritdoc/>
    public BlobShape Shape { get; }

    /// <summary>How many chunks are still missing.</summary>
    public int MissingCount => Volatile.Read(ref _missingCount);

    /// <inheritdoc/>
    public bool Has(int index) => Volatile.Read(ref _held[index]);

    /// <summary>Whether a page of hashes is there, or for <see cref="HashPages.Top"/> the list of page roots.</summary>
    public bool HasPage(int page) => page == HashPages.Top ? Volatile.Read(ref _isTopHeld) : Volatile.Read(ref _pageHeld[page]);

    /// <inheritdoc/>
    public ReadOnlySpan<Digest> Hashes(int page) => !HasPage(page) ? []
        : page == HashPages.Top ? _pageRoots
        : _hashes.AsSpan(page * HashPages.LeavesPerPage, HashPages.Length(page, Shape.ChunkCount));

    /// <summary>Takes hashes that a peer sent.</summary>
    /// <param name="page">Which page, or <see cref="HashPages.Top"/>.</param>
    /// <param name="hashes">The hashes.</param>
    /// <returns>False when they do not belong to the blob's name, or the list of page roots is missing: the peer's fault.</returns>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    public bool TryAcceptHashes(int page, ReadOnlySpan<Digest> hashes)
    {
        if (!IsPage(page, hashes))
        {
            return false;
        }

        if (page == HashPages.Top)
        {
            hashes.CopyTo(_pageRoots);
            WriteHashes(hashes, TopOffset);
            Volatile.Write(ref _isTopHeld, true);
        }
        else
        {
            hashes.CopyTo(_hashes.AsSpan(page * HashPages.LeavesPerPage));
            WriteHashes(hashes, Shape.Length + ((long)page * HashPages.LeavesPerPage * Digest.Length));
            Volatile.Write(ref _pageHeld[page], true);
        }

        return true;
    }

    /// <summary>Takes a chunk that a peer sent; its page of hashes must be there.</summary>
    /// <returns>False when it is not the chunk of that index: the peer's fault, and nothing was changed.</returns>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    public bool TryAccept(int index, in ReadOnlySequence<byte> chunk)
    {
        if (index < 0 || index >= _held.Length || chunk.Length != Shape.ChunkLength(index)
            || !HasPage(HashPages.Of(index)) || MerkleTree.LeafHash(chunk) != _hashes[index])
        {
            return false;
        }

        if (!Has(index))
        {
            Write(chunk, (long)index * Shape.ChunkBytes);
            Mark(index);
        }

        return true;
    }

    /// <inheritdoc/>
    public bool IsIntact(int index) => Has(index);

    /// <inheritdoc/>
    public bool TryCopyTo(int index, Range part, PipeWriter output)
    {
        (int start, int length) = part.GetOffsetAndLength(Shape.ChunkLength(index));
        try
        {
            return ChunkCopy.TryCopy(File, ((long)index * Shape.ChunkBytes) + start, length, output);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Makes the blob durable under its name, once no chunk is missing. It can still be read from here.</summary>
    /// <exception cref="InvalidOperationException">Chunks are missing.</exception>
    /// <exception cref="Cli.CliException">The disk is full or fails; nothing was stored.</exception>
    public void Commit() => Store.Commit([this]);

    /// <summary>Takes no more: a later fetch may go on with what is there, while those who read from here still do.</summary>
    public void End()
    {
        if (!_isEnded)
        {
            _isEnded = true;
            Store.Assembled(Shape.Root);
        }
    }

    /// <summary>Ends it and closes the file. What is there is kept for a later fetch.</summary>
    public override void Dispose()
    {
        End();
        File.Dispose();
    }

    /// <summary>Takes up what an earlier fetch left, as far as it proves to belong to the name.</summary>
    internal void Resume()
    {
        if (RandomAccess.GetLength(File) == 0)
        {
            return;
        }

        if (!_isTopHeld && ReadHashes(_pageRoots.Length, TopOffset) is Digest[] roots && IsPage(HashPages.Top, roots))
        {
            roots.CopyTo(_pageRoots.AsSpan());
            _isTopHeld = true;
        }

        for (int page = 0; _isTopHeld && page < _pageRoots.Length; page++)
        {
            int first = page * HashPages.LeavesPerPage;
            int count = HashPages.Length(page, _hashes.Length);
            if (ReadHashes(count, Shape.Length + ((long)first * Digest.Length)) is Digest[] hashes && IsPage(page, hashes))
            {
                hashes.CopyTo(_hashes.AsSpan(first));
                _pageHeld[page] = true;
                ResumeChunks(first, count);
            }
        }
    }

    /// <inheritdoc/>
    protected override BlobTrailer Complete() => MissingCount == 0
        ? new BlobTrailer(Shape.Length, Shape.ChunkBytes, _hashes)
        : throw new InvalidOperationException($"{MissingCount} of {Shape.ChunkCount} chunks are missing.");

    private long TopOffset => Shape.Length + ((long)_hashes.Length * Digest.Length);

    private bool IsPage(int page, ReadOnlySpan<Digest> hashes) => page == HashPages.Top
        ? hashes.Length == _pageRoots.Length && MerkleTree.Root(hashes) == Shape.Root
        : page >= 0 && page < _pageRoots.Length && HasPage(HashPages.Top)
            && hashes.Length == HashPages.Length(page, _hashes.Length) && MerkleTree.Root(hashes) == _pageRoots[page];

    private void ResumeChunks(int first, int count)
    {
        byte[] chunk = new byte[Shape.ChunkBytes];
        for (int index = first; index < first + count; index++)
        {
            Span<byte> bytes = chunk.AsSpan(0, Shape.ChunkLength(index));
            if (BlobTrailer.TryReadExactly(File, bytes, (long)index * Shape.ChunkBytes) && MerkleTree.LeafHash(bytes) == _hashes[index])
            {
                Mark(index);
            }
        }
    }

    private void Mark(int index)
    {
        lock (_gate)
        {
            // Two peers may have sent the same chunk at the same time.
            if (!_held[index])
            {
                Volatile.Write(ref _held[index], true);
                Volatile.Write(ref _missingCount, _missingCount - 1);
            }
        }
    }

    private Digest[]? ReadHashes(int count, long offset)
    {
        byte[] bytes = new byte[count * Digest.Length];
        return BlobTrailer.TryReadExactly(File, bytes, offset) ? DigestList.Read(bytes) : null;
    }

    private void WriteHashes(ReadOnlySpan<Digest> hashes, long offset) => Write(DigestList.ToArray(hashes), offset);
}
