using System.Buffers.Binary;
using Tapestry.Cli;
using Tapestry.Node.Storage.RocksDb;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Storage;

/// <summary>The durable records of one member in RocksDB: one column family for each <see cref="Table"/>.</summary>
/// <remarks>
/// Keys are ordered as byte strings, so numbers in them are big-endian. Reads may come from any thread; writes come from
/// the one that runs the rules, but for those about peers and gossip. specs/40-ledger.md, section 6.
/// </remarks>
internal sealed class RecordStore : IRecordReader, IDisposable
{
    private const int OwnFamily = 0;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // In the order of Table, after RocksDB's own family, which holds the version of the format and the ceiling of our gossip only,
    // and before peers' addresses, which are no part of the rules.
    private static readonly string[] Families =
        [RocksDatabase.DefaultFamily, .. Enum.GetValues<Table>().Order().Select(table => table.ToString().ToLowerInvariant()), "peers"];

    private readonly RocksDatabase _database;
    private CliException? _failure;

    private RecordStore(RocksDatabase database) => _database = database;

    private static int PeersFamily => Families.Length - 1;

    private static ReadOnlySpan<byte> FormatKey => "format"u8;

    private static ReadOnlySpan<byte> GossipCeilingKey => "gossip-ceiling"u8;

    private static ReadOnlySpan<byte> FormatVersion => "tapestry/records/1"u8;

    /// <summary>Opens the records for the one process that writes them; makes them if there are none.</summary>
    /// <param name="folder">Made if it is missing, for its owner only.</param>
    /// <exception cref="CliException">See <see cref="StorageErrors"/>; nothing on disk was changed.</exception>
    public static RecordStore Open(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder, OwnerOnly);
        }
        catch (Exception error) when (StorageErrors.IsOfDisk(error))
        {
            throw StorageErrors.FromIo(error, folder);
        }

        RecordStore store = Open(folder, isReadOnly: false);
        try
        {
            RecordLock.WriteOwner(folder);
            return store;
        }
        catch (Exception error) when (StorageErrors.IsOfDisk(error))
        {
            store.Dispose();
            throw StorageErrors.FromIo(error, folder);
        }
    }

    /// <summary>Opens the records to read them, as they were at this moment, whether or not a daemon has them open.</summary>
    /// <exception cref="CliException">See <see cref="StorageErrors"/>.</exception>
    public static RecordStore OpenReadOnly(string folder) => Open(folder, isReadOnly: true);

    /// <inheritdoc/>
    public ByteString? Read(Table table, ReadOnlySpan<byte> key)
    {
        using PinnedValue value = _database.Read(Family(table), key);
        return value.Exists ? ByteString.CopyFrom(value.Span) : null;
    }

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<ByteString, ByteString>> ReadAll(Table table) => ReadFrom(table, ByteString.Empty);

    /// <summary>The rows of a table from a key on, in ascending key order, as they are when the walk starts.</summary>
    public IEnumerable<KeyValuePair<ByteString, ByteString>> ReadFrom(Table table, ByteString firstKey) => ReadFrom(Family(table), firstKey);

    /// <summary>What was stored of peers, by peer id.</summary>
    public IEnumerable<KeyValuePair<ByteString, ByteString>> ReadPeers() => ReadFrom(PeersFamily, ByteString.Empty);

    /// <summary>Stores or, without a value, forgets what is known of a peer, from any thread. A crash may lose it.</summary>
    /// <exception cref="CliException">The disk is nearly full, or it fails.</exception>
    public void WritePeer(ReadOnlySpan<byte> peer, ByteString? value)
    {
        _database.RequireRoom();
        using WriteBatch batch = _database.CreateBatch();
        if (value is null)
        {
            batch.Delete(PeersFamily, peer);
        }
        else
        {
            batch.Put(PeersFamily, peer, value.Span);
        }

        _database.Write(batch, isSynced: false);
    }

    /// <summary>The number up to which our gossip may have been said; 0 when none was kept.</summary>
    /// <exception cref="CliException">The disk fails.</exception>
    public ulong ReadGossipCeiling()
    {
        using PinnedValue value = _database.Read(OwnFamily, GossipCeilingKey);
        return value.Exists && value.Span.Length == sizeof(ulong) ? BinaryPrimitives.ReadUInt64BigEndian(value.Span) : 0;
    }

    /// <summary>Keeps it, from any thread; on disk when this returns.</summary>
    /// <exception cref="CliException">The disk is nearly full, or it fails.</exception>
    public void WriteGossipCeiling(ulong ceiling)
    {
        _database.RequireRoom();
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(value, ceiling);
        using WriteBatch batch = _database.CreateBatch();
        batch.Put(OwnFamily, GossipCeilingKey, value);
        _database.Write(batch);
    }

    /// <summary>The highest key of a table; null for an empty table.</summary>
    public ByteString? LastKey(Table table)
    {
        using RocksIterator rows = _database.Iterate(Family(table));
        return rows.SeekToLast() ? ByteString.CopyFrom(rows.Key) : null;
    }

    /// <summary>Writes the records of one step: all or none, on disk when this returns.</summary>
    /// <exception cref="CliException">The disk is nearly full: nothing was written, and writing goes on once there is room.
    /// Or the disk fails: whether the records are there shows when the store is opened again; until then every further write
    /// is refused, so that nothing is built on a doubtful one.</exception>
    public void Write(Sequence<Record> records)
    {
        if (_failure is not null)
        {
            throw _failure;
        }

        if (records.Count == 0)
        {
            return;
        }

        _database.RequireRoom();
        using WriteBatch batch = _database.CreateBatch();
        foreach (Record record in records)
        {
            if (record.Value is null)
            {
                batch.Delete(Family(record.Table), record.Key.Span);
            }
            else
            {
                batch.Put(Family(record.Table), record.Key.Span, record.Value.Span);
            }
        }

        try
        {
            _database.Write(batch);
        }
        catch (CliException error)
        {
            _failure = error;
            throw;
        }
    }

    /// <summary>Closes the records.</summary>
    public void Dispose() => _database.Dispose();

    private static RecordStore Open(string folder, bool isReadOnly)
    {
        // Readers need no addresses, and can so read what was written before addresses were kept.
        RocksDatabase database = RocksDatabase.Open(folder, isReadOnly ? Families[..PeersFamily] : Families, isReadOnly);
        try
        {
            RequireFormat(database, folder, isReadOnly);
            return new RecordStore(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private static void RequireFormat(RocksDatabase database, string folder, bool isReadOnly)
    {
        using PinnedValue version = database.Read(OwnFamily, FormatKey);
        if (version.Exists && !version.Span.SequenceEqual(FormatVersion))
        {
            throw StorageErrors.Format(folder, "its format is not tapestry/records/1.");
        }

        if (!version.Exists && !isReadOnly)
        {
            using WriteBatch batch = database.CreateBatch();
            batch.Put(OwnFamily, FormatKey, FormatVersion);
            database.Write(batch);
        }
    }

    private IEnumerable<KeyValuePair<ByteString, ByteString>> ReadFrom(int family, ByteString firstKey)
    {
        using RocksIterator rows = _database.Iterate(family);
        for (bool isAtRow = rows.Seek(firstKey.Span); isAtRow; isAtRow = rows.Next())
        {
            yield return new(ByteString.CopyFrom(rows.Key), ByteString.CopyFrom(rows.Value));
        }
    }

    private static int Family(Table table) => 1 + (int)table;
}
