using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Any message may be lost: while a member waits, it says and asks again at every resend timer. specs/30-rounds.md, section 10.
public sealed partial class Partner
{
    private PeerMessage.Status OwnStatus()
    {
        bool isSettling = !IsIdle && _round.Set.Decision is not null;
        Simplex agreement = isSettling ? _round.Result : _round.Set;
        AgreementKind kind = isSettling ? AgreementKind.Result
            : _round.Set.IsStarted || !_head.HoldsBase ? AgreementKind.Set
            : AgreementKind.None;
        return new PeerMessage.Status(_head.Round, kind, agreement.WantedView);
    }

    private void SetResendTimer(Outbox outbox)
    {
        _round.Resends++;
        TimerId timer = new(TimerKind.Resend, _round.Number, AgreementKind.None, _round.Resends);
        outbox.Do(new Effect.SetTimer(timer, outbox.Now.MonotonicMs + _plan.Timing.ResendMs));
    }

    private void Resend(Outbox outbox)
    {
        SetResendTimer(outbox);
        _round.Answers.Clear();

        // A single member that is ahead may be all that is left of a quorum: its record proves itself.
        FetchRound(outbox);

        if (IsIdle)
        {
            return;
        }

        if (!_hasSeat)
        {
            ResendAsFollower(outbox);
        }
        else if (_round.Set.Decision is null)
        {
            ResendClose(outbox);
        }
        else if (_round.Result.Decision is null)
        {
            ResendCertify(outbox);
        }
    }

    private void ResendAsFollower(Outbox outbox)
    {
        // A few seats at a time, others each time: an honest one among them, and no flood of the committee.
        int count = _committee.Faults + 1;
        Sequence<MemberId> asked = Enumerable.Range(0, count)
            .Select(index => _committee.Members[((_round.Resends * count) + index) % _committee.Count]).ToSequence();
        outbox.Send(asked, OwnStatus());
        ResendManifest(outbox);
    }

    private void ResendClose(Outbox outbox)
    {
        ResendManifest(outbox);
        AskEveryone(outbox);
        if (_round.Set.IsStarted)
        {
            _round.Set.Resend(outbox);
        }
        else
        {
            outbox.Send(_otherSeats, OwnStatus());
        }
    }

    /// <summary>Asks for whatever keeps manifests from being eligible, a bounded number at a time, all in turn.</summary>
    private void AskEveryone(Outbox outbox)
    {
        // In turn, so that digests which somebody made up, however low, cannot keep the others from being asked for.
        SortedSet<Digest> missing = [.. _round.Named.Where(manifest => !IsEligible(manifest))];
        missing.UnionWith(_round.Updates.Values.Where(IsStuck).Select(update => update.Digest));
        Digest[] next = [.. missing.Where(IsAfterLast).Concat(missing.Where(manifest => !IsAfterLast(manifest))).Take(Limits.WantedManifests)];
        if (next.Length > 0)
        {
            _round.LastAskedFor = next[^1];
            outbox.Send(_otherSeats, new PeerMessage.Want(_round.Number, next.Order().ToSequence()));
        }

        bool IsAfterLast(Digest manifest) => manifest.CompareTo(_round.LastAskedFor) > 0;
    }

    /// <summary>Whether we have done our part for an update and something of others' is missing.</summary>
    /// <remarks>A text that we never saw is missed once f + 1 receipts say that it exists: fewer may be made up.</remarks>
    private bool IsStuck(HeldUpdate update) =>
        !update.IsEligible && (update.Signed is null ? update.IsFullyReceipted : update.Receipts.HasFrom(_self));

    private void ResendCertify(Outbox outbox)
    {
        if (_round.OwnSettlement is SignedStatement settlement && _round.Settled is null)
        {
            outbox.Send(_otherSeats, settlement);
        }

        if (_round.Result.IsStarted)
        {
            _round.Result.Resend(outbox);
        }
        else
        {
            outbox.Send(_otherSeats, OwnStatus());
        }
    }

    /// <summary>Sends our manifest again to the seats whose receipt is missing.</summary>
    private void ResendManifest(Outbox outbox)
    {
        if (_round.Own is HeldUpdate own && _round.Set.Decision is null)
        {
            outbox.Send(_otherSeats.Where(seat => !own.Receipts.HasFrom(seat)).ToSequence(), own.Signed!);
        }
    }
}
