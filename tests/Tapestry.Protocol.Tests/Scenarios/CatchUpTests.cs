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

    /// <summary>A set is decided whose third manifest never came here.</summary>
    private Digest DecideWithAnUnseenManifest()
    {
        Digest unseen = SignedStatement.Sign(_bench.Places.Contributing, Samples.Id(Third), _bench.ManifestOf(Third), Third).Digest;
        DecidedValue.Set set = _bench.SetOf((First, _bench.Contribute(First)), (Second, _bench.Contribute(Second)), (Third, unseen));
        _bench.Hear(First, new PeerMessage.Certified(_bench.Decide(set)));
        _bench.ServeBodies(set);
        return unseen;
    }

    private Effect.FetchBody Fetch(Digest body) => _bench.Effects.OfType<Effect.FetchBody>().Single(fetch => fetch.Body == body);
}
