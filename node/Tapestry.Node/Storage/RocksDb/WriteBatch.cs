using Tapestry.Node.Storage.RocksDb.Native;

namespace Tapestry.Node.Storage.RocksDb;

/// <summary>Puts and deletions that are written together; a later one of the same key wins. Not for concurrent use.</summary>
internal sealed class WriteBatch : IDisposable
{
    private readonly FamilyHandle[] _families;

    internal WriteBatch(FamilyHandle[] families) => _families = families;

    internal WriteBatchHandle Handle { get; } = new();

    /// <summary>Sets the value of a key.</summary>
    public void Put(int family, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        RocksDbNative.rocksdb_writebatch_put_cf(Handle, _families[family], key, (nuint)key.Length, value, (nuint)value.Length);

    /// <summary>Deletes a key, if it is there.</summary>
    public void Delete(int family, ReadOnlySpan<byte> key) =>
        RocksDbNative.rocksdb_writebatch_delete_cf(Handle, _families[family], key, (nuint)key.Length);

    /// <summary>Frees the batch.</summary>
    public void Dispose() => Handle.Dispose();
}
