using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Node.Network;
using Tapestry.Protocol;

namespace Tapestry.Node.Storage;

/// <summary>Members' signed peer records in RocksDB, so that after a restart the others are found without the peer list.</summary>
/// <remarks>
/// specs/40-ledger.md, section 6: from the peer id's bytes to the time it was last heard of (milliseconds of Unix time, 8 bytes
/// big-endian) and the signed envelope. Addresses are a convenience: a disk that refuses them is logged and otherwise ignored here.
/// </remarks>
/// <param name="records">The database.</param>
/// <param name="logger">Where a refusing disk is logged.</param>
internal sealed class PeerRecordTable(RecordStore records, ILogger logger) : IPeerRecordStore
{
    /// <summary>Whether a record of anyone but <paramref name="self"/> is stored.</summary>
    public static bool HasOthers(RecordStore records, PeerId self) =>
        records.ReadPeers().Any(row => !row.Key.Span.SequenceEqual(self.Bytes));

    /// <inheritdoc/>
    public IEnumerable<StoredPeerRecord> Load()
    {
        foreach (KeyValuePair<ByteString, ByteString> row in records.ReadPeers())
        {
            if (row.Value.Length > sizeof(long))
            {
                long milliseconds = BinaryPrimitives.ReadInt64BigEndian(row.Value.Span);
                yield return new StoredPeerRecord(row.Value.Memory[sizeof(long)..], TimeOf(milliseconds));
            }
        }
    }

    /// <inheritdoc/>
    public void Save(PeerId peer, StoredPeerRecord record)
    {
        byte[] value = new byte[sizeof(long) + record.Envelope.Length];
        BinaryPrimitives.WriteInt64BigEndian(value, record.SeenAt.ToUnixTimeMilliseconds());
        record.Envelope.Span.CopyTo(value.AsSpan(sizeof(long)));
        Write(peer, ByteString.Own(value));
    }

    /// <inheritdoc/>
    public void Remove(PeerId peer) => Write(peer, null);

    private static DateTimeOffset TimeOf(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(
        Math.Clamp(milliseconds, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));

    private void Write(PeerId peer, ByteString? value)
    {
        try
        {
            records.WritePeer(peer.Bytes, value);
        }
        catch (CliException error)
        {
            NetworkLog.RecordNotKept(logger, peer.ToString(), error.Message);
        }
    }
}
