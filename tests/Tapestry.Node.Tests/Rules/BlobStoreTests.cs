using System.Buffers;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Storage;
using Tapestry.Node.Storage.Blobs;
using Xunit;

namespace Tapestry.Node.Tests.Rules;

public sealed class BlobStoreTests : IDisposable
{
    private const int ChunkBytes = 1024;

    private readonly TemporaryFolder _folder = new();
    private readonly List<BlobDamage> _damage = [];
    private BlobStore _store;

    public BlobStoreTests() => _store = Open();

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ChunkBytes - 1)]
    [InlineData(ChunkBytes)]
    [InlineData(ChunkBytes + 1)]
    [InlineData((5 * ChunkBytes) + 17)]
    public void A_blob_is_named_by_the_root_over_its_chunks_and_read_back(int length)
    {
        byte[] data = Data(length);
        Digest root = _store.Write(data, round: 1);
        root.Should().Be(MerkleTree.Root([.. data.Chunk(ChunkBytes).Select(chunk => MerkleTree.LeafHash(chunk))]));
        Reopen();
        ReadAll(root).Should().Equal(data);
        _store.Contains(root).Should().BeTrue();
    }

    [Fact]
    public void Pieces_of_any_length_give_the_same_blob() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(25), Prop.ForAll<byte[][]>(pieces =>
        {
            byte[] whole = [.. pieces.SelectMany(piece => piece), .. Data(3000)];
            using BlobWriter writer = _store.Create(round: 1);
            foreach (byte[] piece in pieces)
            {
                writer.Append(piece);
            }

            writer.Append(Data(3000));
            return ReadAll(writer.Commit())!.SequenceEqual(whole);
        }));

    [Fact]
    public void A_chunk_can_be_handed_out_with_the_hashes_that_prove_it()
    {
        byte[] data = Data(10 * ChunkBytes);
        Digest root = _store.Write(data, round: 1);
        _store.TryOpen(root, out Blob? blob).Should().BeTrue();
        using (blob)
        {
            blob!.Length.Should().Be(data.Length);
            blob.ChunkCount.Should().Be(10);
            MerkleTree.Root(blob.LeafHashes).Should().Be(root);
            byte[] chunk = new byte[blob.ChunkLength(7)];
            blob.TryReadChunk(7, chunk).Should().BeTrue();
            MerkleTree.LeafHash(chunk).Should().Be(blob.LeafHashes[7]);
        }
    }

    [Fact]
    public void A_blob_of_others_is_put_together_from_checked_chunks_in_any_order()
    {
        byte[] data = Data((3 * ChunkBytes) + 5);
        (BlobShape shape, Digest[] hashes) = Hash(data);
        using BlobAssembly assembly = _store.Assemble(shape, round: 1);
        Accepts(assembly, 3, Chunk(data, 3)).Should().BeFalse("its hash is not known yet");
        assembly.TryAcceptHashes(0, hashes).Should().BeTrue();
        foreach (int index in (int[])[3, 0, 2])
        {
            Accepts(assembly, index, Chunk(data, index)).Should().BeTrue();
        }

        Accepts(assembly, 0, Chunk(data, 0)).Should().BeTrue("again is no harm");
        Accepts(assembly, 1, Chunk(data, 2)).Should().BeFalse("it is another chunk");
        Accepts(assembly, 1, Chunk(data, 1)[1..]).Should().BeFalse("it is too short");
        Accepts(assembly, 4, Chunk(data, 1)).Should().BeFalse("there is no such index");
        Accepts(assembly, -1, Chunk(data, 1)).Should().BeFalse("there is no such index");
        assembly.MissingCount.Should().Be(1);
        assembly.Invoking(pending => pending.Commit()).Should().Throw<InvalidOperationException>();
        _store.Contains(shape.Root).Should().BeFalse();

        Accepts(assembly, 1, Chunk(data, 1)).Should().BeTrue();
        assembly.Commit();
        ReadAll(shape.Root).Should().Equal(data);
        Directory.EnumerateFiles(_folder.At("incoming")).Should().BeEmpty();
    }

    [Fact]
    public void Hashes_that_do_not_belong_to_the_name_are_refused()
    {
        (BlobShape shape, Digest[] hashes) = Hash(Data(3 * ChunkBytes));
        using BlobAssembly assembly = _store.Assemble(shape, round: 1);
        assembly.TryAcceptHashes(0, hashes.AsSpan(1)).Should().BeFalse();
        assembly.TryAcceptHashes(0, [.. hashes.Reverse()]).Should().BeFalse();
        assembly.TryAcceptHashes(1, hashes).Should().BeFalse();
        assembly.TryAcceptHashes(HashPages.Top, hashes).Should().BeFalse();
        assembly.HasPage(0).Should().BeFalse();
        new BlobShape(shape.Root, -1, ChunkBytes).ChunkCount.Should().Be(-1);
        new BlobShape(shape.Root, long.MaxValue, ChunkBytes).ChunkCount.Should().Be(-1);
    }

    [Fact]
    public void The_hashes_of_a_large_blob_come_in_pages_under_the_same_name()
    {
        byte[] data = Data(2500 * ChunkBytes);
        (BlobShape shape, Digest[] hashes) = Hash(data);
        shape.PageCount.Should().Be(3);
        using BlobAssembly assembly = _store.Assemble(shape, round: 1);
        assembly.TryAcceptHashes(1, hashes.AsSpan(1024, 1024)).Should().BeFalse("the roots of the pages are not known yet");
        assembly.TryAcceptHashes(HashPages.Top, HashPages.Roots(hashes)).Should().BeTrue();
        assembly.TryAcceptHashes(1, hashes.AsSpan(1024, 1024)).Should().BeTrue();
        assembly.TryAcceptHashes(2, hashes.AsSpan(1024, 1024)).Should().BeFalse("it is another page");
        assembly.TryAcceptHashes(2, hashes.AsSpan(2048)).Should().BeTrue();
        Accepts(assembly, 2499, Chunk(data, 2499)).Should().BeTrue();
        assembly.Hashes(1).ToArray().Should().Equal(hashes[1024..2048]);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(2500)]
    public void A_restart_goes_on_with_what_was_verified_and_nothing_else(int chunks)
    {
        byte[] data = Data(chunks * ChunkBytes);
        (BlobShape shape, Digest[] hashes) = Hash(data);
        int[] stored = [0, 3, chunks - 1];
        using (BlobAssembly first = _store.Assemble(shape, round: 1))
        {
            FluentActions.Invoking(() => _store.Assemble(shape, round: 1)).Should().Throw<InvalidOperationException>("one at a time");
            first.TryAcceptHashes(HashPages.Top, HashPages.Roots(hashes));
            for (int page = 0; page < shape.PageCount; page++)
            {
                first.TryAcceptHashes(page, hashes.AsSpan(page * 1024, HashPages.Length(page, chunks)));
            }

            foreach (int index in stored)
            {
                Accepts(first, index, Chunk(data, index)).Should().BeTrue();
            }
        }

        // The disk lost one of them on the way.
        using (FileStream file = File.Open(Directory.EnumerateFiles(_folder.At("incoming")).Single(), FileMode.Open))
        {
            file.Position = (3 * ChunkBytes) + 1;
            file.WriteByte(0);
            file.WriteByte(1);
        }

        Reopen();
        using BlobAssembly second = _store.Assemble(shape, round: 2);
        Enumerable.Range(0, chunks).Where(second.Has).Should().Equal(0, chunks - 1);
        for (int index = 1; index < chunks - 1; index++)
        {
            Accepts(second, index, Chunk(data, index)).Should().BeTrue();
        }

        second.Commit();
        ReadAll(shape.Root).Should().Equal(data);
    }

    [Fact]
    public void What_is_left_of_a_fetch_goes_with_its_round()
    {
        (BlobShape shape, Digest[] hashes) = Hash(Data(3 * ChunkBytes));
        using (BlobAssembly assembly = _store.Assemble(shape, round: 4))
        {
            assembly.TryAcceptHashes(0, hashes).Should().BeTrue();
            _store.Forget(9);
            Directory.EnumerateFiles(_folder.At("incoming")).Should().HaveCount(1, "it is in use");
        }

        _store.Forget(4);
        Directory.EnumerateFiles(_folder.At("incoming")).Should().HaveCount(1);
        _store.Forget(5);
        Directory.EnumerateFiles(_folder.At("incoming")).Should().BeEmpty();
    }

    [Fact]
    public void An_altered_chunk_is_found_named_and_moved_aside()
    {
        byte[] data = Data(4 * ChunkBytes);
        Digest root = _store.Write(data, round: 1);
        Alter(root, (2 * ChunkBytes) + 3);
        ReadAll(root).Should().BeNull();
        _damage.Should().ContainSingle().Which.Should().Match<BlobDamage>(damage =>
            damage.Root == root && damage.Why.Contains("chunk 2", StringComparison.Ordinal));
        File.Exists(_damage[0].MovedTo).Should().BeTrue("nothing is lost silently");
        _store.Contains(root).Should().BeFalse("it counts as absent");

        _store.Write(data, round: 1).Should().Be(root);
        ReadAll(root).Should().Equal(data, "it can be stored again");
        Alter(root, 0);
        ReadAll(root).Should().BeNull();
        _damage.Select(damage => damage.MovedTo).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void A_chunk_is_hashed_before_it_is_sent_and_only_once_after_it_came_onto_the_disk()
    {
        byte[] data = Data(3 * ChunkBytes);
        Digest root = _store.Write(data, round: 1);
        Alter(root, 0);
        IsIntact(root, 0).Should().BeTrue("it was hashed when it was written");

        Reopen();
        IsIntact(root, 1).Should().BeTrue();
        Alter(root, ChunkBytes);
        IsIntact(root, 1).Should().BeTrue("it has been hashed since this process began");
        IsIntact(root, 0).Should().BeFalse();
        _damage.Should().ContainSingle();
        _store.Contains(root).Should().BeFalse();
    }

    [Fact]
    public void Every_truncation_is_found_at_opening()
    {
        byte[] data = Data(ChunkBytes + 10);
        string path = PathOf(_store.Write(data, round: 1));
        byte[] whole = File.ReadAllBytes(path);
        foreach (int length in Enumerable.Range(0, whole.Length).Where(length => length % 37 == 0 || length > whole.Length - 25))
        {
            File.WriteAllBytes(path, whole[..length]);
            _store.TryOpen(Digest.TryParse(Path.GetFileName(path), out Digest root) ? root : default, out _).Should().BeFalse("{0} bytes are left", length);
            File.Exists(path).Should().BeFalse();
        }
    }

    [Fact]
    public void A_changed_byte_anywhere_is_found()
    {
        byte[] data = Data(ChunkBytes + 10);
        Digest root = _store.Write(data, round: 1);
        byte[] whole = File.ReadAllBytes(PathOf(root));
        for (int at = 0; at < whole.Length; at += at < data.Length ? 101 : 1)
        {
            byte[] changed = [.. whole];
            changed[at] ^= 0x10;
            File.WriteAllBytes(PathOf(root), changed);
            ReadAll(root).Should().BeNull("byte {0} was changed", at);
        }
    }

    [Fact]
    public void Forgetting_deletes_what_only_earlier_rounds_name()
    {
        Digest first = _store.Write(Data(10), round: 1);
        Digest second = _store.Write(Data(20), round: 2);
        Digest both = _store.Write(Data(30), round: 1);
        _store.Keep(both, round: 5).Should().BeTrue();
        _store.Keep(both, round: 3).Should().BeTrue("an earlier round does not shorten it");
        _store.Keep(Digest.Zero, round: 3).Should().BeFalse("there is no such blob");
        _store.Keep([first, Digest.Zero], round: 9).Should().BeFalse("all or none");
        Reopen();

        _store.Forget(2).Should().Be(1);
        Held(first, second, both).Should().Equal(false, true, true);
        Reopen();
        _store.Forget(5).Should().Be(1);
        Held(first, second, both).Should().Equal(false, false, true);
        _store.Forget(5).Should().Be(0);
        Reopen();
        _store.Forget(6).Should().Be(1);
        Held(first, second, both).Should().Equal(false, false, false);
    }

    [Fact]
    public void What_is_kept_outlives_its_round_until_a_later_call_leaves_it_out()
    {
        Digest first = _store.Write(Data(10), round: 1);
        Digest second = _store.Write(Data(20), round: 1);
        _store.Forget(9, first).Should().Be(1);
        Held(first, second).Should().Equal(true, false);
        Reopen();
        _store.Forget(10, first).Should().Be(0);
        _store.Forget(11).Should().Be(1);
        Held(first).Should().Equal(false);
    }

    [Fact]
    public void An_open_blob_stays_readable_when_it_is_forgotten()
    {
        byte[] data = Data(2 * ChunkBytes);
        _store.TryOpen(_store.Write(data, round: 1), out Blob? blob).Should().BeTrue();
        using (blob)
        {
            _store.Forget(2).Should().Be(1);
            byte[] read = new byte[data.Length];
            blob!.TryReadAll(read).Should().BeTrue();
            read.Should().Equal(data);
        }
    }

    [Fact]
    public void A_torn_or_altered_index_loses_only_the_rows_concerned()
    {
        Digest first = _store.Write(Data(10), round: 1);
        Digest second = _store.Write(Data(20), round: 2);
        Digest third = _store.Write(Data(30), round: 9);
        _store.Dispose();
        byte[] index = File.ReadAllBytes(_folder.At("index"));
        index.Length.Should().Be(3 * 48);
        index[48 + 7] ^= 1;
        File.WriteAllBytes(_folder.At("index"), [.. index, 1, 2, 3]);

        _store = Open();
        _store.Forget(9).Should().Be(1);
        Held(first, second, third).Should().Equal(false, true, true);
        Digest fourth = _store.Write(Data(40), round: 10);
        Reopen();
        _store.Forget(10).Should().Be(2, "a blob without a row is kept as long as the newest");
        Held(fourth).Should().Equal(true);
    }

    [Fact]
    public void What_was_not_committed_is_gone_after_a_restart()
    {
        BlobWriter writer = _store.Create(round: 1);
        writer.Append(Data(5 * ChunkBytes));
        Directory.EnumerateFiles(_folder.At("incoming")).Should().HaveCount(1);
        Reopen();
        Directory.EnumerateFiles(_folder.At("incoming")).Should().BeEmpty();
        writer.Dispose();

        using (BlobWriter given = _store.Create(round: 1))
        {
            given.Append(Data(10));
        }

        Directory.EnumerateFiles(_folder.At("incoming")).Should().BeEmpty();
        Directory.EnumerateFiles(_folder.At("data")).Should().BeEmpty();
    }

    [Fact]
    public void Many_blobs_are_committed_together()
    {
        BlobWriter[] writers = [.. Enumerable.Range(0, 20).Select(_ => _store.Create(round: 4))];
        for (int i = 0; i < writers.Length; i++)
        {
            writers[i].Append(Data(i * 100));
        }

        _store.Commit(writers);
        foreach (BlobWriter writer in writers)
        {
            writer.Dispose();
        }

        for (int i = 0; i < writers.Length; i++)
        {
            ReadAll(Hash(Data(i * 100)).Shape.Root).Should().Equal(Data(i * 100));
        }
    }

    [Fact]
    public void A_second_store_on_the_folder_is_refused()
    {
        FluentActions.Invoking(Open).Should().Throw<CliException>().Where(error => error.Code == StorageErrors.InUse);
    }

    private BlobStore Open()
    {
        BlobStore store = BlobStore.Open(_folder.Path, ChunkBytes);
        store.DamageFound += _damage.Add;
        return store;
    }

    private void Reopen()
    {
        _store.Dispose();
        _store = Open();
    }

    private byte[]? ReadAll(Digest root)
    {
        if (!_store.TryOpen(root, out Blob? blob))
        {
            return null;
        }

        using (blob)
        {
            byte[] data = new byte[blob.Length];
            return blob.TryReadAll(data) ? data : null;
        }
    }

    private bool IsIntact(Digest root, int chunk)
    {
        _store.TryOpen(root, out Blob? blob).Should().BeTrue();
        using (blob)
        {
            return blob!.IsIntact(chunk);
        }
    }

    private bool[] Held(params Digest[] roots) => [.. roots.Select(_store.Contains)];

    private void Alter(Digest root, int at)
    {
        using FileStream file = File.Open(PathOf(root), FileMode.Open, FileAccess.ReadWrite);
        file.Position = at;
        int value = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ 1));
    }

    private string PathOf(Digest root) => Path.Combine(_folder.Path, "data", root.ToString());

    private static byte[] Data(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        return data;
    }

    private static byte[] Chunk(byte[] data, int index) => data[(index * ChunkBytes)..Math.Min(data.Length, (index + 1) * ChunkBytes)];

    private static bool Accepts(BlobAssembly assembly, int index, byte[] chunk) => assembly.TryAccept(index, new ReadOnlySequence<byte>(chunk));

    private static (BlobShape Shape, Digest[] Hashes) Hash(byte[] data)
    {
        Digest[] hashes = [.. data.Chunk(ChunkBytes).Select(chunk => MerkleTree.LeafHash(chunk))];
        return (new BlobShape(MerkleTree.Root(hashes), data.Length, ChunkBytes), hashes);
    }
}
