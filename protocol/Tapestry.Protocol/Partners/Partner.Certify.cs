using Tapestry.Crypto;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Certify: propose and judge what the aggregation gave, or VOID. specs/30-rounds.md, section 6.
public sealed partial class Partner
{
    private void AdvanceCertify(Outbox outbox)
    {
        if (_round.Result.Decision is Certificate decision)
        {
            HoldsBody(_round.Places.Result, decision.Value, SignersOf(decision), outbox);
            return;
        }

        if (_hasSeat && _round.SetValue is DecidedValue.Set && !_round.Result.IsStarted
            && (_round.Settled is not null || _round.AggregateDeadlinePassed))
        {
            _round.Result.Start(outbox);
        }

        _round.Result.Reconsider(outbox);
    }

    private DecidedValue? ProposeResult(int view)
    {
        if (_round.SetValue is not DecidedValue.Set set)
        {
            return null;
        }

        Sequence<SliceOutcome>? settled = _round.Settled;
        bool isVoid = settled is null
            ? _round.AggregateDeadlinePassed && view > _committee.Faults + 1
            : HasNonFinite(settled);
        return isVoid ? new DecidedValue.Void(_round.Places.Result, set.CertifiedTimeMs, _round.Set.Decision!.Value)
            : settled is null ? null
            : ExpectedResult(set, settled);
    }

    private Judgement JudgeResult(DecidedValue.Result result)
    {
        if (_round.SetValue is not DecidedValue.Set set || _round.Settled is not Sequence<SliceOutcome> settled)
        {
            return Judgement.Pending;
        }

        Statement.Settlement? own = (Statement.Settlement?)_round.OwnSettlement?.Statement;
        if (HasNonFinite(settled) || (own is not null && !own.Slices.Equals(settled)))
        {
            return Judgement.Invalid;
        }

        return ExpectedResult(set, settled) is not DecidedValue.Result expected ? Judgement.Pending
            : expected == result ? Judgement.Valid
            : Judgement.Invalid;
    }

    private Judgement JudgeVoidResult(DecidedValue.Void empty, int view)
    {
        if (_seededBug == SeededBug.VoidIsAlwaysValid)
        {
            return Judgement.Valid;
        }

        if (_round.SetValue is not DecidedValue.Set set)
        {
            return Judgement.Pending;
        }

        bool standsHere = empty.Instance == _round.Places.Result
            && empty.SetDigest == _round.Set.Decision!.Value
            && empty.CertifiedTimeMs == set.CertifiedTimeMs;
        if (!standsHere)
        {
            return Judgement.Invalid;
        }

        if (_round.Settled is Sequence<SliceOutcome> settled)
        {
            return HasNonFinite(settled) ? Judgement.Valid : Judgement.Invalid;
        }

        return !_round.AggregateDeadlinePassed ? Judgement.Pending
            : view > _committee.Faults + 1 ? Judgement.Valid
            : Judgement.Invalid;
    }

    private static bool HasNonFinite(Sequence<SliceOutcome> slices) => slices.Any(slice => slice.IsNonFinite);

    /// <summary>The result that follows from the set and the settled slices; null while a manifest of the set is missing.</summary>
    private DecidedValue.Result? ExpectedResult(DecidedValue.Set set, Sequence<SliceOutcome> settled)
    {
        if (_round.Expected is null && HoldsManifests(set))
        {
            Digest aggregate = Roots.OfSlices([.. settled.Select(slice => slice.AggregateRoot)]);
            Digest newBase = Roots.OfSlices([.. settled.Select(slice => slice.BaseRoot)]);
            RoundLeaves leaves = LeavesOf(set, aggregate, newBase);
            _round.Expected = new DecidedValue.Result(
                _round.Places.Result, _round.Set.Decision!.Value, aggregate, newBase, leaves.After.Size, leaves.After.Root);
        }

        return _round.Expected;
    }
}
