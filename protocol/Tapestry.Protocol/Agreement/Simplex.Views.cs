using Tapestry.Crypto;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Protocol.Agreement;

internal sealed partial class Simplex
{
    private void Enter(int number, Outbox outbox)
    {
        View = number;
        SetViewTimer(outbox);
        Lead(outbox);
        Consider(ViewAt(number), outbox);
    }

    private void SetViewTimer(Outbox outbox)
    {
        // Doubling is capped by the shift too: 2^16 first timers exceed every bound that a plan may set.
        long duration = Math.Min((long)timing.ViewMs << Math.Min(View - 1, 16), timing.ViewMaximumMs);
        TimerId timer = new(TimerKind.View, instance.Round, instance.Agreement, View);
        outbox.Do(new Effect.SetTimer(timer, outbox.Now.MonotonicMs + duration));
    }

    /// <summary>Proposes in the current view, if it is ours to lead and there is a justified value.</summary>
    private void Lead(Outbox outbox)
    {
        SimplexView view = ViewAt(View);
        if (view.Proposal is not null || LeaderOf(View) != self
            || FindParent(View) is not int parent)
        {
            return;
        }

        Digest? value = parent > 0 ? ViewAt(parent).Notarization!.Value : round.Propose(instance, View, outbox);
        if (value is not Digest proposed
            || guard.Sign(instance, new Statement.Propose(View, proposed, parent), outbox) is not SignedStatement signed)
        {
            return;
        }

        outbox.Publish(_others, signed);
        view.Proposal = signed;
        view.ProposedAt = outbox.Now;
    }

    /// <summary>The highest notarized view below with nullifications for all between; 0 when all are nullified; null when one lacks both.</summary>
    private int? FindParent(int below)
    {
        for (int number = below - 1; number > 0; number--)
        {
            SimplexView view = ViewAt(number);
            if (view.Notarization is not null)
            {
                return number;
            }

            if (view.Nullification is null)
            {
                return null;
            }
        }

        return 0;
    }

    private void ReceiveProposal(SimplexView view, SignedStatement signed, Outbox outbox)
    {
        if (LeaderOf(view.Number) != signed.Author)
        {
            return;
        }

        if (view.Proposal is null)
        {
            view.Proposal = signed;
            view.ProposedAt = outbox.Arrived;
            Reconsider(outbox);
        }
        else if (view.Proposal.Statement != signed.Statement && !view.LeaderEquivocated)
        {
            view.LeaderEquivocated = true;
            round.Accuse(view.Proposal, signed, outbox);
            if (view.Number == View)
            {
                Nullify(view, outbox);
            }
        }
    }

    private void Consider(SimplexView view, Outbox outbox)
    {
        if (view.LeaderEquivocated)
        {
            // It may have lied before this member entered the view, or started.
            Nullify(view, outbox);
            return;
        }

        if (view.Proposal is null || view.Notarizes.ContainsKey(self))
        {
            return;
        }

        Judgement judgement = JudgeProposal(view, outbox);
        if (judgement == Judgement.Valid)
        {
            Vote(view, new Statement.Notarize(view.Number, view.Proposed!.Value), outbox);
        }
        else if (judgement == Judgement.Invalid)
        {
            Nullify(view, outbox);
        }
    }

    private Judgement JudgeProposal(SimplexView view, Outbox outbox)
    {
        if (view.Proposed is not Statement.Propose propose)
        {
            return Judgement.Pending;
        }

        Judgement justified = SeededBug == SeededBug.SkipJustification ? Judgement.Valid : Justify(propose);
        if (justified != Judgement.Valid)
        {
            return justified;
        }

        // f + 1 honest members judged a notarized value: to ask again for what they saw could deadlock.
        if (propose.ParentView > 0)
        {
            return round.HoldsBody(instance, propose.Value, _others, outbox) ? Judgement.Valid : Judgement.Pending;
        }

        return round.Judge(instance, propose.Value, view.Number, view.ProposedAt, outbox);
    }

    private Judgement Justify(Statement.Propose propose)
    {
        if (propose.ParentView > 0)
        {
            Certificate? parent = ViewAt(propose.ParentView).Notarization;
            if (parent is null)
            {
                return Judgement.Pending;
            }

            if (parent.Value != propose.Value)
            {
                return Judgement.Invalid;
            }
        }

        return LowestUnjustified(propose) is null ? Judgement.Valid : Judgement.Pending;
    }

    /// <summary>The lowest view whose certificate a proposal needs and this member lacks.</summary>
    private int? LowestUnjustified(Statement.Propose propose)
    {
        if (propose.ParentView > 0 && ViewAt(propose.ParentView).Notarization is null)
        {
            return propose.ParentView;
        }

        for (int number = propose.ParentView + 1; number < propose.View; number++)
        {
            if (ViewAt(number).Nullification is null)
            {
                return number;
            }
        }

        return null;
    }

    private void Nullify(SimplexView view, Outbox outbox)
    {
        if (!view.Finalizes.ContainsKey(self) && !view.Nullifies.ContainsKey(self))
        {
            Vote(view, new Statement.Nullify(view.Number), outbox);
        }
    }

    private void Vote(SimplexView view, Statement vote, Outbox outbox)
    {
        if (guard.Sign(instance, vote, outbox) is SignedStatement signed)
        {
            outbox.Publish(_others, signed);
            Count(view, signed, outbox);
        }
    }

    private void Count(SimplexView view, SignedStatement vote, Outbox outbox)
    {
        VoteKind kind = KindOf(vote.Statement);
        SortedDictionary<MemberId, SignedStatement> votes = view.VotesOf(kind);
        if (votes.TryGetValue(vote.Author, out SignedStatement? first))
        {
            if (first.Statement != vote.Statement)
            {
                round.Accuse(first, vote, outbox);
            }

            return;
        }

        votes.Add(vote.Author, vote);
        AccuseOfBoth(view, vote, outbox);
        Digest value = SimplexView.ValueOf(vote.Statement);
        SignedStatement[] equal = [.. view.VotesFor(kind, value)];
        if (equal.Length >= Quorum)
        {
            Sequence<CertificateVote> signatures = equal.Select(one => new CertificateVote(one.Author, one.Signature)).ToSequence();
            Adopt(new Certificate(instance, kind, view.Number, value, signatures), outbox);
        }
    }

    /// <summary>FINALIZE and NULLIFY of one view by one member are a lie.</summary>
    private void AccuseOfBoth(SimplexView view, SignedStatement vote, Outbox outbox)
    {
        SortedDictionary<MemberId, SignedStatement>? opposite = vote.Statement switch
        {
            Statement.Finalize => view.Nullifies,
            Statement.Nullify => view.Finalizes,
            _ => null,
        };

        if (opposite is not null && opposite.TryGetValue(vote.Author, out SignedStatement? other))
        {
            round.Accuse(other, vote, outbox);
        }
    }

    /// <summary>Acts on a certificate the first time: keeps it, passes it on, and goes where it leads.</summary>
    private void Adopt(Certificate certificate, Outbox outbox)
    {
        if (Decision is not null)
        {
            return;
        }

        SimplexView view = ViewAt(certificate.View);
        bool known = certificate.Kind switch
        {
            VoteKind.Notarize => view.Notarization is not null,
            VoteKind.Nullify => view.Nullification is not null,
            _ => false,
        };
        if (known)
        {
            return;
        }

        // Without a seat there is no vote or view that a notarization could let in.
        bool decides = certificate.Kind == VoteKind.Finalize;
        if (!_votes && !decides)
        {
            return;
        }

        // In the write of this step, and so before any vote or view that depends on it.
        outbox.Put(Table.Certificates, RecordKeys.Certificate(instance, certificate.Kind, certificate.View), certificate.Encode());
        if (decides)
        {
            Decision = certificate;
            round.Decided(certificate, outbox);
            return;
        }

        outbox.Publish(_others, new PeerMessage.Certified(certificate));
        if (certificate.Kind == VoteKind.Notarize)
        {
            view.Notarization = certificate;
            Finalize(view, certificate.Value, outbox);
        }
        else
        {
            view.Nullification = certificate;
        }

        if (Decision is not null)
        {
            return;
        }

        if (view.Number >= View)
        {
            Enter(view.Number + 1, outbox);
        }
        else
        {
            Reconsider(outbox);
        }
    }

    private void Finalize(SimplexView view, Digest value, Outbox outbox)
    {
        bool mayFinalize = (!view.Nullifies.ContainsKey(self) || SeededBug == SeededBug.FinalizeAfterNullify)
            && !view.LeaderEquivocated;
        if (mayFinalize && !view.Finalizes.ContainsKey(self))
        {
            Vote(view, new Statement.Finalize(view.Number, value), outbox);
        }
    }
}
