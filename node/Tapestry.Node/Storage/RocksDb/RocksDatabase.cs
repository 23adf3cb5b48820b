using System.Runtime.InteropServices;
using Tapestry.Cli;
using Tapestry.Node.Storage.RocksDb.Native;

namespace Tapestry.Node.Storage.RocksDb;

/// <summary>An open RocksDB database with a fixed list of column families, named by their place in it.</summary>
/// <remarks>
/// Reads and writes may come from any thread. Opened so that a write-ahead log with a torn end, as a power cut leaves it,
/// loses that end only, and one that is damaged further in refuses to open instead of losing acknowledged writes silently.
/// </remarks>
internal sealed unsafe class RocksDatabase : IDisposable
{
    /// <summary>Free space below which nothing is written, in bytes: twice what RocksDB itself may write in one go.</summary>
    /// <remarks>
    /// Debian builds RocksDB with assertions, and some of them abort the process after a write that found no room. So
    /// there must be room before RocksDB is asked to open or to write.
    /// </remarks>
    public const long ReservedBytes = 2L * LogBytesMax;

    /// <summary>The column family that every RocksDB database has.</summary>
    public const string DefaultFamily = "default";

    // rocksdb/c.h: rocksdb_tolerate_corrupted_tail_records_recovery, rocksdb_no_compression; FATAL of InfoLogLevel.
    private const int TolerateCorruptedTail = 0;
    private const int NoCompression = 0;
    private const int FatalOnly = 4;

    // Of all column families together; the log is then written out and starts anew.
    private const int WriteBufferBytes = 16 * 1024 * 1024;
    private const int LogBytesMax = 32 * 1024 * 1024;
    private const int OpenFilesMax = 256;
    private const int TextLogBytesMax = 1024 * 1024;
    private const int TextLogsKept = 3;

    private readonly string _path;
    private readonly OptionsHandle _options;
    private readonly ReadOptionsHandle _readOptions = new();
    private readonly WriteOptionsHandle _syncedWrite = new();
    private readonly WriteOptionsHandle _plainWrite = new();
    private readonly DatabaseHandle _database;
    private readonly FamilyHandle[] _families;

    private RocksDatabase(string path, OptionsHandle options, DatabaseHandle database, FamilyHandle[] families)
    {
        _path = path;
        _options = options;
        _database = database;
        _families = families;
        RocksDbNative.rocksdb_writeoptions_set_sync(_syncedWrite, 1);
    }

    /// <summary>Opens a database.</summary>
    /// <param name="path">Its folder.</param>
    /// <param name="families">All column families that it has, the default one included; the others are made if missing.</param>
    /// <param name="isReadOnly">Whether only to read, beside a process that writes; nothing is made then.</param>
    /// <exception cref="CliException">It cannot be opened: in use, damaged, not permitted, of other families, no library.</exception>
    public static RocksDatabase Open(string path, IReadOnlyList<string> families, bool isReadOnly)
    {
        if (!isReadOnly)
        {
            RequireRoom(path);
        }

        try
        {
            return OpenCore(path, families, isReadOnly);
        }
        catch (DllNotFoundException error)
        {
            throw StorageErrors.LibraryMissing(error);
        }
    }

    /// <summary>Reads a value, without copying it out of RocksDB's memory.</summary>
    /// <returns>The value, or one that is not there. Must be disposed; its span is valid until then.</returns>
    /// <exception cref="CliException">A checksum does not hold, or the disk fails.</exception>
    public PinnedValue Read(int family, ReadOnlySpan<byte> key)
    {
        // Held before the call: another thread may close the database as soon as it returns.
        bool held = false;
        _database.DangerousAddRef(ref held);
        nint slice = 0;
        try
        {
            slice = RocksDbNative.rocksdb_get_pinned_cf(
                _database, _readOptions, _families[family], key, (nuint)key.Length, out nint error);
            ThrowOnError(error);
            return new PinnedValue(slice, _database);
        }
        finally
        {
            if (slice == 0)
            {
                _database.DangerousRelease();
            }
        }
    }

    /// <summary>Writes a batch: all of it or nothing, on disk when this returns.</summary>
    /// <param name="batch">What to write.</param>
    /// <param name="isSynced">Without it, the batch reaches the disk with the next that has it, or soon; a crash may lose it.</param>
    /// <exception cref="CliException">It could not be written, and only opening the database anew tells whether the batch is
    /// there.</exception>
    public void Write(WriteBatch batch, bool isSynced = true)
    {
        RocksDbNative.rocksdb_write(_database, isSynced ? _syncedWrite : _plainWrite, batch.Handle, out nint error);
        ThrowOnError(error);
    }

    /// <summary>Refuses to go on when the disk is nearly full; nothing was written then.</summary>
    /// <exception cref="CliException">Less than <see cref="ReservedBytes"/> are free.</exception>
    public void RequireRoom() => RequireRoom(_path);

    /// <summary>An empty batch for this database.</summary>
    public WriteBatch CreateBatch() => new(_families);

    /// <summary>A walk over a column family in ascending key order, as it is now: later writes do not show.</summary>
    public RocksIterator Iterate(int family) =>
        new(new IteratorHandle(_database, _readOptions, _families[family]), _path);

    /// <summary>Closes the database as soon as no iterator and no pinned value is in use.</summary>
    public void Dispose()
    {
        foreach (FamilyHandle family in _families)
        {
            family.Dispose();
        }

        _database.Dispose();
        _options.Dispose();
        _readOptions.Dispose();
        _syncedWrite.Dispose();
        _plainWrite.Dispose();
    }

    /// <summary>Takes over, frees and throws an error of RocksDB's, if it is one.</summary>
    internal static void ThrowOnError(nint error, string path)
    {
        if (error == 0)
        {
            return;
        }

        string message = Marshal.PtrToStringUTF8(error) ?? string.Empty;
        RocksDbNative.rocksdb_free(error);
        throw StorageErrors.FromRocksDb(message, path);
    }

    private static void RequireRoom(string path)
    {
        long free = new DriveInfo(path).AvailableFreeSpace;
        if (free < ReservedBytes)
        {
            throw StorageErrors.NearlyFull(path, free, ReservedBytes);
        }
    }

    private void ThrowOnError(nint error) => ThrowOnError(error, _path);

    private static RocksDatabase OpenCore(string path, IReadOnlyList<string> families, bool isReadOnly)
    {
        OptionsHandle options = CreateOptions(isReadOnly);
        int count = families.Count;
        nint* names = stackalloc nint[count];
        nint* familyOptions = stackalloc nint[count];
        nint* handles = stackalloc nint[count];
        try
        {
            for (int i = 0; i < count; i++)
            {
                names[i] = Marshal.StringToCoTaskMemUTF8(families[i]);
                familyOptions[i] = options.DangerousGetHandle();
            }

            nint database = isReadOnly
                ? RocksDbNative.rocksdb_open_for_read_only_column_families(options, path, count, names, familyOptions, handles, 0, out nint error)
                : RocksDbNative.rocksdb_open_column_families(options, path, count, names, familyOptions, handles, out error);
            ThrowOnError(error, path);

            DatabaseHandle databaseHandle = new(database, options);
            FamilyHandle[] familyHandles = new FamilyHandle[count];
            for (int i = 0; i < count; i++)
            {
                familyHandles[i] = new FamilyHandle(handles[i], databaseHandle);
            }

            return new RocksDatabase(path, options, databaseHandle, familyHandles);
        }
        catch
        {
            options.Dispose();
            throw;
        }
        finally
        {
            for (int i = 0; i < count; i++)
            {
                Marshal.FreeCoTaskMem(names[i]);
            }
        }
    }

    private static OptionsHandle CreateOptions(bool isReadOnly)
    {
        OptionsHandle options = new();
        byte create = isReadOnly ? (byte)0 : (byte)1;
        RocksDbNative.rocksdb_options_set_create_if_missing(options, create);
        RocksDbNative.rocksdb_options_set_create_missing_column_families(options, create);
        RocksDbNative.rocksdb_options_set_paranoid_checks(options, 1);
        RocksDbNative.rocksdb_options_set_wal_recovery_mode(options, TolerateCorruptedTail);

        // Digests and signatures do not compress.
        RocksDbNative.rocksdb_options_set_compression(options, NoCompression);
        RocksDbNative.rocksdb_options_set_write_buffer_size(options, WriteBufferBytes);
        RocksDbNative.rocksdb_options_set_db_write_buffer_size(options, WriteBufferBytes);
        RocksDbNative.rocksdb_options_set_max_total_wal_size(options, LogBytesMax);
        RocksDbNative.rocksdb_options_set_max_open_files(options, OpenFilesMax);

        // The text log, too, aborts the process at the second line that finds no room; what goes wrong reaches us as a status.
        RocksDbNative.rocksdb_options_set_info_log_level(options, FatalOnly);
        RocksDbNative.rocksdb_options_set_max_log_file_size(options, TextLogBytesMax);
        RocksDbNative.rocksdb_options_set_keep_log_file_num(options, TextLogsKept);
        return options;
    }
}
