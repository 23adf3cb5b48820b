using System.Buffers.Binary;
using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Xunit;
using Record = Tapestry.Protocol.Partners.Record;

namespace Tapestry.Node.Tests.Rules;

public sealed class LedgerCheckTests : IDisposable
{
    private const int EntryCount = 13;

    private readonly TemporaryFolder _folder = new();
    private readonly RecordStore _store;
    private readonly Digest _root;

    public LedgerCheckTests()
    {
        _store = RecordStore.Open(_folder.Path);
        MerkleFrontier frontier = new();
        for (int i = 0; i < EntryCount; i++)
        {
            byte[] entry = [0x91, (byte)i];
            List<Digest> completed = [];
            long stored = StoredHashes.Count(frontier.Size);
            frontier.Append(MerkleTree.LeafHash(entry), completed);
            _store.Write([
                new Record(Table.Entries, Key(i), ByteString.Own(entry)),
                .. completed.Select((hash, offset) => new Record(Table.Hashes, Key(stored + offset), ByteString.Own(hash.ToArray())))]);
        }

        _root = frontier.Root;
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void An_intact_ledger_is_recomputed_to_its_head()
    {
        LedgerCheck check = LedgerCheck.Verify(_store, EntryCount, _root);
        check.Should().Be(new LedgerCheck(EntryCount, _root, LedgerFault.None, -1));
        check.Holds.Should().BeTrue();
    }

    [Fact]
    public void An_empty_ledger_has_the_empty_root()
    {
        using TemporaryFolder folder = new();
        using RecordStore store = RecordStore.Open(folder.Path);
        LedgerCheck.Verify(store, 0, MerkleTree.EmptyRoot).Holds.Should().BeTrue();
        LedgerCheck.Verify(store, 1, MerkleTree.EmptyRoot).Fault.Should().Be(LedgerFault.WrongSize);
    }

    [Fact]
    public void A_changed_entry_is_found_at_its_stored_hash()
    {
        _store.Write([new Record(Table.Entries, Key(5), ByteString.Own([0x91, 0xff]))]);
        LedgerCheck check = LedgerCheck.Verify(_store, EntryCount, _root);
        check.Fault.Should().Be(LedgerFault.WrongHash);
        check.At.Should().Be(StoredHashes.Index(0, 5));
    }

    [Fact]
    public void A_changed_or_missing_hash_is_found()
    {
        long index = StoredHashes.Index(2, 1);
        _store.Write([new Record(Table.Hashes, Key(index), ByteString.Own(Digest.Zero.ToArray()))]);
        LedgerCheck.Verify(_store, EntryCount, _root).Should().Match<LedgerCheck>(check => check.Fault == LedgerFault.WrongHash && check.At == index);
        _store.Write([new Record(Table.Hashes, Key(index), null)]);
        LedgerCheck.Verify(_store, EntryCount, _root).Should().Match<LedgerCheck>(check => check.Fault == LedgerFault.WrongHash && check.At == index);
    }

    [Fact]
    public void A_gap_a_cut_and_a_surplus_are_found()
    {
        _store.Write([new Record(Table.Entries, Key(EntryCount - 1), null)]);
        LedgerCheck.Verify(_store, EntryCount, _root).Fault.Should().Be(LedgerFault.SurplusHash);
        _store.Write([new Record(Table.Entries, Key(3), null)]);
        LedgerCheck.Verify(_store, EntryCount, _root).Should().Match<LedgerCheck>(check => check.Fault == LedgerFault.MissingEntry && check.At == 3);
    }

    [Fact]
    public void A_head_that_claims_another_size_or_root_is_found()
    {
        LedgerCheck.Verify(_store, EntryCount - 1, _root).Fault.Should().Be(LedgerFault.WrongSize);
        LedgerCheck.Verify(_store, EntryCount + 1, _root).Fault.Should().Be(LedgerFault.WrongSize);
        LedgerCheck.Verify(_store, EntryCount, Digest.Zero).Fault.Should().Be(LedgerFault.WrongRoot);
    }

    private static ByteString Key(long index)
    {
        byte[] key = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(key, index);
        return ByteString.Own(key);
    }
}
