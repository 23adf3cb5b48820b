using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Xunit;
using Record = Tapestry.Protocol.Partners.Record;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>specs/20-agreement.md, section 5, row by row: one member of a committee of four that does not lead view 1.</summary>
public sealed class SimplexTests
{
    private static readonly Digest X = Digest.Of("x"u8);
    private static readonly Digest Y = Digest.Of("y"u8);

    private readonly Voter _voter = new();

    [Fact]
    public void A_valid_proposal_is_notarized_once()
    {
        _voter.Hear(_voter.Propose(1, X));
        _voter.Hear(_voter.Propose(1, X));
        _voter.Said<Statement.Notarize>().Should().Equal(new Statement.Notarize(1, X));
    }

    [Fact]
    public void A_pending_proposal_gets_no_vote_before_the_view_timer()
    {
        _voter.Round.Judgement = Judgement.Pending;
        _voter.Hear(_voter.Propose(1, X));
        _voter.Start();
        _voter.Votes.Should().BeEmpty();
        _voter.TimeOut(1);
        _voter.Votes.Should().Equal(new Statement.Nullify(1));
    }

    [Fact]
    public void An_invalid_proposal_is_nullified_at_once()
    {
        _voter.Start();
        _voter.Round.Judgement = Judgement.Invalid;
        _voter.Hear(_voter.Propose(1, X));
        _voter.Votes.Should().Equal(new Statement.Nullify(1));
    }

    [Fact]
    public void A_quorum_of_NOTARIZE_leads_to_FINALIZE_and_the_next_view()
    {
        _voter.Hear(_voter.Propose(1, X));
        _voter.HearFromOthers(2, new Statement.Notarize(1, X));
        _voter.Said<Statement.Finalize>().Should().Equal(new Statement.Finalize(1, X));
        _voter.Simplex.View.Should().Be(2);
        _voter.Synced(Table.Certificates).Should().Be(1);
    }

    [Fact]
    public void Whoever_nullified_a_view_does_not_finalize_it()
    {
        _voter.Start();
        _voter.TimeOut(1);
        _voter.HearFromOthers(3, new Statement.Notarize(1, X));
        _voter.Simplex.View.Should().Be(2);
        _voter.Said<Statement.Finalize>().Should().BeEmpty();
    }

    [Fact]
    public void Whoever_finalized_a_view_does_not_nullify_it()
    {
        _voter.Hear(_voter.Propose(1, X));
        _voter.HearFromOthers(2, new Statement.Notarize(1, X));
        _voter.TimeOut(1);
        _voter.Said<Statement.Nullify>().Should().BeEmpty();
    }

    [Fact]
    public void A_quorum_of_NULLIFY_leads_to_the_next_view()
    {
        _voter.HearFromOthers(3, new Statement.Nullify(1));
        _voter.Simplex.View.Should().Be(2);
    }

    [Fact]
    public void A_quorum_of_FINALIZE_decides_in_any_view()
    {
        _voter.HearFromOthers(3, new Statement.Finalize(5, X));
        _voter.Simplex.Decision!.Value.Should().Be(X);
        _voter.Round.Decisions.Should().ContainSingle();
    }

    [Fact]
    public void A_fresh_proposal_needs_the_nullification_of_every_earlier_view()
    {
        _voter.Hear(_voter.Propose(1, X));
        _voter.HearFromOthers(2, new Statement.Notarize(1, X));
        _voter.Hear(_voter.Propose(2, Y));
        _voter.Said<Statement.Notarize>().Should().Equal(new Statement.Notarize(1, X));
    }

    [Fact]
    public void A_re_proposal_is_judged_for_its_body_alone()
    {
        _voter.Start();
        _voter.HearFromOthers(3, new Statement.Notarize(1, X));
        _voter.Round.Judgement = Judgement.Invalid;
        _voter.Hear(_voter.Propose(2, X, parent: 1));
        _voter.Said<Statement.Notarize>().Should().Equal(new Statement.Notarize(2, X));
    }

    [Fact]
    public void A_re_proposal_of_another_value_than_its_parents_is_nullified()
    {
        _voter.Start();
        _voter.HearFromOthers(3, new Statement.Notarize(1, X));
        _voter.Hear(_voter.Propose(2, Y, parent: 1));
        _voter.Votes.Should().Contain(new Statement.Nullify(2)).And.NotContain(new Statement.Notarize(2, Y));
    }

    [Fact]
    public void A_leader_that_proposes_twice_is_accused_and_its_view_nullified()
    {
        _voter.Hear(_voter.Propose(1, X));
        _voter.Hear(_voter.Propose(1, Y));
        _voter.Round.Accused.Should().Be(1);
        _voter.Votes.Should().Contain(new Statement.Nullify(1));
        _voter.HearFromOthers(3, new Statement.Notarize(1, X));
        _voter.Said<Statement.Finalize>().Should().BeEmpty();
    }

    [Fact]
    public void A_leader_that_proposed_twice_before_its_view_finds_it_nullified_on_entry()
    {
        _voter.Hear(_voter.Propose(2, X));
        _voter.Hear(_voter.Propose(2, Y));
        _voter.HearFromOthers(3, new Statement.Nullify(1));
        _voter.Votes.Should().Contain(new Statement.Nullify(2));
    }

    [Fact]
    public void Whoever_jumped_over_views_asks_for_certificates_from_the_lowest_that_it_lacks()
    {
        _voter.HearFromOthers(3, new Statement.Nullify(6));
        _voter.Simplex.View.Should().Be(7);
        _voter.Simplex.WantedView.Should().Be(1);
        _voter.HearFromOthers(3, new Statement.Notarize(2, X));
        _voter.Simplex.WantedView.Should().Be(3);
    }

    [Fact]
    public void Without_a_seat_only_the_decision_is_made_durable()
    {
        Voter follower = new(hasSeat: false);
        follower.HearCertificate(VoteKind.Nullify, 1);
        follower.HearCertificate(VoteKind.Notarize, 2);
        follower.HearCertificate(VoteKind.Notarize, 2);
        follower.Synced(Table.Certificates).Should().Be(0);
        follower.HearCertificate(VoteKind.Finalize, 2);
        follower.Synced(Table.Certificates).Should().Be(1);
        follower.Simplex.CertificateKeys.Should().ContainSingle("what was written is what is deleted");
    }

    [Fact]
    public void FINALIZE_with_NULLIFY_of_one_view_is_evidence()
    {
        _voter.HearFromOthers(1, new Statement.Finalize(1, X));
        _voter.HearFromOthers(1, new Statement.Nullify(1));
        _voter.Round.Accused.Should().Be(1);
    }

    [Fact]
    public void Messages_of_f_plus_one_members_start_the_instance()
    {
        _voter.HearFromOthers(1, new Statement.Nullify(1));
        _voter.Simplex.IsStarted.Should().BeFalse();
        _voter.HearFromOthers(2, new Statement.Nullify(1));
        _voter.Simplex.IsStarted.Should().BeTrue();
    }

    [Fact]
    public void View_timers_double_up_to_the_plans_bound()
    {
        _voter.Start();
        for (int view = 1; view < 7; view++)
        {
            _voter.HearFromOthers(3, new Statement.Nullify(view));
        }

        _voter.ViewTimers.Should().Equal(600, 1200, 2400, 4800, 4800, 4800, 4800);
    }

    [Fact]
    public void After_a_restart_the_same_vote_is_said_and_no_other()
    {
        _voter.Hear(_voter.Propose(1, X));
        ByteString vote = _voter.Sent.Single(sent => sent.Statement is Statement.Notarize).Encode();
        _voter.Restart();
        _voter.Sent.Where(sent => sent.Statement is Statement.Notarize).Select(sent => sent.Encode()).Should().Equal(vote);
        _voter.Hear(_voter.Propose(1, Y));
        _voter.Said<Statement.Notarize>().Should().OnlyContain(said => said.Value == X);
    }

    [Fact]
    public void After_a_restart_a_certificate_still_justifies()
    {
        _voter.Start();
        _voter.HearFromOthers(3, new Statement.Nullify(1));
        _voter.Restart();
        _voter.Simplex.View.Should().Be(2);
        _voter.Hear(_voter.Propose(2, X));
        _voter.Said<Statement.Notarize>().Should().Equal(new Statement.Notarize(2, X));
    }

    [Fact]
    public void Whoever_has_decided_answers_with_the_certificate()
    {
        _voter.HearFromOthers(3, new Statement.Finalize(1, X));
        _voter.Answer().Should().ContainSingle().Which.Should().BeOfType<PeerMessage.Certified>().Which.Certificate.Kind.Should().Be(VoteKind.Finalize);
    }

    private sealed class Voter
    {
        private readonly SigningKey[] _keys = Samples.Keys(4);
        private readonly Committee _committee;
        private readonly Instance _instance;
        private readonly SigningKey _own;
        private readonly SigningKey[] _others;
        private readonly Timing _timing = Samples.Plan.Timing with { ViewMs = 600, ViewMaximumMs = 4800 };
        private readonly List<Step> _steps = [];
        private SignatureGuard _guard;
        private long _nextEffect = 1;

        internal Voter(bool hasSeat = true)
        {
            _committee = Samples.Committee(_keys);
            _instance = new Instance(Digest.Of("n"u8), Digest.Of("p"u8), 1, 0, 0, AgreementKind.Set, _committee.Digest);

            // Leads none of the views that the tests need.
            MemberId[] leaders = [_committee.Leader(_instance, 1), _committee.Leader(_instance, 2)];
            _own = hasSeat ? _keys.First(key => !leaders.Contains(Samples.Id(key))) : Samples.Key(99);
            _others = [.. _keys.Where(key => key != _own)];
            _guard = new SignatureGuard(Samples.Id(_own), _own);
            Simplex = NewSimplex();
        }

        internal StubRound Round { get; } = new();

        internal Simplex Simplex { get; private set; }

        internal IEnumerable<SignedStatement> Sent => _steps.SelectMany(step => step.Effects).MessagesOf()
            .OfType<PeerMessage.Signed>().Select(signed => signed.Statement);

        internal IEnumerable<Statement> Votes => Sent.Select(sent => sent.Statement).Where(said => said is not Statement.Propose);

        internal IEnumerable<long> ViewTimers => _steps.SelectMany(step => step.Effects).OfType<Effect.SetTimer>()
            .Select(timer => timer.AtMonotonicMs);

        internal IEnumerable<T> Said<T>()
            where T : Statement => Sent.Select(sent => sent.Statement).OfType<T>();

        internal int Synced(Table table) => _steps.SelectMany(step => step.Records).Count(record => record.Table == table);

        internal SignedStatement Propose(int view, Digest value, int parent = 0)
        {
            SigningKey leader = _keys.Single(key => Samples.Id(key) == _committee.Leader(_instance, view));
            return Sign(leader, new Statement.Propose(view, value, parent));
        }

        internal void Start() => Do(Simplex.Start);

        internal void TimeOut(int view) => Do(outbox => Simplex.ViewTimedOut(view, outbox));

        internal void Hear(SignedStatement signed) => Do(outbox => Simplex.Receive(signed, outbox));

        internal void HearFromOthers(int count, Statement statement)
        {
            foreach (SigningKey other in _others.Take(count))
            {
                Hear(Sign(other, statement));
            }
        }

        internal void HearCertificate(VoteKind kind, int view)
        {
            Certificate unsigned = new(_instance, kind, view, kind == VoteKind.Nullify ? Digest.Zero : X, []);
            Sequence<CertificateVote> votes = _others.Take(3).Select(key => Sign(key, unsigned.Vote))
                .Select(signed => new CertificateVote(signed.Author, signed.Signature)).ToSequence();
            Do(outbox => Simplex.Receive(unsigned with { Votes = votes }, outbox));
        }

        internal IReadOnlyList<PeerMessage> Answer()
        {
            int before = _steps.Count;
            Do(outbox => Simplex.Answer(Samples.Id(_others[0]), 0, outbox));
            return [.. _steps.Skip(before).SelectMany(step => step.Effects).OfType<Effect.Send>().Select(send => send.Message)];
        }

        internal void Restart()
        {
            Record[] records = [.. _steps.SelectMany(step => step.Records)];
            _steps.Clear();
            _guard = new SignatureGuard(Samples.Id(_own), _own);
            foreach (Record record in records.Where(record => record.Table == Table.Slots))
            {
                SignedStatement.TryRead(record.Value!.Span, out SignedStatement? signed).Should().BeTrue();
                _guard.Restore(record.Key, signed!);
            }

            IEnumerable<Certificate> certificates = records.Where(record => record.Table == Table.Certificates).Select(record =>
                Certificate.TryRead(record.Value!.Span, out Certificate? read) ? read : throw new InvalidOperationException("unreadable"));
            Simplex = NewSimplex();
            Simplex.Restore(certificates, _guard.Signed);
            Do(Simplex.Resume);
        }

        private Simplex NewSimplex() => new(_instance, _committee, Samples.Id(_own), _timing, _guard, Round);

        private SignedStatement Sign(SigningKey key, Statement statement) => SignedStatement.Sign(_instance, Samples.Id(key), statement, key);

        private void Do(Action<Outbox> act)
        {
            Outbox outbox = new(new Instant(0, 0), _nextEffect);
            act(outbox);
            _nextEffect = outbox.NextEffect;
            _steps.Add(outbox.ToStep());
        }
    }

    /// <summary>A round that judges as it is told.</summary>
    private sealed class StubRound : ISimplexRound
    {
        internal Judgement Judgement { get; set; } = Judgement.Valid;

        internal int Accused { get; private set; }

        internal List<Certificate> Decisions { get; } = [];

        public Digest? Propose(Instance instance, int view, Outbox outbox) => null;

        public Judgement Judge(Instance instance, Digest value, int view, Instant arrived, Outbox outbox) => Judgement;

        public bool HoldsBody(Instance instance, Digest value, Sequence<MemberId> providers, Outbox outbox) => true;

        public void Accuse(SignedStatement first, SignedStatement second, Outbox outbox) => Accused++;

        public void Decided(Certificate certificate, Outbox outbox) => Decisions.Add(certificate);
    }
}
