using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Protocol.Tests.Scenarios;

/// <summary>specs/30-rounds.md, sections 9 and 10: what a member that lacks something asks for, and of whom.</summary>
public sealed class CatchUpTests
{
    private readonly PartnerBench _bench = new();

    private SigningKey First => _bench.Others[0];

    private SigningKey Second => _bench.Others[1];

    private SigningKey Third => _bench.Others[2];

    [Fact]
    public void One_member_that_is_one_round_ahead_is_asked_for_its_record_at_the_resend_timer()
    {
        _bench.Hear(Second, new PeerMessage.Status(2, AgreementKind.None, 0));
        _bench.Effects.OfType<Effect.FetchRound>().Should().BeEmpty();
        _bench.Fire(TimerKind.Resend);
        _bench.Effects.OfType<Effect.FetchRound>().Should().ContainSingle().Which.Providers.Should().Equal(Samples.Id(Second));
    }

    [Fact]
    public void Of_two_members_ahead_another_is_asked_after_a_record_that_is_junk()
    {
        _bench.Hear(First, new PeerMessage.Status(2, AgreementKind.None, 0));
        _bench.Hear(Second, new PeerMessage.Status(2, AgreementKind.None, 0));
        _bench.Fire(TimerKind.Resend);
        MemberId liar = _bench.Effects.OfType<Effect.FetchRound>().Single().Providers[0];
        _bench.EndAll<Effect.FetchRound>(fetch => fetch.Id, _ => new EffectOutcome.Fetched(ByteString.CopyFrom("junk"u8)));
        _bench.Effects.Should().Contain(new Effect.Report(liar, MemberFault.BadBody));
        _bench.Fire(TimerKind.Resend);
        _bench.Effects.OfType<Effect.FetchRound>().Should().ContainSingle().Which.Providers[0].Should().NotBe(liar);
    }

    [Fact]
    public void A_wrong_body_is_asked_for_again_after_the_retry_timer_and_of_another_first()
    {
        Digest missing = DecideWithAnUnseenManifest();
        MemberId first = Fetch(missing).Providers[0];
        _bench.EndAll<Effect.FetchBody>(fetch => fetch.Id, _ => new EffectOutcome.Fetched(ByteString.CopyFrom("junk"u8)));
        _bench.Effects.OfType<Effect.FetchBody>().Should().BeEmpty();
        _bench.Fire(TimerKind.Retry);
        Fetch(missing).Providers[0].Should().NotBe(first);
    }

    [Fact]
    public void What_a_manifest_signs_has_its_digest_and_is_not_the_manifest()
    {
        Digest missing = DecideWithAnUnseenManifest();
        ByteString signingBytes = ByteString.Own(SignedStatement.SigningBytes(
            _bench.Places.Contributing, Samples.Id(Third), _bench.ManifestOf(Third)));
        Digest.Of(signingBytes.Span).Should().Be(missing);
        Fetch(missing).IsAnsweredBy(signingBytes).Should().BeFalse();
        _bench.EndAll<Effect.FetchBody>(fetch => fetch.Id, _ => new EffectOutcome.Fetched(signingBytes));
        _bench.Effects.OfType<Effect.FetchBody>().Should().BeEmpty();
    }

    [Fact]
    public void A_manifest_with_a_signature_that_does_not_hold_is_no_answer()
    {
        Digest missing = DecideWithAnUnseenManifest();
        SignedStatement good = SignedStatement.Sign(_bench.Places.Contributing, Samples.Id(Third), _bench.ManifestOf(Third), Third);
        SignedStatement forged = good with
        {
            Signature = SignedStatement.Sign(_bench.Places.Contributing, Samples.Id(First), good.Statement, First).Signature,
        };
        Fetch(missing).IsAnsweredBy(good.Encode()).Should().BeTrue();
        Fetch(missing).IsAnsweredBy(forged.Encode()).Should().BeFalse();
    }

    [Fact]
    public void A_record_that_lacks_a_manifest_is_refused_and_its_provider_reported()
    {
        DecidedValue.Set set = SetOfThree();
        DecidedValue.Result result = _bench.ResultOf(set, NewBase);
        _bench.Hear(Second, new PeerMessage.Status(2, AgreementKind.None, 0));
        _bench.Fire(TimerKind.Resend);
        RoundRecord record = new(
            set.Encode(), _bench.Decide(set).Encode(), result.Encode(), _bench.Decide(result).Encode(),
            new[] { First, Second, Third }.OrderBy(Samples.Id).Skip(1).Select(key => SignedManifestOf(key).Encode()).ToSequence());
        _bench.EndAll<Effect.FetchRound>(fetch => fetch.Id, _ => new EffectOutcome.Fetched(record.Encode()));
        _bench.Effects.Should().Contain(new Effect.Report(Samples.Id(Second), MemberFault.BadBody));
        _bench.Effects.OfType<Effect.ApplyAggregate>().Should().BeEmpty();
    }

    [Fact]
    public void Who_knows_the_decisions_and_lacks_a_manifest_asks_for_the_record()
    {
        DecideWithAnUnseenManifest(out DecidedValue.Set set);
        DecidedValue.Result result = _bench.ResultOf(set, NewBase);
        _bench.HearDecided(result);
        _bench.Hear(Second, new PeerMessage.Status(2, AgreementKind.None, 0));
        _bench.Fire(TimerKind.Resend);
        RoundRecord record = new(
            set.Encode(), _bench.Decide(set).Encode(), result.Encode(), _bench.Decide(result).Encode(),
            new[] { First, Second, Third }.OrderBy(Samples.Id).Select(key => SignedManifestOf(key).Encode()).ToSequence());
        _bench.EndAll<Effect.FetchRound>(fetch => fetch.Id, _ => new EffectOutcome.Fetched(record.Encode()));
        _bench.Effects.OfType<Effect.ApplyAggregate>().Should().ContainSingle();
    }

    [Fact]
    public void A_base_that_nobody_can_make_or_serve_any_more_is_passed_over()
    {
        PassOverTheBase();
        _bench.Status.Round.Should().Be(2);
        _bench.Status.HoldsBase.Should().BeFalse();
        _bench.Effects.OfType<Effect.Send>().Should().Contain(send => send.Message == new PeerMessage.Status(2, AgreementKind.Set, 0));
    }

    [Fact]
    public void A_seat_without_a_base_has_an_aggregation_deadline()
    {
        DecidedValue.Set first = PassOverTheBase();
        RoundPlaces second = new(2, _bench.Genesis.Digest, _bench.Genesis.Plan.Digest, _bench.Committee.Digest);
        DecidedValue.Set set = first with
        {
            Instance = second.Set,
            TreeSize = _bench.Status.TreeSize,
            TreeRoot = _bench.Status.TreeRoot,
            Base = NewBase,
            CertifiedTimeMs = first.CertifiedTimeMs + 1,
        };
        _bench.HearDecided(set);
        _bench.Effects.OfType<Effect.SetTimer>().Should().Contain(set =>
            set.Timer.Kind == TimerKind.Deadline && set.Timer.Round == 2 && set.Timer.Agreement == AgreementKind.Result);
    }

    [Theory]
    [InlineData(AgreementKind.None, Phase.Contribute)]
    [InlineData(AgreementKind.Set, Phase.Close)]
    public void Who_says_that_it_contributes_is_waited_for_and_who_lacks_the_base_is_not(AgreementKind said, Phase phase)
    {
        DecidedValue.Set set = _bench.SetOf((First, _bench.Contribute(First)), (Second, _bench.Contribute(Second)));
        _bench.HearDecided(set);
        _bench.HearDecided(_bench.ResultOf(set, NewBase));
        _bench.EndAll<Effect.ApplyAggregate>(apply => apply.Id, _ => new EffectOutcome.BaseReady(NewBase));
        _bench.EndAll<Effect.Train>(train => train.Id, _ => new EffectOutcome.Failed(EffectFault.Trainer, null));
        _bench.Hear(Third, new PeerMessage.Status(2, said, 0));
        ContributeToSecondRound(First);
        ContributeToSecondRound(Second);
        _bench.Status.Phase.Should().Be(phase);
    }

    [Fact]
    public void A_member_that_trains_is_expected_by_itself_although_the_last_set_left_it_out()
    {
        DecidedValue.Set first = SetOfThree();
        _bench.HearDecided(first);
        _bench.HearDecided(_bench.ResultOf(first, NewBase));
        _bench.EndAll<Effect.ApplyAggregate>(apply => apply.Id, _ => new EffectOutcome.BaseReady(NewBase));
        _bench.Effects.OfType<Effect.Train>().Should().Contain(train => train.Round == 2);
        foreach (SigningKey author in _bench.Others)
        {
            ContributeToSecondRound(author);
        }

        _bench.Status.Phase.Should().Be(Phase.Contribute);
        _bench.PassDeadline();
        _bench.Status.Phase.Should().Be(Phase.Close);
    }

    private static Digest NewBase => Digest.Of("B_1"u8);

    /// <summary>A manifest for round 2 that two others have receipted.</summary>
    private void ContributeToSecondRound(SigningKey author)
    {
        RoundPlaces second = new(2, _bench.Genesis.Digest, _bench.Genesis.Plan.Digest, _bench.Committee.Digest);
        Statement.Manifest manifest = _bench.ManifestOf(author) with { Base = NewBase, AuthorSequence = 2 };
        _bench.Hear(author, second.Contributing, manifest);
        Digest digest = SignedStatement.Sign(second.Contributing, Samples.Id(author), manifest, author).Digest;
        _bench.Hear(First, second.Holding, PartnerBench.ReceiptOf(digest, 1));
        _bench.Hear(Second, second.Holding, PartnerBench.ReceiptOf(digest, 1));
    }

    /// <summary>Round 1 is decided here; its aggregate and base are gone everywhere, and two members are at round 5.</summary>
    private DecidedValue.Set PassOverTheBase()
    {
        DecidedValue.Set set = SetOfThree();
        _bench.HearDecided(set);
        _bench.HearDecided(_bench.ResultOf(set, NewBase));
        _bench.Hear(First, new PeerMessage.Status(5, AgreementKind.None, 0));
        _bench.Hear(Second, new PeerMessage.Status(5, AgreementKind.None, 0));
        EffectOutcome unavailable = new EffectOutcome.Failed(EffectFault.Unavailable, null);
        for (int attempt = 0; attempt < 4; attempt++)
        {
            _bench.EndAll<Effect.ApplyAggregate>(apply => apply.Id, _ => unavailable);
            _bench.EndAll<Effect.FetchBase>(fetch => fetch.Id, _ => unavailable);
            if (_bench.Status.Round == 1)
            {
                _bench.Fire(TimerKind.Retry);
            }
        }

        return set;
    }

    private DecidedValue.Set SetOfThree() => _bench.SetOf(
        (First, _bench.Contribute(First)), (Second, _bench.Contribute(Second)), (Third, _bench.Contribute(Third)));

    private SignedStatement SignedManifestOf(SigningKey author) =>
        SignedStatement.Sign(_bench.Places.Contributing, Samples.Id(author), _bench.ManifestOf(author), author);

    /// <summary>A set is decided whose third manifest never came here.</summary>
    private Digest DecideWithAnUnseenManifest() => DecideWithAnUnseenManifest(out _);

    private Digest DecideWithAnUnseenManifest(out DecidedValue.Set set)
    {
        Digest unseen = SignedManifestOf(Third).Digest;
        set = _bench.SetOf((First, _bench.Contribute(First)), (Second, _bench.Contribute(Second)), (Third, unseen));
        _bench.HearDecided(set);
        return unseen;
    }

    private Effect.FetchBody Fetch(Digest body) => _bench.Effects.OfType<Effect.FetchBody>().Single(fetch => fetch.Body == body);
}
