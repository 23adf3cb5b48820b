using Microsoft.Win32.SafeHandles;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>A blob in the making: a file under a temporary name until <see cref="BlobStore.Commit"/> gives it its own.</summary>
/// <remarks>Disposing one that was not committed deletes it. Not for concurrent use.</remarks>
internal abstract class PendingBlob : IDisposable
{
    private readonly SafeFileHandle _file;
    private bool _isFinished;

    protected PendingBlob(BlobStore store, long round)
    {
        Store = store;
        Round = round;
        (Path, _file) = store.CreateIncoming();
    }

    /// <summary>Where it will be kept.</summary>
    protected BlobStore Store { get; }

    /// <summary>The round that names the blob.</summary>
    internal long Round { get; }

    /// <summary>The temporary file; null once it has been committed.</summary>
    internal string? Path { get; private set; }

    /// <summary>The blob's name; known once it is finished.</summary>
    internal Digest Root { get; private set; }

    /// <summary>Gives up what was not committed.</summary>
    public void Dispose()
    {
        _file.Dispose();
        if (Path is not null)
        {
            File.Delete(Path);
            Path = null;
        }
    }

    /// <summary>Writes the trailer and syncs the file. Nothing can be added afterwards.</summary>
    internal void Finish()
    {
        if (_isFinished)
        {
            return;
        }

        BlobTrailer trailer = Complete();
        Write(trailer.ToArray(), trailer.Length);
        BlobStore.Guard(Path!, () => RandomAccess.FlushToDisk(_file));
        Root = trailer.Root;
        _isFinished = true;
    }

    /// <summary>The file has its own name now.</summary>
    internal void MarkCommitted() => Path = null;

    /// <summary>What there is, in full.</summary>
    /// <exception cref="InvalidOperationException">Chunks are missing.</exception>
    protected abstract BlobTrailer Complete();

    /// <summary>Writes at a place of the file.</summary>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    protected void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (_isFinished)
        {
            throw new InvalidOperationException("The blob is finished.");
        }

        try
        {
            RandomAccess.Write(_file, bytes, offset);
        }
        catch (Exception error) when (StorageErrors.IsOfDisk(error))
        {
            throw StorageErrors.FromIo(error, Path!);
        }
    }
}
