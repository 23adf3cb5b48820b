using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Apply: pass decisions on, make the certified base, end the round. specs/30-rounds.md, section 7.
public sealed partial class Partner
{
    // Aggregates may be gone where the base is still there; after so many failures the whole base is fetched.
    private const int ApplyFailuresMaximum = 3;

    void ISimplexRound.Decided(Certificate certificate, Outbox outbox)
    {
        if (_hasSeat && !_round.IsFromRecord)
        {
            outbox.Publish([.. _otherSeats, .. OwnFollowers], new PeerMessage.Certified(certificate));
        }

        HoldsBody(certificate.Instance, certificate.Value, SignersOf(certificate), outbox);
    }

    /// <summary>The members without a seat whom this seat tells: each is told by f + 1 seats, so by an honest one.</summary>
    private Sequence<MemberId> OwnFollowers
    {
        get
        {
            int seat = _committee.Members.AsSpan().BinarySearch(_self);
            return _followers
                .Where((_, index) => (index + _committee.Count - seat) % _committee.Count <= _committee.Faults)
                .ToSequence();
        }
    }

    private void AdvanceApply(Outbox outbox)
    {
        if (_round.SetValue is DecidedValue.Void emptySet)
        {
            RecordVoid(emptySet, outbox);
        }
        else if (_round.SetValue is DecidedValue.Set && _round.ResultValue is DecidedValue.Void emptyResult)
        {
            RecordVoid(emptyResult, outbox);
        }
        else if (_round.SetValue is DecidedValue.Set set && _round.ResultValue is DecidedValue.Result result && HoldsManifests(set, outbox))
        {
            Apply(set, result, outbox);
        }
    }

    private void Apply(DecidedValue.Set set, DecidedValue.Result result, Outbox outbox)
    {
        if (!_head.HoldsBase || IsFarBehind)
        {
            // The base of a later round is fetched whole; a fetch that is under way may still make this needless.
            if (!_works.IsRunning<Work.FetchBase>())
            {
                RecordResult(set, result, holdsBase: false, outbox);
            }
        }
        else if (_round.ApplyFailures < ApplyFailuresMaximum)
        {
            _works.Begin(new Work.Apply(_round.Result.Decision!.Value), outbox, id => new Effect.ApplyAggregate(
                id, _head.Base, result, [.. SignersOf(_round.Result.Decision), .. _otherMembers.Where(member => !_committee.Contains(member))]));
        }
        else
        {
            FetchBase(result.NewBase, outbox);
        }
    }

    private void TakeBase(Digest ready, Outbox outbox)
    {
        if (_round.SetValue is DecidedValue.Set set && _round.ResultValue is DecidedValue.Result result && result.NewBase == ready)
        {
            RecordResult(set, result, holdsBase: true, outbox);
        }
        else if (ready == _head.Base && !_head.HoldsBase)
        {
            _head = _head with { HoldsBase = true };
            outbox.Put(Table.Head, RecordKeys.Head, _head.Encode());
            SignAgain(outbox);
        }
    }

    private void FetchBase(Digest wanted, Outbox outbox)
    {
        // Whoever is ahead has it for certain; the committee had it last.
        Sequence<MemberId> providers = _ahead.Keys.Concat(_otherSeats).Concat(_otherMembers).Distinct().ToSequence();
        _works.Begin(new Work.FetchBase(wanted), outbox, id => new Effect.FetchBase(id, wanted, providers));
    }
}
