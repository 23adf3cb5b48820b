using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Settle: aggregate the decided set and say what came of it. specs/30-rounds.md, section 5.
public sealed partial class Partner
{
    /// <summary>A set that was decided over another ledger than ours shows that we have gone astray: nothing can follow from it here.</summary>
    private void HaltIfDiverged(Outbox outbox)
    {
        if (_round.SetValue is DecidedValue.Set set && (set.TreeSize != Frontier.Size || set.TreeRoot != Frontier.Root))
        {
            Halt(
                $"round {_round.Number}: the decided set follows a ledger of {set.TreeSize} leaves with root {set.TreeRoot}; "
                + $"here are {Frontier.Size} with root {Frontier.Root}; the data folder is kept for a diagnosis",
                outbox);
        }
    }

    private void AdvanceSettle(Outbox outbox)
    {
        if (_round.SetValue is not DecidedValue.Set set || _round.ResultValue is not null)
        {
            return;
        }

        // What is aggregated is wanted at once; shards that are still checked for those left out are not wanted any more.
        _works.Cancel(work => work is Work.CheckShards check && !IsIncluded(check.Manifest), outbox);
        bool holdsManifests = HoldsManifests(set, outbox);
        if (_hasSeat && !_round.AggregateDeadlineSet)
        {
            _round.AggregateDeadlineSet = true;
            TimerId timer = new(TimerKind.Deadline, _round.Number, AgreementKind.Result, 1);
            outbox.Do(new Effect.SetTimer(timer, outbox.Now.MonotonicMs + _plan.Timing.AggregateMs));
        }

        if (_hasSeat && holdsManifests && !IsCatchingUp && _round.OwnSettlement is null)
        {
            Sequence<int> slices = Enumerable.Range(0, _plan.Exchange.Slices).ToSequence();
            _works.Begin(new Work.Aggregate(_round.Set.Decision!.Value), outbox, id => new Effect.Aggregate(
                id, _head.Base, ContributionsOf(set), slices, ShardHoldersOf(set)));
        }
    }

    private Sequence<Contribution> ContributionsOf(DecidedValue.Set set) => set.Included.Select(inclusion =>
    {
        Statement.Manifest manifest = _round.Updates[inclusion.Manifest].Manifest!;
        return new Contribution(
            inclusion.Member, inclusion.Manifest, manifest.Codec, manifest.ShardRoots, inclusion.Scale, inclusion.Weight);
    }).ToSequence();

    private Sequence<MemberId> ShardHoldersOf(DecidedValue.Set set) =>
        _otherSeats.Concat(set.Included.Select(inclusion => inclusion.Member)).Distinct().Where(member => member != _self).ToSequence();

    /// <summary>Whether every manifest of the set is held; asks for those that are not.</summary>
    private bool HoldsManifests(DecidedValue.Set set, Outbox outbox)
    {
        bool holdsAll = true;
        foreach (Inclusion inclusion in set.Included)
        {
            if (!_round.Updates.TryGetValue(inclusion.Manifest, out HeldUpdate? update) || update.Signed is null)
            {
                holdsAll = false;
                FetchBody(BodyKind.Manifest, inclusion.Manifest, [inclusion.Member, .. _otherSeats], outbox);
            }
        }

        return holdsAll;
    }

    private bool HoldsManifests(DecidedValue.Set set) =>
        set.Included.All(inclusion => _round.Updates.GetValueOrDefault(inclusion.Manifest)?.Signed is not null);

    private void SignSettlement(Digest set, Sequence<SliceOutcome> slices, Outbox outbox)
    {
        if (_round.Set.Decision?.Value != set || !IsComplete(slices))
        {
            return;
        }

        if (_guard.Sign(_round.Places.Holding, new Statement.Settlement(set, 0, slices), outbox) is SignedStatement signed)
        {
            _round.OwnSettlement = signed;
            outbox.Send(_otherSeats, signed);
            CountSettlement(signed, outbox);
        }
    }

    private void ReceiveSettlement(SignedStatement signed, Outbox outbox)
    {
        Statement.Settlement settlement = (Statement.Settlement)signed.Statement;
        if (signed.Instance != _round.Places.Holding || settlement.Issue != 0 || !IsComplete(settlement.Slices))
        {
            outbox.Report(signed.Author, MemberFault.BadReceipt);
        }
        else if (_hasSeat)
        {
            CountSettlement(signed, outbox);
        }
    }

    private bool IsComplete(Sequence<SliceOutcome> slices)
    {
        bool isComplete = slices.Count == _plan.Exchange.Slices;
        for (int slice = 0; isComplete && slice < slices.Count; slice++)
        {
            isComplete = slices[slice].Slice == slice && slices[slice].AggregateRoot.IsZero == slices[slice].BaseRoot.IsZero;
        }

        return isComplete;
    }

    private void CountSettlement(SignedStatement signed, Outbox outbox)
    {
        Statement.Settlement settlement = (Statement.Settlement)signed.Statement;
        if (!_round.FirstSettlements.TryAdd(signed.Author, signed) && _round.FirstSettlements[signed.Author].Statement != settlement)
        {
            // Of whatever sets: one slot, two statements.
            Accuse(_round.FirstSettlements[signed.Author], signed, outbox);
        }

        if (!_round.Settlements.TryGetValue(settlement.SetDigest, out Ballot<Sequence<SliceOutcome>>? ballot))
        {
            // Before our own decision we cannot know the set; each member may name one.
            if (_round.Settlements.Count >= _committee.Count && _round.Set.Decision?.Value != settlement.SetDigest)
            {
                return;
            }

            ballot = new Ballot<Sequence<SliceOutcome>>();
            _round.Settlements.Add(settlement.SetDigest, ballot);
        }

        ballot.Count(settlement.Slices, signed, _committee.Faults + 1, out _);
    }
}
