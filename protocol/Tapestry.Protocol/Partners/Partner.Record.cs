using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Record: leaves, head and round record in one durable batch, and the start of the next round. specs/30-rounds.md, section 8.
public sealed partial class Partner
{
    private void RecordVoid(DecidedValue.Void empty, Outbox outbox)
    {
        Sequence<RecordedDecision> decisions = empty.Instance.Agreement == AgreementKind.Set
            ? [new RecordedDecision(_round.Number, AgreementKind.Set, _round.Set.Decision!.Value)]
            : [
                new RecordedDecision(_round.Number, AgreementKind.Set, _round.Set.Decision!.Value),
                new RecordedDecision(_round.Number, AgreementKind.Result, _round.Result.Decision!.Value),
            ];
        RoundLeaves leaves = LeavesOf(empty);
        Head next = _head with
        {
            CertifiedTimeMs = empty.CertifiedTimeMs,
            Unrecorded = [.. _head.Unrecorded, .. decisions],
        };
        EndRound(next, leaves, Sequence<ByteString>.Empty, Sequence<MemberId>.Empty, outbox);
    }

    private void RecordResult(DecidedValue.Set set, DecidedValue.Result result, bool holdsBase, Outbox outbox)
    {
        RoundLeaves leaves = LeavesOf(set, result.AggregateRoot, result.NewBase);
        if (leaves.After.Size != result.TreeSize || leaves.After.Root != result.TreeRoot)
        {
            Halt($"round {_round.Number}: the ledger's root would be {leaves.After.Root}, certified is {result.TreeRoot}", outbox);
            return;
        }

        bool isIncluded = _round.Own is HeldUpdate own && IsIncluded(own.Digest);
        Sequence<RecordedDecision> unrecorded =
        [
            .. _head.Unrecorded.Skip(set.RecordedCertificates.Count),
            new RecordedDecision(_round.Number, AgreementKind.Set, _round.Set.Decision!.Value),
            new RecordedDecision(_round.Number, AgreementKind.Result, _round.Result.Decision!.Value),
        ];
        Head next = _head with
        {
            Base = result.NewBase,
            HoldsBase = holdsBase,
            Residual = isIncluded && _own is not null ? _own.CandidateResidual : _head.Residual,
            CertifiedTimeMs = set.CertifiedTimeMs,
            LastSet = set.Included.Select(inclusion => inclusion.Member).ToSequence(),
            Unrecorded = unrecorded,
        };
        if (_own is not null)
        {
            _own = null;
            outbox.Delete(Table.Update, RecordKeys.Head);
        }

        Sequence<ByteString> manifests = set.Included.Select(inclusion => _round.Updates[inclusion.Manifest].Signed!.Encode()).ToSequence();
        EndRound(next, leaves, manifests, next.LastSet, outbox);
    }

    private void EndRound(Head next, RoundLeaves leaves, Sequence<ByteString> manifests, Sequence<MemberId> included, Outbox outbox)
    {
        bool isVoid = manifests.Count == 0;
        ByteString ledger = ByteString.Own(leaves.After.ToArray());
        _head = next with { Round = _round.Number + 1, Ledger = ledger, StartedWallMs = outbox.Now.WallMs };
        WriteLedger(leaves, outbox);
        outbox.Put(Table.Rounds, RecordKeys.Number(_round.Number), RecordOf(manifests).Encode());
        outbox.Put(Table.Head, RecordKeys.Head, _head.Encode());
        ForgetRound(outbox);

        outbox.Do(new Effect.RoundEnded(new RoundSummary(
            _round.Number, isVoid, _head.Base, included, (_round.Set.Decision?.View ?? 0) + (_round.Result.Decision?.View ?? 0), Frontier.Size, Frontier.Root,
            outbox.Now.MonotonicMs - _round.StartedMonotonicMs)));

        // An unfinished update is still wanted where the base has not moved.
        _works.Cancel(work => work is not Work.Train train || train.Base != _head.Base, outbox);
        _works.Unblock();
        StartRound(outbox.Now.WallMs, outbox);
    }

    private RoundRecord RecordOf(Sequence<ByteString> manifests)
    {
        Certificate? result = _round.Result.Decision;
        bool hasResult = _round.SetValue is DecidedValue.Set;
        return new RoundRecord(
            _round.SetValue!.Encode(), _round.Set.Decision!.Encode(),
            hasResult ? _round.ResultValue!.Encode() : ByteString.Empty, hasResult ? result!.Encode() : ByteString.Empty, manifests);
    }

    /// <summary>Deletes what only the round that ends needed, and the bodies that no one should still ask for.</summary>
    private void ForgetRound(Outbox outbox)
    {
        _guard.Forget(_head.Round, outbox);
        foreach (ByteString key in _round.Set.CertificateKeys.Concat(_round.Result.CertificateKeys))
        {
            outbox.Delete(Table.Certificates, key);
        }

        foreach (HeldUpdate update in _round.Updates.Values.Where(update => update.ReceiptedBeforeDeadlineMs is not null))
        {
            outbox.Delete(Table.Receipts, RecordKeys.Receipts(_round.Number, update.Digest));
        }

        long keep = _head.Round - _plan.Timing.KeepRounds;
        ForgetBodies(keep, outbox);
        if (keep > 1)
        {
            outbox.Do(new Effect.Forget(keep, StillNamed));
        }
    }

    /// <summary>The blobs of our own that outlive the round that wrote them, however many rounds are VOID or leave us out.</summary>
    private Sequence<Digest> StillNamed
    {
        get
        {
            IEnumerable<Digest> update = _own is null ? [] : _own.ShardRoots.Append(_own.CandidateResidual);
            return update.Append(_head.Residual).Where(root => !root.IsZero).Distinct().ToSequence();
        }
    }

    /// <summary>Starts the round that the head names.</summary>
    /// <param name="startedWallMs">When it started: now, or before a restart.</param>
    /// <param name="outbox">For its timers and first words.</param>
    private void StartRound(long startedWallMs, Outbox outbox)
    {
        _round = NewRound();
        SetRoundTimers(startedWallMs, outbox);
        outbox.Send(_otherMembers, OwnStatus());
        SignAgain(outbox);
        foreach (EarlyMessage early in _next.TakeAll())
        {
            outbox.Arrived = early.Arrived;
            Receive(early.From, early.Message, outbox);
        }

        outbox.Arrived = outbox.Now;
    }

    private void SetRoundTimers(long startedWallMs, Outbox outbox)
    {
        long elapsed = Math.Clamp(outbox.Now.WallMs - startedWallMs, 0, _plan.Timing.ContributeMs);
        _round.StartedMonotonicMs = outbox.Now.MonotonicMs - elapsed;
        _round.DeadlineMonotonicMs = _round.StartedMonotonicMs + _plan.Timing.ContributeMs;
        SetResendTimer(outbox);
        if (!IsIdle)
        {
            TimerId deadline = new(TimerKind.Deadline, _round.Number, AgreementKind.None, 1);
            outbox.Do(new Effect.SetTimer(deadline, _round.DeadlineMonotonicMs));
        }
    }

    /// <summary>After a VOID, or a restart: the update that is there already, signed for this round.</summary>
    private void SignAgain(Outbox outbox)
    {
        if (!IsIdle && _head.HoldsBase && _own is LocalUpdate update && update.Base == _head.Base && _round.Own is null)
        {
            SignManifest(update, outbox);
        }
    }

    private RoundState NewRound()
    {
        RoundPlaces places = new(_head.Round, _network, _planDigest, _committee.Digest);
        return new RoundState(
            places,
            new Simplex(places.Set, _committee, _self, _plan.Timing, _guard, this) { SeededBug = _seededBug },
            new Simplex(places.Result, _committee, _self, _plan.Timing, _guard, this) { SeededBug = _seededBug });
    }
}
