using Tapestry.Node.Storage.RocksDb.Native;

namespace Tapestry.Node.Storage.RocksDb;

/// <summary>A value in RocksDB's own memory, held there until it is disposed.</summary>
internal ref struct PinnedValue
{
    private readonly DatabaseHandle _database;
    private nint _slice;

    /// <summary>Takes over a slice, together with the reference on the database that was taken for it; neither for 0.</summary>
    internal PinnedValue(nint slice, DatabaseHandle database)
    {
        _slice = slice;
        _database = database;
    }

    /// <summary>Whether there is a value; an empty one is one.</summary>
    public readonly bool Exists => _slice != 0;

    /// <summary>The value; valid until it is disposed.</summary>
    public readonly unsafe ReadOnlySpan<byte> Span
    {
        get
        {
            if (_slice == 0)
            {
                return [];
            }

            byte* start = RocksDbNative.rocksdb_pinnableslice_value(_slice, out nuint length);
            return new ReadOnlySpan<byte>(start, checked((int)length));
        }
    }

    /// <summary>Lets go of the memory.</summary>
    public void Dispose()
    {
        if (_slice == 0)
        {
            return;
        }

        RocksDbNative.rocksdb_pinnableslice_destroy(_slice);
        _slice = 0;
        _database.DangerousRelease();
    }
}
