using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using Tapestry.Cli;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Xunit;
using Record = Tapestry.Protocol.Partners.Record;

namespace Tapestry.Node.Tests.Rules;

public sealed class RecordStoreTests : IDisposable
{
    private static readonly string[] TableFamilies = ["default", .. Enum.GetNames<Table>().Select(name => name.ToLowerInvariant())];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read_after_reopening()
    {
        using (RecordStore store = RecordStore.Open(_folder.Path))
        {
            store.Write([Put(Table.Head, "", "here"), Put(Table.Slots, "a", ""), Put(Table.Slots, "b", "two")]);
            store.Write([Put(Table.Slots, "b", "three"), new Record(Table.Slots, Bytes("a"), null)]);
            store.Write(Sequence<Record>.Empty);
        }

        using RecordStore reopened = RecordStore.Open(_folder.Path);
        reopened.Read(Table.Head, []).Should().Be(Bytes("here"));
        reopened.Read(Table.Slots, "a"u8).Should().BeNull();
        reopened.Read(Table.Slots, "b"u8).Should().Be(Bytes("three"));
        reopened.Read(Table.Bodies, "b"u8).Should().BeNull("tables are apart");
    }

    [Fact]
    public void The_ceiling_of_our_gossip_is_read_after_reopening_and_is_no_row_of_a_table()
    {
        using (RecordStore store = RecordStore.Open(_folder.Path))
        {
            GossipCeiling ceiling = new(store, NullLogger.Instance);
            ceiling.Load().Should().Be(0);
            ceiling.Save(7);
            ceiling.Save(ulong.MaxValue);
        }

        using RecordStore reopened = RecordStore.Open(_folder.Path);
        new GossipCeiling(reopened, NullLogger.Instance).Load().Should().Be(ulong.MaxValue);
        Enum.GetValues<Table>().SelectMany(reopened.ReadAll).Should().BeEmpty();
        reopened.ReadPeers().Should().BeEmpty();
    }

    [Fact]
    public void An_empty_value_is_not_an_absent_one()
    {
        using RecordStore store = RecordStore.Open(_folder.Path);
        store.Write([Put(Table.Bodies, "key", "")]);
        store.Read(Table.Bodies, "key"u8).Should().Be(ByteString.Empty);
        store.Read(Table.Bodies, "other"u8).Should().BeNull();
    }

    [Fact]
    public void Rows_come_in_ascending_order_of_their_bytes()
    {
        using RecordStore store = RecordStore.Open(_folder.Path);
        byte[][] keys = [[0x00], [0x00, 0x01], [0x7f], [0x80], [0xff, 0x00], [0xff, 0xff]];
        store.Write(keys.Reverse().Select(key => new Record(Table.Entries, ByteString.Own(key), Bytes("v"))).ToSequence());
        store.ReadAll(Table.Entries).Select(row => row.Key.ToString()).Should().Equal("00", "0001", "7f", "80", "ff00", "ffff");
        store.ReadFrom(Table.Entries, ByteString.Own([0x7f, 0x01])).Select(row => row.Key.ToString()).Should().Equal("80", "ff00", "ffff");
        store.ReadAll(Table.Hashes).Should().BeEmpty();
        store.LastKey(Table.Entries)!.ToString().Should().Be("ffff");
        store.LastKey(Table.Hashes).Should().BeNull();
    }

    [Fact]
    public void A_walk_does_not_see_later_writes()
    {
        using RecordStore store = RecordStore.Open(_folder.Path);
        store.Write([Put(Table.Entries, "a", "1"), Put(Table.Entries, "b", "1")]);
        List<string> values = [];
        foreach (KeyValuePair<ByteString, ByteString> row in store.ReadAll(Table.Entries))
        {
            store.Write([Put(Table.Entries, "b", "2"), Put(Table.Entries, "c", "2")]);
            values.Add(System.Text.Encoding.ASCII.GetString(row.Value.Span));
        }

        values.Should().Equal("1", "1");
    }

    [Fact]
    public void A_second_opener_is_told_who_has_the_records()
    {
        using RecordStore store = RecordStore.Open(_folder.Path);
        FluentActions.Invoking(() => RecordStore.Open(_folder.Path)).Should().Throw<CliException>()
            .Where(error => error.Code == StorageErrors.InUse)
            .WithMessage($"*{_folder.Path}*process {Environment.ProcessId}*");
    }

    [Fact]
    public void A_reader_sees_the_records_while_a_writer_has_them()
    {
        using RecordStore store = RecordStore.Open(_folder.Path);
        store.Write([Put(Table.Head, "", "here")]);
        using RecordStore reader = RecordStore.OpenReadOnly(_folder.Path);
        reader.Read(Table.Head, []).Should().Be(Bytes("here"));
        FluentActions.Invoking(() => reader.Write([Put(Table.Head, "", "there")])).Should().Throw<CliException>();
    }

    [Fact]
    public void Reading_records_that_are_not_there_says_so()
    {
        FluentActions.Invoking(() => RecordStore.OpenReadOnly(_folder.At("none"))).Should().Throw<CliException>()
            .Where(error => error.Code == StorageErrors.Missing);
        Directory.Exists(_folder.At("none")).Should().BeFalse("a reader makes nothing");
    }

    [Fact]
    public void A_torn_end_of_the_log_loses_only_the_last_batch()
    {
        WriteThreeBatches();
        string log = LogFile();
        using (FileStream file = File.OpenWrite(log))
        {
            file.SetLength(file.Length - 3);
        }

        using RecordStore store = RecordStore.Open(_folder.Path);
        store.Read(Table.Slots, "2"u8).Should().NotBeNull();
        store.Read(Table.Entries, "2"u8).Should().NotBeNull();
        store.Read(Table.Slots, "3"u8).Should().BeNull("a batch is there in full or not at all");
        store.Read(Table.Entries, "3"u8).Should().BeNull();
    }

    [Fact]
    public void A_log_that_is_damaged_before_its_end_is_refused_and_left_as_it_is()
    {
        WriteThreeBatches();
        string log = LogFile();
        byte[] bytes = File.ReadAllBytes(log);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(log, bytes);

        FluentActions.Invoking(() => RecordStore.Open(_folder.Path)).Should().Throw<CliException>()
            .Where(error => error.Code == StorageErrors.Corrupt && error.Hint.Length > 0);
        File.ReadAllBytes(log).Should().Equal(bytes);
    }

    [Fact]
    public void Records_of_another_format_are_refused()
    {
        using (RecordStore store = RecordStore.Open(_folder.Path))
        {
        }

        using (Storage.RocksDb.RocksDatabase database = Storage.RocksDb.RocksDatabase.Open(_folder.Path, [.. TableFamilies, "peers"], isReadOnly: false))
        {
            using Storage.RocksDb.WriteBatch batch = database.CreateBatch();
            batch.Put(0, "format"u8, "tapestry/records/2"u8);
            database.Write(batch);
        }

        FluentActions.Invoking(() => RecordStore.Open(_folder.Path)).Should().Throw<CliException>()
            .Where(error => error.Code == StorageErrors.WrongFormat);
        FluentActions.Invoking(() => Storage.RocksDb.RocksDatabase.Open(_folder.Path, ["default"], isReadOnly: false)).Should().Throw<CliException>()
            .Where(error => error.Code == StorageErrors.WrongFormat, "families that this version does not know");
    }

    [Fact]
    public void What_is_known_of_peers_survives_reopening_and_is_forgotten_on_request()
    {
        using (RecordStore store = RecordStore.Open(_folder.Path))
        {
            store.WritePeer("a"u8, Bytes("one"));
            store.WritePeer("b"u8, Bytes("two"));
            store.WritePeer("a"u8, Bytes("three"));
            store.WritePeer("b"u8, null);
        }

        using RecordStore reopened = RecordStore.Open(_folder.Path);
        reopened.ReadPeers().Should().ContainSingle().Which.Should().Be(KeyValuePair.Create(Bytes("a"), Bytes("three")));
        reopened.ReadAll(Table.Head).Should().BeEmpty("the tables of the rules are apart");
    }

    [Fact]
    public void Records_from_before_peers_were_kept_are_read_and_opened()
    {
        using (Storage.RocksDb.RocksDatabase database = Storage.RocksDb.RocksDatabase.Open(_folder.Path, TableFamilies, isReadOnly: false))
        {
            using Storage.RocksDb.WriteBatch batch = database.CreateBatch();
            batch.Put(0, "format"u8, "tapestry/records/1"u8);
            batch.Put(1, "k"u8, "v"u8);
            database.Write(batch);
        }

        using (RecordStore reader = RecordStore.OpenReadOnly(_folder.Path))
        {
            reader.Read(Table.Head, "k"u8).Should().Be(Bytes("v"));
        }

        using RecordStore store = RecordStore.Open(_folder.Path);
        store.Read(Table.Head, "k"u8).Should().Be(Bytes("v"));
        store.ReadPeers().Should().BeEmpty();
    }

    [Fact]
    public void A_use_after_disposal_is_an_exception_and_no_crash()
    {
        RecordStore store = RecordStore.Open(_folder.Path);
        store.Write([Put(Table.Entries, "a", "1"), Put(Table.Entries, "b", "1")]);
        using IEnumerator<KeyValuePair<ByteString, ByteString>> walk = store.ReadAll(Table.Entries).GetEnumerator();
        walk.MoveNext().Should().BeTrue();
        store.Dispose();
        store.Dispose();
        FluentActions.Invoking(() => store.Read(Table.Head, [])).Should().Throw<ObjectDisposedException>();
        FluentActions.Invoking(() => store.Write([Put(Table.Head, "", "")])).Should().Throw<ObjectDisposedException>();
        FluentActions.Invoking(() => store.ReadAll(Table.Head).ToList()).Should().Throw<ObjectDisposedException>();
        walk.MoveNext().Should().BeTrue("the database closes after its last iterator");
        walk.Current.Key.Should().Be(Bytes("b"));
    }

    private void WriteThreeBatches()
    {
        using RecordStore store = RecordStore.Open(_folder.Path);
        foreach (string key in (string[])["1", "2", "3"])
        {
            store.Write([Put(Table.Slots, key, new string('s', 100)), Put(Table.Entries, key, new string('e', 100))]);
        }
    }

    // RocksDB keeps at most one log that is not empty here; names ascend.
    private string LogFile() => Directory.EnumerateFiles(_folder.Path, "*.log").Order().Last(path => new FileInfo(path).Length > 0);

    private static Record Put(Table table, string key, string value) => new(table, Bytes(key), Bytes(value));

    private static ByteString Bytes(string text) => ByteString.Own(System.Text.Encoding.ASCII.GetBytes(text));
}
