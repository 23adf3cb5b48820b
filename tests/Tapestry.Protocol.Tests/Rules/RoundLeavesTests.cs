using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>specs/40-ledger.md, sections 2 and 3: the leaves of a round follow from its decided values.</summary>
public sealed class RoundLeavesTests
{
    private static readonly Samples Values = new(5);
    private static readonly Genesis Network = Values.Genesis();
    private static readonly RoundLeaves First = RoundLeaves.OfGenesis(Network);
    private static readonly DecidedValue.Set Set = NewSet();

    [Fact]
    public void A_ledger_opens_with_its_genesis()
    {
        First.Leaves.Should().Equal(new Leaf.Genesis(Network.Digest, Network.Plan.Digest, Network.InitialBase, Network.CreatedMs));
        First.After.Size.Should().Be(1);
        First.Members.Rows.Should().OnlyContain(static row => row.Contributions == 0).And.HaveCount(4);
    }

    [Fact]
    public void A_round_records_contributions_then_decisions_then_its_result()
    {
        RoundLeaves round = Second();
        round.Leaves.Should().Equal(
            new Leaf.Contribution(3, Set.Included[0]),
            new Leaf.Contribution(3, Set.Included[1]),
            new Leaf.Decision(3, Set.RecordedCertificates[0]),
            new Leaf.Decision(3, Set.RecordedCertificates[1]),
            new Leaf.Result(3, Set.Digest, Network.InitialBase, Network.InitialBase, round.Members.Root));
        round.After.Size.Should().Be(6);
        round.After.Root.Should().Be(MerkleTree.Root([.. First.Leaves.Concat(round.Leaves).Select(static leaf => MerkleTree.LeafHash(leaf.Encode().Span))]));
        round.StoredHashes.Should().HaveCount((int)(StoredHashes.Count(6) - StoredHashes.Count(1)));
    }

    [Fact]
    public void Rows_count_what_was_included_and_point_at_it()
    {
        RoundLeaves round = Second();
        round.Members.Find(Network.Members[0].Id).Should().Be(new MemberRow(Network.Members[0].Id, 7, 1, 1, 10));
        round.Members.Find(Network.Members[1].Id).Should().Be(MemberRow.New(Network.Members[1].Id));
        round.Members.Find(Network.Members[2].Id).Should().Be(new MemberRow(Network.Members[2].Id, 9, 2, 1, 20));
        round.Members.Find(Values.Member()).Should().BeNull();
        round.Members.Root.Should().NotBe(First.Members.Root);
    }

    [Fact]
    public void A_void_round_is_one_leaf_and_changes_no_row()
    {
        DecidedValue.Void empty = new(Set.Instance, 99, Digest.Zero);
        RoundLeaves round = RoundLeaves.Of(First.After, First.Members, empty);
        round.Leaves.Should().Equal(new Leaf.Void(3, AgreementKind.Set, 99, Digest.Zero));
        round.Members.Root.Should().Be(First.Members.Root);
        round.After.Size.Should().Be(2);
        First.After.Size.Should().Be(1);
    }

    [Fact]
    public void A_set_over_another_tree_is_refused() =>
        FluentActions.Invoking(() => RoundLeaves.Of(Second().After, First.Members, Set, [7, 9], Digest.Zero, Digest.Zero)).Should().Throw<ArgumentException>();

    [Fact]
    public void Every_leaf_has_one_encoding()
    {
        Leaf[] leaves =
        [
            .. First.Leaves, .. Second().Leaves,
            new Leaf.Void(3, AgreementKind.Set, 99, Digest.Zero),
            new Leaf.Void(4, AgreementKind.Result, 100, Values.Digest()),
        ];
        foreach (Leaf leaf in leaves)
        {
            byte[] bytes = leaf.Encode().ToArray();
            Leaf.TryRead(bytes, out Leaf? read).Should().BeTrue();
            read.Should().Be(leaf);
            OtherForms.Of(bytes).Any(static other => Leaf.TryRead(other, out _)).Should().BeFalse();
            foreach (byte[] changed in ChangedBytes.Of(bytes, 1))
            {
                (!Leaf.TryRead(changed, out Leaf? other) || other.Encode().Span.SequenceEqual(changed)).Should().BeTrue();
            }
        }

        foreach (MemberRow row in Second().Members.Rows)
        {
            byte[] bytes = row.Encode().ToArray();
            MemberRow.TryRead(bytes, out MemberRow? read).Should().BeTrue();
            read.Should().Be(row);
            OtherForms.Of(bytes).Any(static other => MemberRow.TryRead(other, out _)).Should().BeFalse();
        }
    }

    [Fact]
    public void An_entry_of_a_later_version_is_kept_whole_when_it_is_canonical()
    {
        byte[] head = [0x95, .. new Leaf.Void(3, AgreementKind.Set, 99, Digest.Zero).Encode().Span[1..18]];
        byte[] entry = [.. head, 16, 3, 0x92, 1, 0x91, 0x90, 0xcc, 200];
        Leaf.TryRead(entry, out Leaf? leaf).Should().BeTrue();
        leaf.Should().Be(new Leaf.Entry(16, 3, ByteString.CopyFrom(entry)));
        Leaf.TryRead([.. head, 16, 3, 0x92, 1, 0x91, 0x90, 0xcc, 20], out _).Should().BeFalse();
        byte[] deep = [.. head, 16, 3, .. Enumerable.Repeat((byte)0x91, 2000), 1, 1];
        Leaf.TryRead(deep, out _).Should().BeFalse();
        Leaf.TryRead([.. head, 6, 3, 1, 1], out _).Should().BeFalse();
    }

    private static RoundLeaves Second() => RoundLeaves.Of(First.After, First.Members, Set, [7, 9], Network.InitialBase, Network.InitialBase);

    private static DecidedValue.Set NewSet() => new(
        Values.Instance(AgreementKind.Set, Network.FormCommittee()) with { Round = 3 },
        1, First.After.Root, Network.InitialBase, 1_000,
        [
            new Inclusion(Network.Members[0].Id, Values.Digest(), 1.5, 1, 10),
            new Inclusion(Network.Members[2].Id, Values.Digest(), 2.5, 0.5, 20),
        ],
        [], [new RecordedDecision(1, AgreementKind.Set, Values.Digest()), new RecordedDecision(2, AgreementKind.Result, Values.Digest())]);
}
