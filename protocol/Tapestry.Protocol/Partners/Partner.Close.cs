using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Close: propose and judge which manifests count, or VOID. specs/30-rounds.md, section 4.
public sealed partial class Partner
{
    private void AdvanceClose(Outbox outbox)
    {
        if (_round.Set.Decision is Certificate decision)
        {
            HoldsBody(_round.Places.Set, decision.Value, SignersOf(decision), outbox);
            return;
        }

        if (!_round.Set.IsStarted && _hasSeat && (_round.DeadlinePassed || IsInputComplete()))
        {
            _round.Set.Start(outbox);
        }

        _round.Set.Reconsider(outbox);
    }

    Digest? ISimplexRound.Propose(Instance instance, int view, Outbox outbox)
    {
        DecidedValue? value = instance.Agreement == AgreementKind.Set ? ProposeSet(outbox.Now) : ProposeResult(view);
        if (value is null)
        {
            return null;
        }

        ByteString body = value.Encode();
        Digest digest = Digest.Of(body.Span);
        _round.Values[digest] = value;
        KeepBody(digest, body, outbox);
        return digest;
    }

    Judgement ISimplexRound.Judge(Instance instance, Digest value, int view, Instant arrived, Outbox outbox)
    {
        MemberId leader = AgreementOf(instance)!.LeaderOf(view);
        if (_round.BadBodies.Contains(value))
        {
            return Judgement.Invalid;
        }

        if (!HoldsBody(instance, value, [leader, .. _otherSeats.Where(seat => seat != leader)], outbox))
        {
            return Judgement.Pending;
        }

        Judgement judgement = (instance.Agreement, _round.Values[value]) switch
        {
            (AgreementKind.Set, DecidedValue.Set set) => JudgeSet(set, view, arrived, outbox),
            (AgreementKind.Set, DecidedValue.Void empty) => JudgeVoidSet(empty, view, arrived),
            (AgreementKind.Result, DecidedValue.Result result) => JudgeResult(result),
            (AgreementKind.Result, DecidedValue.Void empty) => JudgeVoidResult(empty, view),
            _ => Judgement.Invalid,
        };
        return judgement;
    }

    private DecidedValue? ProposeSet(Instant now)
    {
        if (!_round.DeadlinePassed && !IsInputComplete())
        {
            return null;
        }

        long time = Math.Max(now.WallMs, _head.CertifiedTimeMs + 1);
        return (DecidedValue?)BuildSet(time)
            ?? (_round.DeadlinePassed ? new DecidedValue.Void(_round.Places.Set, time, Digest.Zero) : null);
    }

    /// <summary>
    /// Whether everyone who is expected, said that it contributes, or is this member and trains, is fully receipted, and the plan's minimum.
    /// </summary>
    private bool IsInputComplete() =>
        _round.Eligible.Count >= _plan.Influence.MinimumMembers
        && _head.LastSet.All(_round.Eligible.Contains)
        && _round.Contributing.All(_round.Eligible.Contains)
        && (_round.Eligible.Contains(_self) || (_round.Own is null && !_works.IsRunning<Work.Train>()));

    /// <summary>The set of everyone who is fully receipted here; null when they are too few.</summary>
    private DecidedValue.Set? BuildSet(long timeMs)
    {
        SortedDictionary<MemberId, HeldUpdate> byMember = [];
        foreach (HeldUpdate update in _round.Updates.Values.Where(update => update.IsEligible))
        {
            // Of an equivocator's manifests the lowest digest: any one will do, as long as it is one.
            byMember.TryAdd(update.Signed!.Author, update);
        }

        return byMember.Count < _plan.Influence.MinimumMembers
            ? null
            : new DecidedValue.Set(
                _round.Places.Set, Frontier.Size, Frontier.Root, _head.Base, timeMs, Weigh([.. byMember.Values]),
                Sequence<Digest>.Empty, DecisionsToRecord);
    }

    private Sequence<RecordedDecision> DecisionsToRecord => _head.Unrecorded.Take(Limits.RecordedDecisions).ToSequence();

    private Judgement JudgeSet(DecidedValue.Set set, int view, Instant arrived, Outbox outbox)
    {
        bool standsHere = set.Instance == _round.Places.Set
            && set.TreeSize == Frontier.Size
            && set.TreeRoot == Frontier.Root
            && set.Base == _head.Base
            && set.OtherEntries.Count == 0
            && set.RecordedCertificates.Equals(DecisionsToRecord)
            && set.Included.Count >= _plan.Influence.MinimumMembers
            && set.Included.All(inclusion => _members.Contains(inclusion.Member));
        if (!standsHere)
        {
            return Judgement.Invalid;
        }

        Judgement time = JudgeTime(set.CertifiedTimeMs, arrived);
        if (time != Judgement.Valid)
        {
            return time;
        }

        List<HeldUpdate> updates = [];
        foreach (Inclusion inclusion in set.Included)
        {
            HeldUpdate? update = _round.Updates.GetValueOrDefault(inclusion.Manifest);
            if (update is null || !update.IsEligible)
            {
                _round.Named.Add(inclusion.Manifest);
            }
            else if (update.Signed!.Author != inclusion.Member)
            {
                return Judgement.Invalid;
            }
            else
            {
                updates.Add(update);
            }
        }

        if (updates.Count < set.Included.Count)
        {
            AskLeader(_round.Set.LeaderOf(view), outbox);
            return Judgement.Pending;
        }

        return !set.Included.Equals(Weigh(updates)) ? Judgement.Invalid : JudgeOmissions(set, view, outbox);
    }

    private Judgement JudgeTime(long timeMs, Instant arrived) =>
        timeMs <= _head.CertifiedTimeMs || timeMs < arrived.WallMs - _plan.Timing.SkewMs ? Judgement.Invalid
        : timeMs > arrived.WallMs + _plan.Timing.SkewMs ? Judgement.Invalid
        : Judgement.Valid;

    private Judgement JudgeOmissions(DecidedValue.Set set, int view, Outbox outbox)
    {
        if (_seededBug == SeededBug.OmissionIsFine)
        {
            return Judgement.Valid;
        }

        SortedSet<MemberId> included = [.. set.Included.Select(inclusion => inclusion.Member)];
        if (!_round.DeadlinePassed && !_head.LastSet.All(included.Contains))
        {
            return Judgement.Pending;
        }

        if (view > _committee.Faults + 1)
        {
            return Judgement.Valid;
        }

        HeldUpdate[] leftOut = [.. _round.Updates.Values.Where(update =>
            update.IsEligible
            && update.ReceiptedBeforeDeadlineMs >= _plan.Timing.CloseMarginMs
            && !included.Contains(update.Signed!.Author))];
        if (leftOut.Length == 0)
        {
            return Judgement.Valid;
        }

        // So that the next leader has what this one left out, or lacked.
        if (_round.OmissionsShown.Add(view))
        {
            foreach (HeldUpdate update in leftOut)
            {
                Show(update, _otherSeats, outbox);
            }
        }

        return Judgement.Invalid;
    }

    private Judgement JudgeVoidSet(DecidedValue.Void empty, int view, Instant arrived)
    {
        if (_seededBug == SeededBug.VoidIsAlwaysValid)
        {
            return Judgement.Valid;
        }

        if (empty.Instance != _round.Places.Set || !empty.SetDigest.IsZero)
        {
            return Judgement.Invalid;
        }

        Judgement time = JudgeTime(empty.CertifiedTimeMs, arrived);
        if (time != Judgement.Valid)
        {
            return time;
        }

        if (!_round.DeadlinePassed)
        {
            return Judgement.Pending;
        }

        // Receipts alone count here: a manifest that is fully receipted exists, whoever holds its text.
        int receipted = _round.Updates.Values.Where(update => update.IsFullyReceipted)
            .Select(update => update.Signed?.Author.Key.ToString() ?? update.Digest.ToString()).Distinct().Count();
        bool isTooFew = receipted < _plan.Influence.MinimumMembers;
        bool isLastResort = view > _committee.Faults + 1 && BuildSet(empty.CertifiedTimeMs) is null;
        return isTooFew || isLastResort ? Judgement.Valid : Judgement.Invalid;
    }

    /// <summary>Asks a leader for the receipts of manifests that its proposal names, once each; the resend timer asks everyone.</summary>
    private void AskLeader(MemberId leader, Outbox outbox)
    {
        Sequence<Digest> missing = _round.Named
            .Where(manifest => !_round.AskedFor.Contains(manifest) && !IsEligible(manifest))
            .Take(Limits.WantedManifests).ToSequence();
        if (missing.Count > 0 && leader != _self)
        {
            _round.AskedFor.UnionWith(missing);
            outbox.Send(leader, new PeerMessage.Want(_round.Number, missing));
        }
    }

    private bool IsEligible(Digest manifest) => _round.Updates.TryGetValue(manifest, out HeldUpdate? update) && update.IsEligible;
}
