using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Protocol.Tests.Scenarios;

/// <summary>specs/30-rounds.md, section 4: what a voter of the set agreement does with what it is offered.</summary>
public sealed class CloseTests
{
    private readonly PartnerBench _bench = new();

    private SigningKey First => _bench.Others[0];

    private SigningKey Second => _bench.Others[1];

    private SigningKey Third => _bench.Others[2];

    private DecidedValue.Void EmptySet => new(_bench.Places.Set, _bench.Ms, Digest.Zero);

    [Fact]
    public void A_set_that_lacks_an_expected_member_is_pending_until_the_deadline_and_valid_after_it()
    {
        (SigningKey, Digest)[] two = [(First, _bench.Contribute(First)), (Second, _bench.Contribute(Second))];
        _bench.Propose(_bench.Places.Set, 1, _bench.SetOf(two));
        Votes().Should().BeEmpty();
        _bench.PassDeadline();
        Votes().Should().ContainSingle().Which.Should().BeOfType<Statement.Notarize>();
    }

    [Fact]
    public void A_set_that_leaves_out_a_member_in_time_is_nullified_and_what_it_left_out_is_shown()
    {
        (SigningKey, Digest)[] two = [(First, _bench.Contribute(First)), (Second, _bench.Contribute(Second))];
        Digest leftOut = _bench.Contribute(Third);
        _bench.PassDeadline();
        _bench.Effects.Clear();
        _bench.Propose(_bench.Places.Set, 1, _bench.SetOf(two) with { CertifiedTimeMs = _bench.Ms });
        Votes().Should().Equal(new Statement.Nullify(1));
        _bench.Sent.Should().Contain(sent => sent.Digest == leftOut);
    }

    [Fact]
    public void Manifests_without_receipts_are_asked_for_and_the_set_stays_pending()
    {
        Digest known = _bench.Contribute(First);
        Digest unknown = Digest.Of("a manifest that was never sent here"u8);
        _bench.PassDeadline();
        _bench.Propose(_bench.Places.Set, 1, _bench.SetOf((First, known), (Second, unknown)));
        Votes().Should().BeEmpty();
        _bench.Effects.OfType<Effect.Send>().Select(send => send.Message).OfType<PeerMessage.Want>().Should()
            .ContainSingle().Which.Manifests.Should().Equal(unknown);
    }

    [Fact]
    public void A_set_with_another_weight_is_nullified()
    {
        DecidedValue.Set set = _bench.SetOf((First, _bench.Contribute(First)), (Second, _bench.Contribute(Second)));
        _bench.PassDeadline();
        Inclusion heavier = set.Included[0] with { Weight = set.Included[0].Weight + 1 };
        _bench.Propose(_bench.Places.Set, 1, set with { Included = [heavier, set.Included[1]], CertifiedTimeMs = _bench.Ms });
        Votes().Should().Equal(new Statement.Nullify(1));
    }

    [Fact]
    public void A_set_whose_time_is_beyond_the_skew_is_nullified()
    {
        DecidedValue.Set set = _bench.SetOf((First, _bench.Contribute(First)), (Second, _bench.Contribute(Second)));
        _bench.PassDeadline();
        _bench.Propose(_bench.Places.Set, 1, set with { CertifiedTimeMs = _bench.Ms + 1_001 });
        Votes().Should().Equal(new Statement.Nullify(1));
    }

    [Fact]
    public void VOID_before_the_deadline_is_pending_and_after_it_valid_while_too_few_are_receipted()
    {
        _bench.Contribute(First);
        _bench.Propose(_bench.Places.Set, 1, EmptySet);
        Votes().Should().BeEmpty();
        _bench.PassDeadline();
        Votes().Should().ContainSingle().Which.Should().BeOfType<Statement.Notarize>();
    }

    [Fact]
    public void VOID_is_nullified_while_enough_are_receipted()
    {
        _bench.Contribute(First);
        _bench.Contribute(Second);
        _bench.PassDeadline();
        _bench.Propose(_bench.Places.Set, 1, EmptySet);
        Votes().Should().Equal(new Statement.Nullify(1));
    }

    [Fact]
    public void Conflicting_receipts_are_evidence_and_the_truth_still_counts()
    {
        Digest manifest = _bench.Contribute(Third);
        _bench.Hear(First, _bench.Places.Holding, PartnerBench.ReceiptOf(manifest, 99));
        _bench.Rows(Table.Evidence).Should().ContainSingle();
        _bench.Effects.Should().Contain(new Effect.Report(Samples.Id(First), MemberFault.Equivocation));
        _bench.Rows(Table.Receipts).Should().ContainSingle();
    }

    [Fact]
    public void A_second_manifest_of_a_member_is_evidence()
    {
        _bench.Contribute(Third);
        _bench.Hear(Third, _bench.Places.Contributing, _bench.ManifestOf(Third) with { Tokens = 7 });
        _bench.Rows(Table.Evidence).Should().ContainSingle();
    }

    [Fact]
    public void A_manifest_for_another_base_is_refused_and_reported()
    {
        _bench.Hear(Third, _bench.Places.Contributing, _bench.ManifestOf(Third) with { Base = Digest.Of("another"u8) });
        _bench.Effects.Should().Contain(new Effect.Report(Samples.Id(Third), MemberFault.WrongBase));
        _bench.Rows(Table.Bodies).Should().BeEmpty();
    }

    [Fact]
    public void After_a_restart_counted_receipts_and_the_vote_are_still_there()
    {
        (SigningKey, Digest)[] two = [(First, _bench.Contribute(First)), (Second, _bench.Contribute(Second))];
        _bench.PassDeadline();
        _bench.Propose(_bench.Places.Set, 1, _bench.SetOf(two) with { CertifiedTimeMs = _bench.Ms });
        SignedStatement vote = _bench.Sent.Last(sent => sent.Statement is Statement.Notarize);
        _bench.Restart();
        _bench.Sent.Where(sent => sent.Statement is Statement.Notarize).Distinct().Should().Equal(vote);
        _bench.Effects.OfType<Effect.SetTimer>().Should().Contain(timer => timer.Timer.Kind == TimerKind.View);
    }

    [Fact]
    public void A_contributor_is_checked_once_its_manifest_is_here_and_gets_one_receipt()
    {
        _bench.Hear(Third, _bench.Places.Contributing, _bench.ManifestOf(Third));
        _bench.EndAll<Effect.CheckShards>(check => check.Id, _ => new EffectOutcome.ShardsChecked([1, 2]));
        _bench.Said<Statement.Receipt>().Should().ContainSingle().Which.Sums.Should().Equal(new SliceSum(0, 1), new SliceSum(1, 2));
    }

    [Fact]
    public void Receipts_of_one_seat_do_not_open_a_door_for_a_third_manifest()
    {
        for (int number = 0; number < 5; number++)
        {
            Statement.Manifest manifest = _bench.ManifestOf(Third) with { Tokens = 100 + number };
            _bench.Hear(First, _bench.Places.Holding, PartnerBench.ReceiptOf(_bench.DigestOf(Third, manifest), 1));
            _bench.PassResend();
            _bench.Hear(Third, _bench.Places.Contributing, manifest);
        }

        _bench.Rows(Table.Bodies).Should().HaveCount(2);
        Wanted().Should().BeEmpty("one receipt does not say that a manifest exists");
    }

    [Fact]
    public void A_third_manifest_that_is_fully_receipted_is_asked_for_and_held()
    {
        Statement.Manifest third = _bench.ManifestOf(Third) with { Tokens = 3 };
        Digest digest = _bench.DigestOf(Third, third);
        _bench.Contribute(Third);
        _bench.Hear(Third, _bench.Places.Contributing, _bench.ManifestOf(Third) with { Tokens = 2 });
        _bench.Hear(First, _bench.Places.Holding, PartnerBench.ReceiptOf(digest, 1));
        _bench.Hear(Second, _bench.Places.Holding, PartnerBench.ReceiptOf(digest, 1));
        _bench.PassResend();
        Wanted().Should().Equal(digest);
        _bench.Hear(Third, _bench.Places.Contributing, third);
        _bench.Rows(Table.Bodies).Should().HaveCount(3);
    }

    [Fact]
    public void More_missing_manifests_than_one_Want_holds_are_asked_for_in_turn()
    {
        Digest[] missing = [.. Enumerable.Range(0, Limits.WantedManifests + 4).Select(number => Digest.Of([(byte)number])).Order()];
        _bench.PassDeadline();
        int view = 1;
        foreach (Digest[] names in missing.Chunk(3))
        {
            for (; _bench.Committee.Leader(_bench.Places.Set, view) == _bench.Self; view++)
            {
                Nullify(view);
            }

            _bench.Propose(_bench.Places.Set, view, _bench.SetOf((First, names[0]), (Second, names[1]), (Third, names[2])));
            Nullify(view++);
        }

        _bench.Effects.Clear();
        _bench.PassResend();
        _bench.PassResend();
        Wanted().Distinct().Order().Should().Equal(missing);
    }

    [Fact]
    public void A_member_that_asks_without_end_is_answered_a_few_times_between_two_resend_timers()
    {
        Digest manifest = _bench.Contribute(First);
        Ask(manifest).Should().Be(4);
        Ask(manifest).Should().Be(0);
        _bench.PassResend();
        Ask(manifest).Should().Be(4);
    }

    [Fact]
    public void A_proposal_that_came_before_its_round_is_held_against_the_clock_of_its_arrival()
    {
        long round = 2;
        while (_bench.Committee.Leader(Place(round), 1) == _bench.Self)
        {
            _bench.DecideVoid(round++ - 1);
        }

        DecidedValue.Void early = new(Place(round), _bench.Ms + 900, Digest.Zero);
        _bench.Propose(Place(round), 1, early);
        _bench.Ms += 10_000;
        _bench.DecideVoid(round - 1);
        _bench.ServeBodies(early);
        _bench.PassDeadline();
        Votes().Should().Equal(new Statement.Notarize(1, early.Digest));

        Instance Place(long number) => _bench.Places.Set with { Round = number };
    }

    private void Nullify(int view)
    {
        foreach (SigningKey other in _bench.Others)
        {
            _bench.Hear(other, _bench.Places.Set, new Statement.Nullify(view));
        }
    }

    private int Ask(Digest manifest)
    {
        _bench.Effects.Clear();
        for (int time = 0; time < 9; time++)
        {
            _bench.Do(new PartnerEvent.MessageReceived(Samples.Id(Second), new PeerMessage.Want(1, [manifest])));
        }

        return _bench.Sent.Count(sent => sent.Digest == manifest);
    }

    private IEnumerable<Digest> Wanted() => _bench.Effects.OfType<Effect.Send>().Select(send => send.Message)
        .OfType<PeerMessage.Want>().SelectMany(want => want.Manifests);

    private IEnumerable<Statement> Votes() => _bench.Sent.Where(sent => sent.Author == _bench.Self)
        .Select(sent => sent.Statement).Where(said => said is Statement.Notarize or Statement.Nullify).Distinct();
}
