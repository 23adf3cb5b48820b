using Microsoft.Win32.SafeHandles;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Writes a blob of our own from its bytes in order; its name is known at the end.</summary>
internal sealed class BlobWriter : PendingBlob
{
    private readonly byte[] _chunk;
    private readonly List<Digest> _leafHashes = [];
    private int _filled;
    private long _written;

    internal BlobWriter(BlobStore store, long round, int chunkBytes, string path, SafeFileHandle file)
        : base(store, round, path, file) => _chunk = new byte[chunkBytes];

    /// <summary>Deletes what was not committed.</summary>
    public override void Dispose()
    {
        File.Dispose();
        if (Path is not null)
        {
            System.IO.File.Delete(Path);
        }
    }

    /// <summary>Adds bytes at the end.</summary>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_filled == 0 && bytes.Length >= _chunk.Length)
            {
                WriteChunk(bytes[.._chunk.Length]);
                bytes = bytes[_chunk.Length..];
                continue;
            }

            int taken = Math.Min(bytes.Length, _chunk.Length - _filled);
            bytes[..taken].CopyTo(_chunk.AsSpan(_filled));
            _filled += taken;
            bytes = bytes[taken..];
            if (_filled == _chunk.Length)
            {
                WriteChunk(_chunk);
                _filled = 0;
            }
        }
    }

    /// <summary>Makes the blob durable under its name.</summary>
    /// <returns>The name.</returns>
    /// <exception cref="Cli.CliException">The disk is full or fails; nothing was stored.</exception>
    public Digest Commit()
    {
        Store.Commit([this]);
        return Root;
    }

    /// <inheritdoc/>
    protected override BlobTrailer Complete()
    {
        if (_filled > 0)
        {
            WriteChunk(_chunk.AsSpan(0, _filled));
            _filled = 0;
        }

        return new BlobTrailer(_written, _chunk.Length, [.. _leafHashes]);
    }

    private void WriteChunk(ReadOnlySpan<byte> chunk)
    {
        if (_leafHashes.Count == BlobTrailer.ChunksMax)
        {
            throw new InvalidOperationException($"A blob has at most {BlobTrailer.ChunksMax} chunks.");
        }

        Write(chunk, _written);
        _leafHashes.Add(MerkleTree.LeafHash(chunk));
        _written += chunk.Length;
    }
}
