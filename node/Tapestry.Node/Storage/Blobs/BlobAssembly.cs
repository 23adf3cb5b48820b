using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Puts together a blob of others from chunks that come in any order, from anyone; each is checked as it comes.</summary>
internal sealed class BlobAssembly : PendingBlob
{
    private readonly BlobTrailer _trailer;
    private readonly bool[] _held;

    internal BlobAssembly(BlobStore store, BlobTrailer trailer, long round)
        : base(store, round)
    {
        _trailer = trailer;
        _held = new bool[trailer.LeafHashes.Length];
        MissingCount = _held.Length;
    }

    /// <summary>How many chunks there are in all.</summary>
    public int ChunkCount => _held.Length;

    /// <summary>How many chunks are still missing.</summary>
    public int MissingCount { get; private set; }

    /// <summary>Whether a chunk is there.</summary>
    public bool Has(int index) => _held[index];

    /// <summary>The length of one chunk, in bytes.</summary>
    public int ChunkLength(int index) => _trailer.ChunkLength(index);

    /// <summary>Takes a chunk that a peer sent.</summary>
    /// <returns>False when it is not the chunk of that index: the peer's fault, and nothing was changed.</returns>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    public bool TryAccept(int index, ReadOnlySpan<byte> chunk)
    {
        if (index < 0 || index >= _held.Length
            || chunk.Length != _trailer.ChunkLength(index)
            || MerkleTree.LeafHash(chunk) != _trailer.LeafHashes[index])
        {
            return false;
        }

        if (!_held[index])
        {
            Write(chunk, (long)index * _trailer.ChunkBytes);
            _held[index] = true;
            MissingCount--;
        }

        return true;
    }

    /// <summary>Makes the blob durable under its name, once no chunk is missing.</summary>
    /// <exception cref="InvalidOperationException">Chunks are missing.</exception>
    /// <exception cref="Cli.CliException">The disk is full or fails; nothing was stored.</exception>
    public void Commit() => Store.Commit([this]);

    /// <inheritdoc/>
    protected override BlobTrailer Complete() => MissingCount == 0
        ? _trailer
        : throw new InvalidOperationException($"{MissingCount} of {ChunkCount} chunks are missing.");
}
