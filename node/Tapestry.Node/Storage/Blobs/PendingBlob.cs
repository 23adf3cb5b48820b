using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>A blob in the making: a file under a temporary name until <see cref="BlobStore.Commit"/> gives it its own.</summary>
/// <remarks>Not for concurrent use, but where a kind says otherwise.</remarks>
internal abstract class PendingBlob : IDisposable
{
    private bool _isFinished;

    protected PendingBlob(BlobStore store, long round, string path, SafeFileHandle file)
    {
        Store = store;
        Round = round;
        Path = path;
        File = file;
    }

    /// <summary>Where it will be kept.</summary>
    protected BlobStore Store { get; }

    /// <summary>The round that names the blob.</summary>
    internal long Round { get; }

    /// <summary>The temporary file; null once it has been committed.</summary>
    internal string? Path { get; private set; }

    /// <summary>The blob's name; known once it is finished.</summary>
    internal Digest Root { get; private set; }

    /// <summary>How many chunks it has; known once it is finished.</summary>
    internal int ChunkCount { get; private set; }

    /// <summary>The file, open for reading and writing.</summary>
    protected SafeFileHandle File { get; }

    /// <summary>Closes what was not committed; whether it is kept is for the kind to say.</summary>
    public abstract void Dispose();

    /// <summary>Writes the trailer and syncs the file. Nothing can be added afterwards.</summary>
    internal void Finish()
    {
        if (_isFinished)
        {
            return;
        }

        BlobTrailer trailer = Complete();
        byte[] bytes = trailer.ToArray();
        Write(bytes, trailer.Length);
        BlobStore.Guard(Path!, () =>
        {
            RandomAccess.SetLength(File, trailer.Length + bytes.Length);
            RandomAccess.FlushToDisk(File);
        });
        Root = trailer.Root;
        ChunkCount = trailer.LeafHashes.Length;
        _isFinished = true;
    }

    /// <summary>The file has its own name now.</summary>
    internal virtual void MarkCommitted() => Path = null;

    /// <summary>What there is, in full.</summary>
    /// <exception cref="InvalidOperationException">Chunks are missing.</exception>
    protected abstract BlobTrailer Complete();

    /// <summary>Writes at a place of the file.</summary>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    protected void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        RequireUnfinished();
        try
        {
            RandomAccess.Write(File, bytes, offset);
        }
        catch (Exception error) when (StorageErrors.IsOfDisk(error))
        {
            throw StorageErrors.FromIo(error, Path!);
        }
    }

    /// <summary>Writes pieces, one after the other, at a place of the file: in one system call, without copying them together.</summary>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    protected void Write(in ReadOnlySequence<byte> bytes, long offset)
    {
        if (bytes.IsSingleSegment)
        {
            Write(bytes.FirstSpan, offset);
            return;
        }

        RequireUnfinished();
        List<ReadOnlyMemory<byte>> pieces = [];
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            pieces.Add(piece);
        }

        BlobStore.Guard(Path!, () => RandomAccess.Write(File, pieces, offset));
    }

    private void RequireUnfinished()
    {
        if (_isFinished)
        {
            throw new InvalidOperationException("The blob is finished.");
        }
    }
}
