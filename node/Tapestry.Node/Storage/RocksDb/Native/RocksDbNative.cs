using System.Reflection;
using System.Runtime.InteropServices;

namespace Tapestry.Node.Storage.RocksDb.Native;

/// <summary>The part of RocksDB's C interface that is used here. Names are those of <c>rocksdb/c.h</c>, version 7.8.</summary>
/// <remarks>
/// Every <c>error</c> is null or a C string that <see cref="rocksdb_free"/> must free. C's unsigned char is a byte, size_t
/// a nuint. Objects are handles; raw pointers are returned only where a handle is made of them at once.
/// </remarks>
internal static unsafe partial class RocksDbNative
{
    private const string Library = "rocksdb";

    // Debian 12's own, then any of the same major version, then whatever the development package names.
    private static readonly string[] Candidates = ["librocksdb.so.7.8", "librocksdb.so.7", "librocksdb.so"];

    static RocksDbNative() => NativeLibrary.SetDllImportResolver(typeof(RocksDbNative).Assembly, Resolve);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_options_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_destroy(nint options);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_create_if_missing(OptionsHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_create_missing_column_families(OptionsHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_paranoid_checks(OptionsHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_wal_recovery_mode(OptionsHandle options, int mode);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_compression(OptionsHandle options, int kind);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_write_buffer_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_db_write_buffer_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_max_total_wal_size(OptionsHandle options, ulong bytes);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_max_open_files(OptionsHandle options, int count);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_info_log_level(OptionsHandle options, int level);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_max_log_file_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_keep_log_file_num(OptionsHandle options, nuint count);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_readoptions_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_readoptions_destroy(nint options);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_writeoptions_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_writeoptions_destroy(nint options);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writeoptions_set_sync(WriteOptionsHandle options, byte value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint rocksdb_open_column_families(
        OptionsHandle options, string path, int count, nint* names, nint* familyOptions, nint* families, out nint error);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint rocksdb_open_for_read_only_column_families(
        OptionsHandle options, string path, int count, nint* names, nint* familyOptions, nint* families, byte errorIfLogExists, out nint error);

    [LibraryImport(Library)]
    internal static partial void rocksdb_close(nint database);

    [LibraryImport(Library)]
    internal static partial void rocksdb_column_family_handle_destroy(nint family);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_get_pinned_cf(
        DatabaseHandle database, ReadOptionsHandle options, FamilyHandle family, ReadOnlySpan<byte> key, nuint keyLength, out nint error);

    [LibraryImport(Library)]
    internal static partial byte* rocksdb_pinnableslice_value(nint slice, out nuint length);

    [LibraryImport(Library)]
    internal static partial void rocksdb_pinnableslice_destroy(nint slice);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_writebatch_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_destroy(nint batch);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_put_cf(
        WriteBatchHandle batch, FamilyHandle family, ReadOnlySpan<byte> key, nuint keyLength, ReadOnlySpan<byte> value, nuint valueLength);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_delete_cf(
        WriteBatchHandle batch, FamilyHandle family, ReadOnlySpan<byte> key, nuint keyLength);

    [LibraryImport(Library)]
    internal static partial void rocksdb_write(DatabaseHandle database, WriteOptionsHandle options, WriteBatchHandle batch, out nint error);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_create_iterator_cf(DatabaseHandle database, ReadOptionsHandle options, FamilyHandle family);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_destroy(nint iterator);

    [LibraryImport(Library)]
    internal static partial byte rocksdb_iter_valid(IteratorHandle iterator);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_seek(IteratorHandle iterator, ReadOnlySpan<byte> key, nuint keyLength);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_seek_to_last(IteratorHandle iterator);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_next(IteratorHandle iterator);

    [LibraryImport(Library)]
    internal static partial byte* rocksdb_iter_key(IteratorHandle iterator, out nuint length);

    [LibraryImport(Library)]
    internal static partial byte* rocksdb_iter_value(IteratorHandle iterator, out nuint length);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_get_error(IteratorHandle iterator, out nint error);

    [LibraryImport(Library)]
    internal static partial void rocksdb_free(nint pointer);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
        {
            return 0;
        }

        foreach (string candidate in Candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out nint library))
            {
                return library;
            }
        }

        return 0;
    }
}
