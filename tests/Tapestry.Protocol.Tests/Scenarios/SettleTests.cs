using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Protocol.Tests.Scenarios;

/// <summary>specs/30-rounds.md, section 5: what a seat does once a set is decided.</summary>
public sealed class SettleTests
{
    private readonly PartnerBench _bench = new();

    private SigningKey First => _bench.Others[0];

    private SigningKey Second => _bench.Others[1];

    private SigningKey Third => _bench.Others[2];

    [Fact]
    public void A_set_over_another_ledger_halts_the_member_and_does_not_throw()
    {
        DecidedValue.Set set = _bench.SetOf((First, _bench.Contribute(First)), (Second, _bench.Contribute(Second)));
        _bench.PassDecision(set with { TreeRoot = Digest.Of("another ledger"u8) });
        _bench.Status.Phase.Should().Be(Phase.Halted);
        _bench.Effects.OfType<Effect.Halt>().Should().ContainSingle().Which.Reason.Should().Contain("ledger");
        _bench.Rows(Table.Entries).Should().ContainSingle("only the genesis is recorded");
    }

    [Fact]
    public void Settlements_of_two_sets_by_one_member_are_evidence()
    {
        SliceOutcome[] slices = [.. Enumerable.Range(0, PartnerBench.SliceCount).Select(slice => new SliceOutcome(slice, Digest.Of("a"u8), Digest.Of("b"u8)))];
        foreach (Digest set in (Digest[])[Digest.Of("one set"u8), Digest.Of("one set"u8), Digest.Of("another set"u8)])
        {
            _bench.Hear(First, _bench.Places.Holding, new Statement.Settlement(set, 0, Sequence.Create<SliceOutcome>(slices)));
        }

        _bench.Rows(Table.Evidence).Should().ContainSingle();
        _bench.Effects.Should().ContainSingle(effect => effect is Effect.Report)
            .Which.Should().Be(new Effect.Report(Samples.Id(First), MemberFault.Equivocation));
    }

    [Fact]
    public void Once_a_set_is_decided_only_shards_of_the_included_are_still_checked()
    {
        (SigningKey, Digest)[] two = [(First, _bench.Contribute(First)), (Second, _bench.Contribute(Second))];
        Digest leftOut = _bench.Contribute(Third);
        EffectId check = _bench.Effects.OfType<Effect.CheckShards>().Single(one => one.Manifest == _bench.ManifestOf(Third)).Id;
        _bench.PassDecision(_bench.SetOf(two));
        _bench.Effects.OfType<Effect.Cancel>().Should().Equal(new Effect.Cancel(check));
        _bench.Effects.OfType<Effect.Aggregate>().Should().ContainSingle().Which.Contributions.Should().NotContain(one => one.Manifest == leftOut);
    }

    [Fact]
    public void The_head_of_the_longest_run_of_VOIDs_that_a_plan_allows_can_be_read_again()
    {
        RecordedDecision decision = new(1_000_000, AgreementKind.Set, Digest.Of("void"u8));
        Head head = new(
            1_000_000, Digest.Zero, true, Digest.Zero, ByteString.Empty, 1, Sequence<MemberId>.Empty,
            Enumerable.Repeat(decision, 2_000_000).ToSequence(), 0);
        Head.TryRead(head.Encode().Span, out Head? read).Should().BeTrue();
        read!.Unrecorded.Count.Should().Be(2_000_000);
    }
}
