using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim;

/// <summary>A member's record store: a batch that was not synced when the power went was never written.</summary>
public sealed class Disk : IRecordReader
{
    private readonly SortedDictionary<ByteString, ByteString>[] _tables =
        [.. Enum.GetValues<Table>().Select(_ => new SortedDictionary<ByteString, ByteString>(ByteOrder.Instance))];

    /// <inheritdoc/>
    public ByteString? Read(Table table, ReadOnlySpan<byte> key) => Read(table, ByteString.CopyFrom(key));

    /// <summary>The value under a key, or null.</summary>
    public ByteString? Read(Table table, ByteString key) => _tables[(int)table].GetValueOrDefault(key);

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<ByteString, ByteString>> ReadAll(Table table) => _tables[(int)table];

    /// <summary>Makes a batch durable, all of it.</summary>
    public void Sync(Sequence<Record> batch)
    {
        foreach (Record record in batch)
        {
            if (record.Value is ByteString value)
            {
                _tables[(int)record.Table][record.Key] = value;
            }
            else
            {
                _tables[(int)record.Table].Remove(record.Key);
            }
        }
    }

    /// <summary>Loses a table, as a member would that never wrote it.</summary>
    public void Lose(Table table) => _tables[(int)table].Clear();
}
