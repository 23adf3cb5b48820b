using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Node.Storage.Native;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Which round was the last to name each blob: a file of rows that are appended, and rewritten when it shrinks.</summary>
/// <remarks>A row is the round in 8 bytes, the root, and the first 8 bytes of the SHA-256 of both. Callers lock. The open file keeps a second process away.</remarks>
internal sealed class BlobIndex : IDisposable
{
    private const int CheckedBytes = sizeof(long) + Digest.Length;
    private const int RowBytes = CheckedBytes + 8;

    private readonly string _path;
    private readonly Dictionary<Digest, long> _lastRound = [];
    private FileStream _file;

    private BlobIndex(string path, FileStream file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>The roots that are named by some round.</summary>
    public IReadOnlyDictionary<Digest, long> LastRound => _lastRound;

    /// <summary>Reads an index, or starts one. A torn end and rows that do not check out are left out.</summary>
    public static BlobIndex Open(string path)
    {
        byte[] rows = File.Exists(path) ? File.ReadAllBytes(path) : [];
        BlobIndex index = new(path, OpenFile(path));
        for (int at = 0; at + RowBytes <= rows.Length; at += RowBytes)
        {
            ReadOnlySpan<byte> row = rows.AsSpan(at, RowBytes);
            if (Check(row[..CheckedBytes]).SequenceEqual(row[CheckedBytes..]))
            {
                index.Raise(new Digest(row.Slice(sizeof(long), Digest.Length)), BinaryPrimitives.ReadInt64BigEndian(row));
            }
        }

        // The next row must start where a row starts.
        index._file.SetLength(rows.Length - (rows.Length % RowBytes));
        index._file.Seek(0, SeekOrigin.End);
        return index;
    }

    /// <summary>Notes durably that a round names some blobs.</summary>
    public void Add(ReadOnlySpan<Digest> roots, long round)
    {
        int rowCount = 0;
        byte[] rows = new byte[roots.Length * RowBytes];
        foreach (Digest root in roots)
        {
            if (!_lastRound.TryGetValue(root, out long known) || known < round)
            {
                WriteRow(rows.AsSpan(rowCount * RowBytes, RowBytes), root, round);
                rowCount++;
            }
        }

        if (rowCount == 0)
        {
            return;
        }

        long end = _file.Position;
        try
        {
            _file.Write(rows, 0, rowCount * RowBytes);
            _file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // What was written in part is cut off, so that later rows are found.
            _file.SetLength(end);
            _file.Seek(end, SeekOrigin.Begin);
            throw;
        }

        foreach (Digest root in roots)
        {
            Raise(root, round);
        }
    }

    /// <summary>Notes a blob in memory only, until the file is rewritten.</summary>
    public void Raise(Digest root, long round) =>
        _lastRound[root] = _lastRound.TryGetValue(root, out long known) ? Math.Max(known, round) : round;

    /// <summary>Takes out roots and rewrites the file without their rows and without surpassed ones.</summary>
    public void Remove(IEnumerable<Digest> roots)
    {
        foreach (Digest root in roots)
        {
            _lastRound.Remove(root);
        }

        byte[] rows = new byte[_lastRound.Count * RowBytes];
        int at = 0;
        foreach ((Digest root, long round) in _lastRound)
        {
            WriteRow(rows.AsSpan(at, RowBytes), root, round);
            at += RowBytes;
        }

        string temporary = _path + ".new";
        using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
        {
            file.Write(rows);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, _path, overwrite: true);
        Posix.SyncFolder(Path.GetDirectoryName(_path)!);
        _file.Dispose();
        _file = OpenFile(_path);
        _file.Seek(0, SeekOrigin.End);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private static FileStream OpenFile(string path) => new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

    private static void WriteRow(Span<byte> row, Digest root, long round)
    {
        BinaryPrimitives.WriteInt64BigEndian(row, round);
        root.CopyTo(row[sizeof(long)..]);
        Check(row[..CheckedBytes]).CopyTo(row[CheckedBytes..]);
    }

    private static ReadOnlySpan<byte> Check(ReadOnlySpan<byte> checkedBytes) => Digest.Of(checkedBytes).ToArray().AsSpan(0, 8);
}
