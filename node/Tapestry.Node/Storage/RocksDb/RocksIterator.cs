using Tapestry.Node.Storage.RocksDb.Native;

namespace Tapestry.Node.Storage.RocksDb;

/// <summary>A walk over a column family in ascending key order. Not for concurrent use.</summary>
internal sealed unsafe class RocksIterator : IDisposable
{
    private readonly IteratorHandle _handle;
    private readonly string _path;

    internal RocksIterator(IteratorHandle handle, string path)
    {
        _handle = handle;
        _path = path;
    }

    /// <summary>The key at hand; valid until the iterator moves or is disposed.</summary>
    public ReadOnlySpan<byte> Key
    {
        get
        {
            byte* start = RocksDbNative.rocksdb_iter_key(_handle, out nuint length);
            return new ReadOnlySpan<byte>(start, checked((int)length));
        }
    }

    /// <summary>The value at hand; valid until the iterator moves or is disposed.</summary>
    public ReadOnlySpan<byte> Value
    {
        get
        {
            byte* start = RocksDbNative.rocksdb_iter_value(_handle, out nuint length);
            return new ReadOnlySpan<byte>(start, checked((int)length));
        }
    }

    /// <summary>Goes to the first key that is not below <paramref name="key"/>.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="Cli.CliException">A checksum does not hold, or the disk fails.</exception>
    public bool Seek(ReadOnlySpan<byte> key)
    {
        RocksDbNative.rocksdb_iter_seek(_handle, key, (nuint)key.Length);
        return IsAtRow();
    }

    /// <summary>Goes to the last key.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="Cli.CliException">A checksum does not hold, or the disk fails.</exception>
    public bool SeekToLast()
    {
        RocksDbNative.rocksdb_iter_seek_to_last(_handle);
        return IsAtRow();
    }

    /// <summary>Goes to the next key.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="Cli.CliException">A checksum does not hold, or the disk fails.</exception>
    public bool Next()
    {
        RocksDbNative.rocksdb_iter_next(_handle);
        return IsAtRow();
    }

    /// <summary>Frees the iterator.</summary>
    public void Dispose() => _handle.Dispose();

    private bool IsAtRow()
    {
        if (RocksDbNative.rocksdb_iter_valid(_handle) != 0)
        {
            return true;
        }

        // The end and a failed read look alike until the error is asked for.
        RocksDbNative.rocksdb_iter_get_error(_handle, out nint error);
        RocksDatabase.ThrowOnError(error, _path);
        return false;
    }
}
