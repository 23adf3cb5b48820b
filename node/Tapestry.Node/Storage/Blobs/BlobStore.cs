using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Storage.Native;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Blobs as files, each named by the RFC 6962 root over its chunks and kept as long as a round that matters names it.</summary>
/// <remarks>
/// <c>data/</c> holds whole, synced blobs only: a file gets its name there by a rename, after its content and the note of
/// its round are on disk. <c>incoming/</c> holds what is not whole: our own, deleted at every start, and blobs of others, which
/// a later fetch goes on with, under their root and round. What turns out to be damaged goes to <c>damaged/</c> and counts as
/// absent, to be fetched again. For use from any thread.
/// </remarks>
internal sealed class BlobStore : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly Lock _gate = new();
    private readonly string _data;
    private readonly string _incoming;
    private readonly string _damaged;
    private readonly BlobIndex _index;
    private readonly HashSet<Digest> _assembling = [];

    // Which chunks have been hashed since they came onto the disk, in this process's life: when they were written, or at the first reading.
    private readonly ConcurrentDictionary<Digest, bool[]> _checked = new();
    private long _incomingNumber;

    private BlobStore(string folder, int chunkBytes)
    {
        ChunkBytes = chunkBytes;
        _data = Path.Combine(folder, "data");
        _incoming = Path.Combine(folder, "incoming");
        _damaged = Path.Combine(folder, "damaged");
        foreach (string path in (string[])[folder, _data, _incoming, _damaged])
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }

        foreach (string path in Directory.EnumerateFiles(_incoming).Where(path => !IsAssembly(path, out _)))
        {
            File.Delete(path);
        }

        _index = BlobIndex.Open(Path.Combine(folder, "index"));
        AdoptUnknown();
        Posix.SyncFolder(folder);
    }

    /// <summary>Told of every blob that was found damaged and moved aside; may come on any thread.</summary>
    public event Action<BlobDamage>? DamageFound;

    /// <summary>Told of every blob that was committed; may come on any thread.</summary>
    public event Action<Digest>? Committed;

    /// <summary>The chunk size of blobs that are written here, in bytes.</summary>
    public int ChunkBytes { get; }

    /// <summary>Opens the blobs of one member, for the one process that works on them; makes the folder if it is missing.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="chunkBytes">The plan's chunk size: 1 KiB to 1 MiB.</param>
    /// <exception cref="CliException">The folder cannot be used.</exception>
    public static BlobStore Open(string folder, int chunkBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkBytes, BlobTrailer.ChunkBytesMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chunkBytes, BlobTrailer.ChunkBytesMax);
        BlobStore? store = null;
        Guard(folder, () => store = new BlobStore(folder, chunkBytes));
        return store!;
    }

    /// <summary>Whether there is such a blob; whether it is undamaged shows on reading.</summary>
    public bool Contains(Digest root) => File.Exists(PathOf(root));

    /// <summary>Opens a blob for reading.</summary>
    /// <returns>False when there is none, or when it is damaged: then it has been moved aside.</returns>
    /// <exception cref="CliException">The file may not be opened.</exception>
    public bool TryOpen(Digest root, [NotNullWhen(true)] out Blob? blob)
    {
        blob = null;

        // Before the file: it may be moved aside and stored anew meanwhile, and what was found of the new one says nothing of the old.
        bool[]? known = _checked.GetValueOrDefault(root);
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(PathOf(root), options: FileOptions.RandomAccess);
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (Exception error) when (StorageErrors.IsOfDisk(error))
        {
            throw StorageErrors.FromIo(error, PathOf(root));
        }

        string why = "its length or its hashes are not what was stored";
        try
        {
            BlobTrailer? trailer = BlobTrailer.Read(file);
            if (trailer is not null && trailer.Root == root)
            {
                if (known is null)
                {
                    known = new bool[trailer.LeafHashes.Length];
                    _checked.TryAdd(root, known);
                }

                blob = new Blob(this, root, file, trailer, known);
                return true;
            }
        }
        catch (IOException error)
        {
            why = error.Message;
        }

        file.Dispose();
        MoveAside(root, why);
        return false;
    }

    /// <summary>Starts a blob of our own, in chunks of the plan's size.</summary>
    /// <param name="round">The round that names it.</param>
    /// <exception cref="CliException">The disk is full or fails.</exception>
    public BlobWriter Create(long round) => Create(round, ChunkBytes);

    /// <summary>Starts a blob of our own, in chunks of another size: a shard's chunk encodes one of the base's.</summary>
    /// <param name="round">The round that names it.</param>
    /// <param name="chunkBytes">1 KiB to 1 MiB.</param>
    /// <exception cref="CliException">The disk is full or fails.</exception>
    public BlobWriter Create(long round, int chunkBytes)
    {
        string path = Path.Combine(_incoming, Interlocked.Increment(ref _incomingNumber).ToString(CultureInfo.InvariantCulture));
        SafeFileHandle? file = null;
        Guard(path, () => file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite));
        return new BlobWriter(this, round, chunkBytes, path, file!);
    }

    /// <summary>Stores bytes as a blob.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="round">The round that names it.</param>
    /// <returns>Its name.</returns>
    /// <exception cref="CliException">The disk is full or fails; nothing was stored.</exception>
    public Digest Write(ReadOnlySpan<byte> data, long round)
    {
        using BlobWriter writer = Create(round);
        writer.Append(data);
        return writer.Commit();
    }

    /// <summary>Starts a blob of others whose chunks are still to come, or goes on with what an earlier fetch left of it.</summary>
    /// <param name="shape">Its name, as a signed statement gives it, and how the plan's layout cuts it.</param>
    /// <param name="round">The round that names it; what is left of it is deleted when that round is forgotten.</param>
    /// <exception cref="InvalidOperationException">It is being put together already.</exception>
    /// <exception cref="CliException">The disk is full or fails.</exception>
    public BlobAssembly Assemble(BlobShape shape, long round)
    {
        string path = Path.Combine(_incoming, string.Create(CultureInfo.InvariantCulture, $"{shape.Root}.{round}"));
        SafeFileHandle? file = null;
        lock (_gate)
        {
            if (!_assembling.Add(shape.Root))
            {
                throw new InvalidOperationException($"{shape.Root} is being put together already.");
            }
        }

        try
        {
            Guard(path, () =>
            {
                lock (_gate)
                {
                    foreach (string earlier in Directory.EnumerateFiles(_incoming, $"{shape.Root}.*"))
                    {
                        File.Move(earlier, path, overwrite: true);
                    }

                    file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, options: FileOptions.RandomAccess);
                }
            });
            BlobAssembly assembly = new(this, shape, round, path, file!);
            Guard(path, assembly.Resume);
            return assembly;
        }
        catch
        {
            // The next fetch of it tries again.
            file?.Dispose();
            Assembled(shape.Root);
            throw;
        }
    }

    /// <summary>Gives finished blobs their names, durably, with two syncs for all of them beside one for each.</summary>
    /// <exception cref="CliException">The disk is full or fails; what is there already is intact.</exception>
    public void Commit(IReadOnlyList<PendingBlob> blobs)
    {
        foreach (PendingBlob blob in blobs)
        {
            blob.Finish();
        }

        Guard(_data, () =>
        {
            lock (_gate)
            {
                // First the note of the round: a crash after it leaves a note without a blob, never a blob without a note.
                foreach (IGrouping<long, PendingBlob> sameRound in blobs.GroupBy(blob => blob.Round))
                {
                    _index.Add([.. sameRound.Select(blob => blob.Root)], sameRound.Key);
                }

                foreach (PendingBlob blob in blobs)
                {
                    File.Move(blob.Path!, PathOf(blob.Root), overwrite: true);
                    _checked[blob.Root] = [.. Enumerable.Repeat(true, blob.ChunkCount)];
                    blob.MarkCommitted();
                }
            }

            Posix.SyncFolder(_data);
        });
        foreach (PendingBlob blob in blobs)
        {
            Committed?.Invoke(blob.Root);
        }
    }

    /// <summary>Notes durably that a round names a blob, so that it outlives the rounds before.</summary>
    /// <returns>False when there is no such blob.</returns>
    /// <exception cref="CliException">The disk is full or fails.</exception>
    public bool Keep(Digest root, long round) => Keep([root], round);

    /// <summary>Notes durably, with one sync, that a round names some blobs.</summary>
    /// <returns>False when one of them is not there; then nothing was noted.</returns>
    /// <exception cref="CliException">The disk is full or fails.</exception>
    public bool Keep(IReadOnlyList<Digest> roots, long round)
    {
        if (!roots.All(Contains))
        {
            return false;
        }

        Guard(_data, () =>
        {
            lock (_gate)
            {
                _index.Add([.. roots], round);
            }
        });
        return true;
    }

    /// <summary>Deletes the blobs, and what is left of fetches, that only rounds before <paramref name="round"/> name.</summary>
    /// <param name="round">The first round whose blobs stay.</param>
    /// <param name="keep">Blobs that stay all the same, until a later call leaves them out.</param>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="CliException">The disk fails; what is left is deleted by a later call.</exception>
    public int Forget(long round, params ReadOnlySpan<Digest> keep)
    {
        HashSet<Digest> kept = [.. keep];
        int deleted = 0;
        Guard(_data, () =>
        {
            lock (_gate)
            {
                Digest[] roots = [.. _index.LastRound.Where(row => row.Value < round && !kept.Contains(row.Key)).Select(row => row.Key)];
                foreach (Digest root in roots)
                {
                    deleted += Contains(root) ? 1 : 0;
                    File.Delete(PathOf(root));
                    _checked.TryRemove(root, out _);
                }

                foreach (string path in Directory.EnumerateFiles(_incoming))
                {
                    if (IsAssembly(path, out Digest root) && !_assembling.Contains(root) && RoundOf(path) < round)
                    {
                        File.Delete(path);
                    }
                }

                if (roots.Length > 0)
                {
                    // The deletions first: a row without a file is deleted again, a file without a row would stay.
                    Posix.SyncFolder(_data);
                    _index.Remove(roots);
                }
            }
        });
        return deleted;
    }

    /// <summary>Closes the index. Open blobs stay readable.</summary>
    public void Dispose() => _index.Dispose();

    /// <summary>Turns errors of the file system into ours.</summary>
    internal static void Guard(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (StorageErrors.IsOfDisk(error))
        {
            throw StorageErrors.FromIo(error, path);
        }
    }

    /// <summary>A blob of others is not being put together any more, whether it is whole or not.</summary>
    internal void Assembled(Digest root)
    {
        lock (_gate)
        {
            _assembling.Remove(root);
        }
    }

    /// <summary>Takes a damaged blob out of the way, so that it counts as absent and can be looked at.</summary>
    internal void MoveAside(Digest root, string why)
    {
        string target;
        lock (_gate)
        {
            if (!Contains(root))
            {
                return;
            }

            target = Path.Combine(_damaged, root.ToString());
            for (int copy = 2; File.Exists(target); copy++)
            {
                target = Path.Combine(_damaged, string.Create(CultureInfo.InvariantCulture, $"{root}.{copy}"));
            }

            Guard(target, () => File.Move(PathOf(root), target));
            _checked.TryRemove(root, out _);
        }

        DamageFound?.Invoke(new BlobDamage(root, target, why));
    }

    /// <summary>Blobs whose rows were lost are kept as long as the newest round that is known, or for good.</summary>
    private void AdoptUnknown()
    {
        long newest = _index.LastRound.Count == 0 ? long.MaxValue : _index.LastRound.Values.Max();
        foreach (string path in Directory.EnumerateFiles(_data))
        {
            if (Digest.TryParse(Path.GetFileName(path), out Digest root) && !_index.LastRound.ContainsKey(root))
            {
                _index.Raise(root, newest);
            }
        }
    }

    private static bool IsAssembly(string path, out Digest root)
    {
        root = default;
        return RoundOf(path) is not null && Digest.TryParse(Path.GetFileNameWithoutExtension(path), out root);
    }

    private static long? RoundOf(string path) =>
        long.TryParse(Path.GetExtension(path).TrimStart('.'), NumberStyles.None, CultureInfo.InvariantCulture, out long round) ? round : null;

    private string PathOf(Digest root) => Path.Combine(_data, root.ToString());
}

/// <summary>A blob that was found damaged.</summary>
/// <param name="Root">Its name.</param>
/// <param name="MovedTo">Where it lies now.</param>
/// <param name="Why">How it shows, for people.</param>
internal sealed record BlobDamage(Digest Root, string MovedTo, string Why);
