using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Partners;

/// <summary>
/// A member of the network as a pure state machine: events go in, records and effects come out. No clock, socket, disk, task or
/// randomness; the daemon performs the effects for real, the simulator in virtual time.
/// </summary>
/// <remarks>
/// <para>specs/30-rounds.md. One file a phase: Contribute, Close, Settle, Certify, Apply, Record, CatchUp; Fetch asks for bodies,
/// Resend says things again, Restore starts from the durable records.</para>
/// <para>Every step ends in <see cref="Advance"/>, which looks at what is known and begins whatever is possible and not yet
/// begun. So it does not matter in which order things arrive, nor whether they arrived in this life or an earlier one.</para>
/// </remarks>
public sealed partial class Partner : ISimplexRound
{
    private readonly Genesis _genesis;
    private readonly Plan _plan;
    private readonly Digest _network;
    private readonly Digest _planDigest;
    private readonly Committee _committee;
    private readonly MemberId _self;
    private readonly SignatureGuard _guard;
    private readonly bool _hasSeat;
    private readonly SortedSet<MemberId> _members;
    private readonly Sequence<MemberId> _otherMembers;
    private readonly Sequence<MemberId> _otherSeats;
    private readonly Sequence<MemberId> _followers;
    private readonly SeededBug _seededBug;
    private readonly Works _works = new();
    private readonly NextRound _next = new();
    private readonly SortedDictionary<MemberId, long> _ahead = [];

    private Head _head;
    private RoundState _round;
    private LocalUpdate? _own;
    private long _nextEffect = 1;
    private bool _isHalted;

    /// <summary>Where the partner stands.</summary>
    public PartnerStatus Status => new(
        _head.Round, Phase, _head.Base, _head.HoldsBase, _committee.Members, _round.Heard.ToSequence(), Frontier.Size,
        Frontier.Root, _round.Set.View, _round.Result.View);

    /// <summary>This member.</summary>
    public MemberId Self => _self;

    private int FaultsPlusOne => _seededBug == SeededBug.OneReceiptIsEnough ? 1 : _committee.Faults + 1;

    private bool IsIdle => _head.Round > _plan.Rounds;

    private Phase Phase =>
        _isHalted ? Phase.Halted
        : !_head.HoldsBase || _works.IsRunning<Work.FetchRound>() ? Phase.CatchUp
        : IsIdle ? Phase.Idle
        : _round.Result.Decision is not null ? Phase.Apply
        : _round.Result.IsStarted ? Phase.Certify
        : _round.Set.Decision is not null ? Phase.Settle
        : _round.Set.IsStarted ? Phase.Close
        : Phase.Contribute;

    /// <summary>Takes one event.</summary>
    /// <param name="input">The event. The first must be <see cref="PartnerEvent.Started"/>.</param>
    /// <param name="now">The moment; monotonic time never goes back within one life.</param>
    /// <returns>Records, to be synced in one batch before any effect is performed, and effects, in order.</returns>
    public Step Step(PartnerEvent input, Instant now)
    {
        Outbox outbox = new(now, _nextEffect);
        if (!_isHalted)
        {
            Handle(input, outbox);
            Advance(outbox);
        }

        _nextEffect = outbox.NextEffect;
        return outbox.ToStep();
    }

    /// <summary>Says from a message's head alone whether its signatures are worth checking: a flood costs no cryptography.</summary>
    public TriageDecision Triage(MessageHeader header)
    {
        if (header.Instance is not Instance place)
        {
            return TriageDecision.Verify;
        }

        bool isOurs = place.Network == _network && place.Plan == _planDigest
            && (header.Type == MessageType.Manifest || place.Committee == _committee.Digest);
        bool isNear = place.Round == _head.Round || place.Round == _head.Round + 1;
        bool mayHaveSaidIt = header.Author is not MemberId author
            || (header.Type == MessageType.Manifest ? _members.Contains(author) : _committee.Contains(author));
        if (!isOurs || !isNear || !mayHaveSaidIt || _isHalted || IsIdle)
        {
            return TriageDecision.Drop;
        }

        bool comesTooLate = place.Round == _head.Round && header.Type is MessageType.Finalize or MessageType.Certificate
            && AgreementOf(place)?.Decision is not null;
        return comesTooLate ? TriageDecision.Drop : TriageDecision.Verify;
    }

    private void Handle(PartnerEvent input, Outbox outbox)
    {
        switch (input)
        {
            case PartnerEvent.Started:
                Start(outbox);
                break;
            case PartnerEvent.MessageReceived received:
                Receive(received.From, received.Message, outbox);
                break;
            case PartnerEvent.TimerFired fired when fired.Timer.Round == _head.Round:
                Fire(fired.Timer, outbox);
                break;
            case PartnerEvent.EffectEnded ended when _works.End(ended.Effect) is Work work:
                End(work, ended.Outcome, outbox);
                break;
            default:
                // A timer of a round that is over, or the end of something that was given up.
                break;
        }
    }

    /// <summary>Begins whatever is possible now and not yet begun; does nothing when called twice.</summary>
    private void Advance(Outbox outbox)
    {
        // Recording a round starts the next one, for which everything may already be here.
        long round;
        do
        {
            round = _head.Round;
            AdvanceCatchUp(outbox);
            if (!IsIdle && !_isHalted)
            {
                AdvanceContribute(outbox);
                AdvanceClose(outbox);
                HaltIfDiverged(outbox);
            }

            if (!IsIdle && !_isHalted)
            {
                AdvanceSettle(outbox);
                AdvanceCertify(outbox);
                AdvanceApply(outbox);
            }
        }
        while (_head.Round != round && !_isHalted);
    }

    private void Fire(TimerId timer, Outbox outbox)
    {
        switch (timer.Kind)
        {
            case TimerKind.Deadline when timer.Agreement == AgreementKind.Result:
                _round.AggregateDeadlinePassed = true;
                break;
            case TimerKind.Deadline:
                _round.DeadlinePassed = true;
                break;
            case TimerKind.View:
                (timer.Agreement == AgreementKind.Set ? _round.Set : _round.Result).ViewTimedOut(timer.Generation, outbox);
                break;
            case TimerKind.Resend:
                Resend(outbox);
                break;
            case TimerKind.Retry:
                _round.RetrySet = false;
                _works.Unblock();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(timer), timer.Kind, "No such timer is ever set.");
        }
    }

    private void End(Work work, EffectOutcome outcome, Outbox outbox)
    {
        if (outcome is EffectOutcome.Failed failed)
        {
            Fail(work, failed, outbox);
            return;
        }

        switch (work, outcome)
        {
            case (Work.Train, EffectOutcome.Trained trained) when !CanBeSigned(trained.Update):
                Fail(work, new EffectOutcome.Failed(EffectFault.Trainer, null), outbox);
                break;
            case (Work.Train, EffectOutcome.Trained trained):
                Contribute(trained.Update, outbox);
                break;
            case (Work.CheckShards check, EffectOutcome.ShardsChecked measured):
                SignReceipt(check.Manifest, measured.SumsOfSquares, outbox);
                break;
            case (Work.Aggregate aggregate, EffectOutcome.Aggregated aggregated):
                SignSettlement(aggregate.Set, aggregated.Slices, outbox);
                break;
            case (Work.Apply or Work.FetchBase, EffectOutcome.BaseReady ready):
                TakeBase(ready.Base, outbox);
                break;
            case (Work.FetchBody fetch, EffectOutcome.Fetched fetched):
                TakeBody(fetch, fetched.Bytes, outbox);
                break;
            case (Work.FetchRound fetch, EffectOutcome.Fetched fetched):
                TakeRound(fetch, fetched.Bytes, outbox);
                break;
            default:
                throw new ArgumentException($"{work} cannot end in {outcome.GetType().Name}.", nameof(outcome));
        }
    }

    private void Fail(Work work, EffectOutcome.Failed failed, Outbox outbox)
    {
        if (failed.Fault == EffectFault.Diverged)
        {
            Halt($"round {_head.Round}: the computed base is not the certified one; the data folder is kept for a diagnosis", outbox);
            return;
        }

        if (failed.Blamed is MemberId blamed && failed.Fault is EffectFault.WrongDigest or EffectFault.BadEncoding)
        {
            outbox.Report(blamed, work is Work.CheckShards ? MemberFault.BadShards : MemberFault.BadBody);
            if (work is Work.CheckShards check && _round.Updates.TryGetValue(check.Manifest, out HeldUpdate? update))
            {
                update.Refused |= blamed == update.Signed?.Author;
                if (update.Refused)
                {
                    _round.Unchecked.Remove(check.Manifest);
                }
            }
        }

        if (work is Work.Apply)
        {
            _round.ApplyFailures++;
        }

        Again(work, outbox);
    }

    /// <summary>Leaves a piece of work alone until the retry timer.</summary>
    private void Again(Work work, Outbox outbox)
    {
        _works.Block(work);
        if (!_round.RetrySet)
        {
            _round.RetrySet = true;
            _round.Retries++;
            TimerId timer = new(TimerKind.Retry, _round.Number, AgreementKind.None, _round.Retries);
            outbox.Do(new Effect.SetTimer(timer, outbox.Now.MonotonicMs + _plan.Timing.ResendMs));
        }
    }

    private void Halt(string reason, Outbox outbox)
    {
        _isHalted = true;
        outbox.Do(new Effect.Halt(reason));
    }

    private Simplex? AgreementOf(Instance place) => place.Agreement switch
    {
        AgreementKind.Set => _round.Set,
        AgreementKind.Result => _round.Result,
        _ => null,
    };
}
