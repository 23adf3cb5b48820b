using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Tapestry.Crypto.Tests.Rules;

public sealed class MerkleTreeTests
{
    private const int SizeMax = 130;

    private static readonly Digest[] Leaves = [.. Enumerable.Range(0, SizeMax).Select(i => MerkleTree.LeafHash([(byte)i, 0x5a]))];

    private readonly List<Digest> _stored = [];
    private readonly Digest[] _roots = new Digest[SizeMax + 1];

    public MerkleTreeTests()
    {
        MerkleFrontier frontier = new();
        _roots[0] = frontier.Root;
        foreach (Digest leaf in Leaves)
        {
            frontier.Append(leaf, _stored);
            _roots[frontier.Size] = frontier.Root;
        }
    }

    [Fact]
    public void Roots_of_all_trees_equal_the_recursive_ones()
    {
        for (int size = 0; size <= SizeMax; size++)
        {
            Digest expected = RecursiveTree.Root(Leaves.AsSpan(0, size));
            _roots[size].Should().Be(expected);
            MerkleTree.Root(Leaves.AsSpan(0, size)).Should().Be(expected);
            StoredHashes.Root(size, Read).Should().Be(expected);
        }
    }

    [Fact]
    public void All_inclusion_proofs_equal_the_recursive_ones_and_verify()
    {
        for (int size = 1; size <= SizeMax; size++)
        {
            for (int index = 0; index < size; index++)
            {
                Digest[] proof = MerkleProof.ProveInclusion(index, size, Read);
                Assert.Equal(RecursiveTree.Path(index, Leaves.AsSpan(0, size)), proof);
                Assert.True(MerkleProof.VerifyInclusion(index, size, Leaves[index], proof, _roots[size]));
                Assert.True(proof.Length <= MerkleProof.LengthMax);
            }
        }
    }

    [Fact]
    public void All_consistency_proofs_equal_the_recursive_ones_and_verify()
    {
        for (int size = 1; size <= SizeMax; size++)
        {
            for (int oldSize = 1; oldSize <= size; oldSize++)
            {
                Digest[] proof = MerkleProof.ProveConsistency(oldSize, size, Read);
                Assert.Equal(RecursiveTree.Proof(oldSize, Leaves.AsSpan(0, size)), proof);
                Assert.True(MerkleProof.VerifyConsistency(oldSize, size, _roots[oldSize], _roots[size], proof));
            }
        }
    }

    [Fact]
    public void An_inclusion_proof_holds_for_no_other_index_size_leaf_root_or_length()
    {
        for (int size = 1; size <= 40; size++)
        {
            for (int index = 0; index < size; index++)
            {
                Digest[] proof = MerkleProof.ProveInclusion(index, size, Read);
                for (int other = -1; other <= size; other++)
                {
                    Assert.Equal(other == index, MerkleProof.VerifyInclusion(other, size, Leaves[index], proof, _roots[size]));
                }

                for (int other = 0; other <= SizeMax; other++)
                {
                    // A smaller or larger tree with this root exists only at the same size.
                    Assert.True(other == size || !MerkleProof.VerifyInclusion(index, other, Leaves[index], proof, _roots[other]));
                }

                Assert.False(MerkleProof.VerifyInclusion(index, size, Leaves[(index + 1) % SizeMax], proof, _roots[size]));
                Assert.False(MerkleProof.VerifyInclusion(index, size, Leaves[index], [.. proof, Digest.Zero], _roots[size]));
                Assert.False(MerkleProof.VerifyInclusion(index, size, Leaves[index], [_roots[size], .. proof], _roots[size]));
                Assert.True(proof.Length == 0 || !MerkleProof.VerifyInclusion(index, size, Leaves[index], proof.AsSpan(1), _roots[size]));
            }
        }
    }

    [Fact]
    public void A_consistency_proof_holds_for_no_other_pair_and_none_starts_from_the_empty_tree()
    {
        for (int size = 1; size <= 30; size++)
        {
            for (int oldSize = 1; oldSize <= size; oldSize++)
            {
                Digest[] proof = MerkleProof.ProveConsistency(oldSize, size, Read);
                for (int other = 0; other <= size + 1; other++)
                {
                    Assert.Equal(
                        other == oldSize,
                        MerkleProof.VerifyConsistency(other, size, _roots[oldSize], _roots[size], proof)
                        && MerkleProof.VerifyConsistency(other, size, _roots[other], _roots[size], proof));
                }

                Assert.False(MerkleProof.VerifyConsistency(oldSize, size, Digest.Zero, _roots[size], proof));
                Assert.False(MerkleProof.VerifyConsistency(oldSize, size, _roots[oldSize], Digest.Zero, proof));
                Assert.False(MerkleProof.VerifyConsistency(oldSize, size, _roots[oldSize], _roots[size], [.. proof, Digest.Zero]));
            }

            Assert.False(MerkleProof.VerifyConsistency(0, size, _roots[0], _roots[size], []));
        }
    }

    [Fact]
    public void Stored_hashes_lie_where_their_index_says_and_are_only_ever_appended()
    {
        Assert.Equal(_stored.Count, StoredHashes.Count(SizeMax));
        for (int level = 0; level < 8; level++)
        {
            for (int number = 0; (number + 1) << level <= SizeMax; number++)
            {
                Digest expected = RecursiveTree.Root(Leaves.AsSpan(number << level, 1 << level));
                Assert.Equal(expected, _stored[(int)StoredHashes.Index(level, number)]);
            }
        }
    }

    [Fact]
    public void A_frontier_survives_bytes_and_goes_on_equally()
    {
        for (int size = 0; size <= SizeMax; size++)
        {
            MerkleFrontier built = MerkleFrontier.FromStoredHashes(size, Read);
            MerkleFrontier.TryRead(built.ToArray(), out MerkleFrontier? read).Should().BeTrue();
            read!.Size.Should().Be(size);
            read.Root.Should().Be(_roots[size]);
            MerkleFrontier copy = read.Copy();
            for (int next = size; next < Math.Min(size + 5, SizeMax); next++)
            {
                read.Append(Leaves[next]);
                read.Root.Should().Be(_roots[next + 1]);
            }

            copy.Root.Should().Be(_roots[size], "a copy does not follow");
        }
    }

    [Fact]
    public void Only_the_exact_bytes_of_a_frontier_are_read()
    {
        byte[] bytes = MerkleFrontier.FromStoredHashes(11, Read).ToArray();
        for (int length = 0; length < bytes.Length; length++)
        {
            MerkleFrontier.TryRead(bytes.AsSpan(0, length), out _).Should().BeFalse();
        }

        MerkleFrontier.TryRead([.. bytes, 0], out _).Should().BeFalse();
        bytes[0] = 0x80;
        MerkleFrontier.TryRead(bytes, out _).Should().BeFalse("the size would be negative");
        bytes[0] = 0x02;
        MerkleFrontier.TryRead([.. bytes, .. new byte[32]], out _).Should().BeFalse("the size would be above the largest");
    }

    [Fact]
    public void Bytes_that_are_read_as_a_frontier_are_written_again_the_same() =>
        Prop.ForAll<byte, byte[]>((size, filling) =>
        {
            byte[] bytes = new byte[8 + (32 * System.Numerics.BitOperations.PopCount(size))];
            bytes[7] = size;
            filling.AsSpan(0, Math.Min(filling.Length, bytes.Length - 8)).CopyTo(bytes.AsSpan(8));
            return MerkleFrontier.TryRead(bytes, out MerkleFrontier? frontier) && frontier.ToArray().SequenceEqual(bytes);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_leaf_hash_does_not_depend_on_how_the_leaf_was_hashed()
    {
        foreach (int length in new[] { 0, 1, 499, 500, 501, 65_536 })
        {
            byte[] leaf = new byte[length];
            leaf.AsSpan().Fill(7);
            MerkleTree.LeafHash(leaf).Should().Be(Digest.Of([0, .. leaf]));
        }
    }

    [Fact]
    public void Proofs_at_the_largest_size_stay_in_range()
    {
        // A log of 2^56 leaves whose stored hashes are all zero: only the shape matters.
        Digest[] proof = MerkleProof.ProveInclusion(MerkleTree.SizeMax - 1, MerkleTree.SizeMax, _ => Digest.Zero);
        proof.Should().HaveCount(56);
        MerkleProof.ProveConsistency(MerkleTree.SizeMax - 1, MerkleTree.SizeMax, _ => Digest.Zero).Length
            .Should().BeLessOrEqualTo(MerkleProof.LengthMax);
        MerkleProof.VerifyInclusion(long.MaxValue - 1, long.MaxValue, Digest.Zero, proof, Digest.Zero).Should().BeFalse();
        MerkleProof.VerifyConsistency(1, long.MaxValue, Digest.Zero, Digest.Zero, proof).Should().BeFalse();
    }

    private Digest Read(long index) => _stored[(int)index];
}
