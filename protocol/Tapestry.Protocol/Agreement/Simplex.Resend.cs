using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Protocol.Agreement;

internal sealed partial class Simplex
{
    /// <summary>Certificates in one answer: enough to walk back a long disturbance in a few answers, and a bound for any one.</summary>
    internal const int CertificatesPerAnswer = 16;

    /// <summary>The view from which this member wants certificates: the lowest that it lacks and needs.</summary>
    internal int WantedView => !IsStarted ? 0
        : ViewAt(View).Proposed is Statement.Propose propose ? LowestUnjustified(propose) ?? View
        : LowestUnknown ?? View;

    /// <summary>The lowest view without any certificate that keeps this member from leading: an answer goes up from there.</summary>
    private int? LowestUnknown
    {
        get
        {
            int? lowest = null;
            for (int number = View - 1; number > 0 && ViewAt(number).Notarization is null; number--)
            {
                if (ViewAt(number).Nullification is null)
                {
                    lowest = number;
                }
            }

            return lowest;
        }
    }

    /// <summary>Says everything again that a message lost may have kept from being decided.</summary>
    internal void Resend(Outbox outbox)
    {
        if (!_votes || !IsStarted || Decision is not null)
        {
            return;
        }

        foreach (PeerMessage message in Position())
        {
            outbox.Send(_others, message);
        }

        outbox.Send(_others, new PeerMessage.Status(instance.Round, instance.Agreement, WantedView));
        Reconsider(outbox);
    }

    /// <summary>Answers a member that says where it stands in this instance.</summary>
    internal void Answer(MemberId to, int wantedView, Outbox outbox)
    {
        if (Decision is not null)
        {
            outbox.Send(to, new PeerMessage.Certified(Decision));
            return;
        }

        if (!_votes || !IsStarted || !committee.Contains(to))
        {
            return;
        }

        int sent = 0;
        foreach (SimplexView view in _views.Values.Where(view => view.Number >= wantedView && view.Number < View))
        {
            foreach (Certificate? certificate in (ReadOnlySpan<Certificate?>)[view.Notarization, view.Nullification])
            {
                if (certificate is not null && sent < CertificatesPerAnswer)
                {
                    outbox.Send(to, new PeerMessage.Certified(certificate));
                    sent++;
                }
            }
        }

        foreach (PeerMessage message in Position())
        {
            outbox.Send(to, message);
        }
    }

    /// <summary>Where this member stands: what let it into its view, what it said in it, and its last FINALIZE.</summary>
    private List<PeerMessage> Position()
    {
        // A list and not an iterator: an iterator asks which thread it is on, and the rules know no threads.
        List<PeerMessage> messages = [];
        SimplexView view = ViewAt(View);
        if (View > 1)
        {
            SimplexView before = ViewAt(View - 1);
            if ((before.Notarization ?? before.Nullification) is Certificate entry)
            {
                messages.Add(new PeerMessage.Certified(entry));
            }
        }

        if (view.Proposal?.Author == self)
        {
            messages.Add(new PeerMessage.Signed(view.Proposal));
        }

        foreach (VoteKind kind in (VoteKind[])[VoteKind.Notarize, VoteKind.Nullify])
        {
            if (view.VotesOf(kind).TryGetValue(self, out SignedStatement? vote))
            {
                messages.Add(new PeerMessage.Signed(vote));
            }
        }

        SimplexView? finalized = _views.Values.LastOrDefault(one => one.Finalizes.ContainsKey(self));
        if (finalized is not null)
        {
            messages.Add(new PeerMessage.Signed(finalized.Finalizes[self]));
        }

        return messages;
    }
}
