using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// CatchUp: take over recorded rounds by number, then the last base. specs/30-rounds.md, section 9.
public sealed partial class Partner
{
    /// <summary>Whether a round is being taken over from a record, or the base of one is missing.</summary>
    private bool IsCatchingUp => !_head.HoldsBase || _round.IsFromRecord;

    /// <summary>Whether so many rounds are missing that their aggregates may be gone, or are: then only the last base is fetched.</summary>
    private bool IsFarBehind =>
        HighestAhead > _head.Round + 1 && (_round.IsFromRecord || _round.ApplyFailures >= ApplyFailuresMaximum);

    /// <summary>Whether the round can be recorded with what is held. Of a decision alone the manifests may be gone everywhere.</summary>
    private bool HoldsRecord => (_round.SetValue, _round.ResultValue) switch
    {
        (DecidedValue.Void, _) or (DecidedValue.Set, DecidedValue.Void) => true,
        (DecidedValue.Set set, DecidedValue.Result) => HoldsManifests(set),
        _ => false,
    };

    /// <summary>The round that f + 1 seats claim to have reached: one of them is honest, so a liar cannot hold us off.</summary>
    private long HighestAhead =>
        _ahead.Where(member => _committee.Contains(member.Key)).Select(member => member.Value)
            .OrderDescending().Skip(_committee.Faults).FirstOrDefault();

    private void AdvanceCatchUp(Outbox outbox)
    {
        // One round behind is ordinary: the decision is on its way. More, and the rounds are asked for by number.
        if (HighestAhead > _head.Round + 1)
        {
            FetchRound(outbox);
        }
        else if (!_head.HoldsBase && HighestAhead <= _head.Round && _round.Result.Decision is null)
        {
            FetchBase(_head.Base, outbox);
        }
    }

    /// <summary>Asks one member that is ahead for the record of our round, another each time.</summary>
    private void FetchRound(Outbox outbox)
    {
        MemberId[] ahead = [.. _ahead.Where(member => member.Value > _head.Round).Select(member => member.Key)];
        if (ahead.Length > 0 && !HoldsRecord && !_works.IsRunning<Work.FetchRound>())
        {
            MemberId provider = ahead[_round.Retries % ahead.Length];
            _works.Begin(new Work.FetchRound(_head.Round, provider), outbox, id => new Effect.FetchRound(id, _head.Round, [provider]));
        }
    }

    private void TakeRound(Work.FetchRound fetch, ByteString bytes, Outbox outbox)
    {
        if (fetch.Round != _head.Round || IsIdle)
        {
            return;
        }

        if (!RoundRecord.TryRead(bytes.Span, out RoundRecord? record) || !TryTake(record, outbox))
        {
            // It said that it was past this round; it does not get to say so again before another does.
            _ahead.Remove(fetch.Provider);
            outbox.Report(fetch.Provider, MemberFault.BadBody);
            Again(fetch, outbox);
        }
    }

    /// <summary>Checks a record's certificates and bodies against each other and takes the decisions over.</summary>
    private bool TryTake(RoundRecord record, Outbox outbox)
    {
        if (!TryReadDecision(record.Set, record.SetCertificate, _round.Places.Set, out DecidedValue? set, out Certificate? setCertificate))
        {
            return false;
        }

        DecidedValue? result = null;
        Certificate? resultCertificate = null;
        if (set is not DecidedValue.Void
            && !TryReadDecision(record.Result, record.ResultCertificate, _round.Places.Result, out result, out resultCertificate))
        {
            return false;
        }

        List<SignedStatement> manifests = [];
        if (result is DecidedValue.Result && !TryReadManifests(record, (DecidedValue.Set)set!, manifests))
        {
            return false;
        }

        foreach (SignedStatement manifest in manifests)
        {
            HoldManifest(manifest.Digest, manifest, outbox);
        }

        _round.IsFromRecord = true;
        TakeDecision(set!, setCertificate!, _round.Set, outbox);
        if (result is not null)
        {
            TakeDecision(result, resultCertificate!, _round.Result, outbox);
        }

        return true;
    }

    /// <summary>Reads all manifests of a set: others may have forgotten them, so a record without one is of no use.</summary>
    private static bool TryReadManifests(RoundRecord record, DecidedValue.Set set, List<SignedStatement> manifests)
    {
        bool isComplete = record.Manifests.Count == set.Included.Count;
        for (int index = 0; isComplete && index < set.Included.Count; index++)
        {
            isComplete = Bodies.TryReadManifest(record.Manifests[index], set.Included[index].Manifest, out SignedStatement? manifest);
            if (isComplete)
            {
                manifests.Add(manifest!);
            }
        }

        return isComplete;
    }

    private bool TryReadDecision(
        ByteString body, ByteString signatures, Instance place, out DecidedValue? value, out Certificate? certificate)
    {
        certificate = null;
        return DecidedValue.TryRead(body.Span, out value)
            && value.Place == place
            && Certificate.TryRead(signatures.Span, out certificate)
            && certificate.Instance == place
            && certificate.Kind == VoteKind.Finalize
            && certificate.Value == value.Digest
            && certificate.Verify(_committee);
    }

    private void TakeDecision(DecidedValue value, Certificate certificate, Simplex agreement, Outbox outbox)
    {
        _round.Values[certificate.Value] = value;
        KeepBody(certificate.Value, value.Encode(), outbox);
        agreement.Receive(certificate, outbox);
    }
}
