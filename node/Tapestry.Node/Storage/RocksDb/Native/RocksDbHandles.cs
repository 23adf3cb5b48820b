using System.Runtime.InteropServices;

namespace Tapestry.Node.Storage.RocksDb.Native;

/// <summary>A native RocksDB object that is destroyed once, and only after everything made from it.</summary>
/// <remarks>
/// A child holds a reference on its parent, so the order in which owners dispose does not matter: RocksDB crashes the
/// process when a database is closed under its iterators or column families. A use after disposal is an exception.
/// </remarks>
internal abstract class RocksDbHandle : SafeHandle
{
    private static int _liveCount;

    private readonly RocksDbHandle? _parent;

    /// <summary>Makes a native object, with its parent held before it exists: nobody can close that in between.</summary>
    /// <exception cref="ObjectDisposedException">The parent is closed already.</exception>
    protected RocksDbHandle(RocksDbHandle? parent, Func<nint> create)
        : base(0, ownsHandle: true)
    {
        bool held = false;
        parent?.DangerousAddRef(ref held);
        _parent = parent;
        try
        {
            SetHandle(create());
        }
        catch
        {
            parent?.DangerousRelease();
            throw;
        }

        Interlocked.Increment(ref _liveCount);
    }

    /// <summary>How many native objects exist in the process; zero when everything was disposed.</summary>
    public static int LiveCount => Volatile.Read(ref _liveCount);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected sealed override bool ReleaseHandle()
    {
        Destroy(handle);
        _parent?.DangerousRelease();
        Interlocked.Decrement(ref _liveCount);
        return true;
    }

    /// <summary>Calls the native destructor.</summary>
    protected abstract void Destroy(nint pointer);
}

/// <summary>Options of a database and its column families.</summary>
internal sealed class OptionsHandle() : RocksDbHandle(null, RocksDbNative.rocksdb_options_create)
{
    /// <inheritdoc/>
    protected override void Destroy(nint pointer) => RocksDbNative.rocksdb_options_destroy(pointer);
}

/// <summary>Options of reads.</summary>
internal sealed class ReadOptionsHandle() : RocksDbHandle(null, RocksDbNative.rocksdb_readoptions_create)
{
    /// <inheritdoc/>
    protected override void Destroy(nint pointer) => RocksDbNative.rocksdb_readoptions_destroy(pointer);
}

/// <summary>Options of writes.</summary>
internal sealed class WriteOptionsHandle() : RocksDbHandle(null, RocksDbNative.rocksdb_writeoptions_create)
{
    /// <inheritdoc/>
    protected override void Destroy(nint pointer) => RocksDbNative.rocksdb_writeoptions_destroy(pointer);
}

/// <summary>An open database.</summary>
internal sealed class DatabaseHandle(nint pointer, OptionsHandle options) : RocksDbHandle(options, () => pointer)
{
    /// <inheritdoc/>
    protected override void Destroy(nint pointer) => RocksDbNative.rocksdb_close(pointer);
}

/// <summary>A column family of an open database.</summary>
internal sealed class FamilyHandle(nint pointer, DatabaseHandle database) : RocksDbHandle(database, () => pointer)
{
    /// <inheritdoc/>
    protected override void Destroy(nint pointer) => RocksDbNative.rocksdb_column_family_handle_destroy(pointer);
}

/// <summary>A batch of writes, not bound to a database.</summary>
internal sealed class WriteBatchHandle() : RocksDbHandle(null, RocksDbNative.rocksdb_writebatch_create)
{
    /// <inheritdoc/>
    protected override void Destroy(nint pointer) => RocksDbNative.rocksdb_writebatch_destroy(pointer);
}

/// <summary>A walk over a column family.</summary>
internal sealed class IteratorHandle(DatabaseHandle database, ReadOptionsHandle options, FamilyHandle family)
    : RocksDbHandle(family, () => RocksDbNative.rocksdb_create_iterator_cf(database, options, family))
{
    /// <inheritdoc/>
    protected override void Destroy(nint pointer) => RocksDbNative.rocksdb_iter_destroy(pointer);
}
