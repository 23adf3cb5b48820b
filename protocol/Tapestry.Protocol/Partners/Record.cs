namespace Tapestry.Protocol.Partners;

/// <summary>Where a durable record lives. The node maps each to a RocksDB column family, the simulator to a dictionary.</summary>
public enum Table : byte
{
    /// <summary>One row: where this member stands (round, base, residual, ledger frontier, last certified set).</summary>
    Head = 0,

    /// <summary>The signature guard: slot to the exact signed bytes.</summary>
    Slots = 1,

    /// <summary>Certificates, by instance, kind and view.</summary>
    Certificates = 2,

    /// <summary>Counted receipts and the time at which each manifest first was fully receipted.</summary>
    Receipts = 3,

    /// <summary>Bodies by digest: manifests' signed bytes and decided values. Served to peers.</summary>
    Bodies = 4,

    /// <summary>Round number, big-endian, to the round's decided values and their certificates. Served to peers.</summary>
    Rounds = 5,

    /// <summary>Leaf index, big-endian, to the leaf.</summary>
    Entries = 6,

    /// <summary>Stored-hash index, big-endian, to a tree node's hash.</summary>
    Hashes = 7,

    /// <summary>Member id to its row of the member state.</summary>
    Members = 8,

    /// <summary>Evidence against members, by digest.</summary>
    Evidence = 9,

    /// <summary>This member's own update of the current round, to be signed again after VOID or restart.</summary>
    Update = 10,
}

/// <summary>One durable write: an upsert, or a deletion where the value is null.</summary>
/// <remarks>All records of one step are written in one synced batch before any of its effects is performed.</remarks>
public sealed record Record(Table Table, ByteString Key, ByteString? Value);

/// <summary>Read access to the durable records; the store behind <see cref="Record"/>.</summary>
public interface IRecordReader
{
    /// <summary>The value under a key, or null.</summary>
    ByteString? Read(Table table, ReadOnlySpan<byte> key);

    /// <summary>All rows of a table in ascending key order.</summary>
    IEnumerable<KeyValuePair<ByteString, ByteString>> ReadAll(Table table);
}
