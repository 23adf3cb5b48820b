using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Agreement;

/// <summary>
/// One-shot Simplex: the members of a committee decide one value. Both agreements of a round run on it.
/// </summary>
/// <remarks>
/// <para>specs/20-agreement.md. In view v the leader proposes; members NOTARIZE what is justified and Valid. A quorum of
/// NOTARIZE moves everyone to v + 1, and whoever has not nullified v signs FINALIZE; a quorum of FINALIZE decides. A timer, or
/// an Invalid proposal, makes a member NULLIFY; a quorum of that moves everyone to v + 1 too. Nobody signs both for one view.</para>
/// <para>Why no two values are decided: a quorum of FINALIZE in v and one of NULLIFY in v would share an honest member, so every
/// later justified proposal descends from the value notarized in v; and one view notarizes one value.</para>
/// <para>This file: what comes in. Simplex.Views.cs: what a member does. Simplex.Resend.cs: what it says again.</para>
/// </remarks>
/// <param name="instance">The agreement.</param>
/// <param name="committee">Who decides.</param>
/// <param name="self">This member; without a seat it only takes over decisions.</param>
/// <param name="timing">View timers.</param>
/// <param name="guard">Signs.</param>
/// <param name="round">Proposes and judges.</param>
internal sealed partial class Simplex(
    Instance instance, Committee committee, MemberId self, Timing timing, SignatureGuard guard, ISimplexRound round)
{
    /// <summary>How far above its own view a member keeps votes; farther ones come again when it gets there.</summary>
    internal const int ViewWindow = 32;

    private readonly SortedDictionary<int, SimplexView> _views = [];
    private readonly SortedSet<MemberId> _heard = [];
    private readonly bool _votes = committee.Contains(self);
    private readonly Sequence<MemberId> _leaders = committee.Leaders(instance);
    private readonly Sequence<MemberId> _others = committee.Members.Where(member => member != self).ToSequence();

    internal Instance Instance => instance;

    /// <summary>The current view; 0 until the instance starts at this member.</summary>
    internal int View { get; private set; }

    internal bool IsStarted => View > 0;

    /// <summary>The certificate of FINALIZE, once there is one.</summary>
    internal Certificate? Decision { get; private set; }

    internal SeededBug SeededBug { get; init; }

    /// <summary>The keys of all certificates that were made durable.</summary>
    internal IEnumerable<ByteString> CertificateKeys => _views.Values
        .SelectMany(view => (Certificate?[])[view.Notarization, view.Nullification]).Append(Decision)
        .Where(certificate => certificate is not null)
        .Select(certificate => RecordKeys.Certificate(instance, certificate!.Kind, certificate.View));

    private int Quorum => committee.Quorum - (SeededBug == SeededBug.QuorumMinusOne ? 1 : 0);

    /// <summary>Starts at view 1, if the instance has not started: its input is complete, or its deadline has passed.</summary>
    internal void Start(Outbox outbox)
    {
        if (_votes && !IsStarted && Decision is null)
        {
            Enter(1, outbox);
        }
    }

    /// <summary>Takes a proposal or vote whose signature holds.</summary>
    internal void Receive(SignedStatement signed, Outbox outbox)
    {
        int number = ViewOf(signed.Statement);
        if (Decision is not null || !_votes || signed.Instance != instance || !committee.Contains(signed.Author)
            || number > View + ViewWindow)
        {
            return;
        }

        _heard.Add(signed.Author);
        if (signed.Statement is Statement.Propose)
        {
            ReceiveProposal(ViewAt(number), signed, outbox);
        }
        else
        {
            Count(ViewAt(number), signed, outbox);
        }

        if (Decision is null && !IsStarted && _heard.Count > committee.Faults)
        {
            Start(outbox);
        }
    }

    /// <summary>Takes a certificate whose signatures hold.</summary>
    internal void Receive(Certificate certificate, Outbox outbox)
    {
        if (certificate.Instance == instance && Decision is null && HasQuorum(certificate))
        {
            Adopt(certificate, outbox);
        }
    }

    /// <summary>The timer of a view ran out.</summary>
    internal void ViewTimedOut(int number, Outbox outbox)
    {
        if (Decision is null && number == View)
        {
            Nullify(ViewAt(number), outbox);
        }
    }

    /// <summary>Something that a judgement or a proposal may have waited for has changed.</summary>
    internal void Reconsider(Outbox outbox)
    {
        if (Decision is not null || !_votes)
        {
            return;
        }

        if (IsStarted)
        {
            Lead(outbox);
            Consider(ViewAt(View), outbox);
        }
        else if (_views.TryGetValue(1, out SimplexView? first) && JudgeProposal(first, outbox) == Judgement.Valid)
        {
            Start(outbox);
        }
    }

    /// <summary>Takes over what was synced in an earlier life; nothing is sent until <see cref="Resume"/>.</summary>
    internal void Restore(IEnumerable<Certificate> certificates, IEnumerable<SignedStatement> own)
    {
        foreach (Certificate certificate in certificates.Where(held => held.Instance == instance))
        {
            SimplexView view = ViewAt(certificate.View);
            switch (certificate.Kind)
            {
                case VoteKind.Notarize:
                    view.Notarization = certificate;
                    break;
                case VoteKind.Nullify:
                    view.Nullification = certificate;
                    break;
                default:
                    Decision = certificate;
                    break;
            }

            View = Math.Max(View, certificate.Kind == VoteKind.Finalize ? certificate.View : certificate.View + 1);
        }

        foreach (SignedStatement signed in own.Where(held => held.Instance == instance))
        {
            SimplexView view = ViewAt(ViewOf(signed.Statement));
            if (signed.Statement is Statement.Propose)
            {
                view.Proposal = signed;
            }
            else
            {
                view.VotesOf(KindOf(signed.Statement))[self] = signed;
            }

            View = Math.Max(View, view.Number);
        }
    }

    /// <summary>Goes on after <see cref="Restore"/>: the timer of the view, and everything that was said in it, again.</summary>
    internal void Resume(Outbox outbox)
    {
        if (Decision is not null)
        {
            round.Decided(Decision, outbox);
        }
        else if (_votes && IsStarted)
        {
            // When the proposal first arrived is not kept; for our own vote now is as good.
            ViewAt(View).ProposedAt = outbox.Now;
            SetViewTimer(outbox);
            Resend(outbox);
            Reconsider(outbox);
        }
    }

    internal Statement.Propose? ProposalOf(int view) => _views.GetValueOrDefault(view)?.Proposed;

    /// <summary>Who leads a view, from 1.</summary>
    internal MemberId LeaderOf(int view) => _leaders[(view - 1) % _leaders.Count];

    private bool HasQuorum(Certificate certificate) =>
        certificate.Votes.Count >= Quorum && certificate.Votes.All(vote => committee.Contains(vote.Author));

    private SimplexView ViewAt(int number)
    {
        if (!_views.TryGetValue(number, out SimplexView? view))
        {
            view = new SimplexView(number);
            _views.Add(number, view);
        }

        return view;
    }

    private static int ViewOf(Statement statement) => statement switch
    {
        Statement.Propose propose => propose.View,
        Statement.Notarize notarize => notarize.View,
        Statement.Nullify nullify => nullify.View,
        Statement.Finalize finalize => finalize.View,
        _ => throw new ArgumentException($"A {statement.GetType().Name} belongs to no view.", nameof(statement)),
    };

    private static VoteKind KindOf(Statement statement) => statement switch
    {
        Statement.Notarize => VoteKind.Notarize,
        Statement.Nullify => VoteKind.Nullify,
        Statement.Finalize => VoteKind.Finalize,
        _ => throw new ArgumentException($"A {statement.GetType().Name} is no vote.", nameof(statement)),
    };
}
