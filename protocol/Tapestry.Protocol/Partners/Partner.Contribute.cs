using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Contribute: train, sign the manifest, check others' shards, sign and count receipts. specs/30-rounds.md, section 3.
public sealed partial class Partner
{
    // An equivocating contributor's first two manifests prove its lie; others enter only where a proposal names
    // them, or f + 1 receipts do.
    private const int ManifestsPerMember = 2;

    private void AdvanceContribute(Outbox outbox)
    {
        if (_head.HoldsBase && _own is null && _round.Set.Decision is null)
        {
            Work.Train work = new(_head.Base);
            _works.Begin(work, outbox, id => new Effect.Train(id, _head.Round, _head.Base, _head.Residual));
        }

        if (!_hasSeat || _round.Set.Decision is not null)
        {
            return;
        }

        foreach (Digest digest in _round.Unchecked)
        {
            HeldUpdate update = _round.Updates[digest];
            _works.Begin(
                new Work.CheckShards(digest), outbox, id => new Effect.CheckShards(id, update.Manifest!, HoldersOf(update)));
        }
    }

    /// <summary>Whether a manifest of an update can be written down, and others would accept it.</summary>
    private bool CanBeSigned(LocalUpdate update) =>
        Format.IsCanonical(update.LossBefore)
        && Format.IsCanonical(update.LossAfter)
        && update.Tokens > 0
        && update.ShardRoots.Count == _plan.Exchange.Slices;

    /// <summary>Takes our own trained update, whose shards are synced, and says so.</summary>
    private void Contribute(LocalUpdate update, Outbox outbox)
    {
        if (update.Base != _head.Base)
        {
            return;
        }

        _own = update;
        outbox.Put(Table.Update, RecordKeys.Head, LocalUpdateEncoding.Encode(update));
        SignManifest(update, outbox);
    }

    /// <summary>Signs our update for this round: new, or, after a VOID, the same roots again.</summary>
    private void SignManifest(LocalUpdate update, Outbox outbox)
    {
        Statement.Manifest manifest = new(
            update.Base, _plan.Exchange.Up, update.Tokens, update.LossBefore, update.LossAfter,
            Math.Max(_head.Round, LastSequenceOf(_self) + 1), Sequence<Digest>.Empty, update.ShardRoots);
        if (_guard.Sign(_round.Places.Contributing, manifest, outbox) is not SignedStatement signed)
        {
            return;
        }

        _round.Own = HoldManifest(signed.Digest, signed, outbox);
        outbox.Publish(_otherMembers, signed);
    }

    private void ReceiveManifest(MemberId from, SignedStatement signed, Outbox outbox)
    {
        Digest digest = signed.Digest;
        HeldUpdate? held = _round.Updates.GetValueOrDefault(digest);
        if (held?.Signed is not null)
        {
            // The author asks again because it lacks our receipt.
            if (from == signed.Author && held.Receipts.From(_self) is SignedStatement receipt && MayAnswer(from, MessageType.Manifest))
            {
                outbox.Send(from, new PeerMessage.Signed(receipt));
            }

            return;
        }

        if (signed.Instance != _round.Places.Contributing || !IsAcceptable((Statement.Manifest)signed.Statement, signed.Author, outbox))
        {
            return;
        }

        HeldUpdate[] others = [.. _round.UpdatesOf(signed.Author)];
        if (others.Length > 0)
        {
            Accuse(others[0].Signed!, signed, outbox);
        }

        bool isNeeded = _round.Named.Contains(digest) || IsIncluded(digest) || held?.IsFullyReceipted == true;
        if (others.Length < ManifestsPerMember || isNeeded)
        {
            HoldManifest(digest, signed, outbox);
        }
    }

    private bool IsAcceptable(Statement.Manifest manifest, MemberId author, Outbox outbox)
    {
        if (manifest.Base != _head.Base)
        {
            outbox.Report(author, MemberFault.WrongBase);
            return false;
        }

        bool isGood = manifest.Codec == _plan.Exchange.Up
            && manifest.ShardRoots.Count == _plan.Exchange.Slices
            && manifest.CatalogueEntries.Count == 0
            && manifest.Tokens > 0
            && manifest.AuthorSequence > LastSequenceOf(author);
        if (!isGood)
        {
            outbox.Report(author, MemberFault.BadManifest);
        }

        return isGood;
    }

    private HeldUpdate HoldManifest(Digest digest, SignedStatement signed, Outbox outbox)
    {
        HeldUpdate update = _round.UpdateOf(digest);
        update.Signed = signed;
        if (_hasSeat || signed.Author == _self)
        {
            KeepBody(digest, signed.Encode(), outbox);
        }

        NoteManifest(update);
        return update;
    }

    private void NoteManifest(HeldUpdate update)
    {
        if (_hasSeat && update.Signed is not null && !update.Refused && !update.Receipts.HasFrom(_self))
        {
            _round.Unchecked.Add(update.Digest);
        }

        if (update.IsEligible)
        {
            _round.Eligible.Add(update.Signed!.Author);
        }
    }

    private void SignReceipt(Digest manifest, Sequence<double> sums, Outbox outbox)
    {
        if (!_round.Updates.TryGetValue(manifest, out HeldUpdate? update) || sums.Count != _plan.Exchange.Slices)
        {
            return;
        }

        Sequence<SliceSum> measured = sums.Select((sum, slice) => new SliceSum(slice, sum)).ToSequence();
        Statement.Receipt receipt = new(manifest, 0, measured);
        if (_guard.Sign(_round.Places.Holding, receipt, outbox) is SignedStatement signed)
        {
            outbox.Send(_otherSeats, signed);
            if (update.Signed is SignedStatement contributed && contributed.Author != _self && !_committee.Contains(contributed.Author))
            {
                outbox.Send([contributed.Author], signed);
            }

            _round.Unchecked.Remove(manifest);
            CountReceipt(update, signed, outbox);
        }
    }

    private void ReceiveReceipt(SignedStatement signed, Outbox outbox)
    {
        Statement.Receipt receipt = (Statement.Receipt)signed.Statement;
        if (signed.Instance != _round.Places.Holding || receipt.Issue != 0 || !IsComplete(receipt.Sums))
        {
            outbox.Report(signed.Author, MemberFault.BadReceipt);
            return;
        }

        bool isOwn = _round.Own?.Digest == receipt.ManifestDigest;
        bool isKnown = _round.Updates.ContainsKey(receipt.ManifestDigest);
        bool hasRoom = _round.Updates.Count < 2 * ManifestsPerMember * _members.Count;
        if (isOwn || (_hasSeat && (isKnown || hasRoom)))
        {
            CountReceipt(_round.UpdateOf(receipt.ManifestDigest), signed, outbox);
        }
    }

    private bool IsComplete(Sequence<SliceSum> sums)
    {
        bool isComplete = sums.Count == _plan.Exchange.Slices;
        for (int slice = 0; isComplete && slice < sums.Count; slice++)
        {
            isComplete = sums[slice].Slice == slice && double.IsFinite(sums[slice].SumOfSquares) && sums[slice].SumOfSquares >= 0;
        }

        return isComplete;
    }

    private void CountReceipt(HeldUpdate update, SignedStatement signed, Outbox outbox)
    {
        bool wasFull = update.IsFullyReceipted;
        update.Receipts.Count(((Statement.Receipt)signed.Statement).Sums, signed, FaultsPlusOne, out SignedStatement? conflicting);
        if (conflicting is not null)
        {
            Accuse(conflicting, signed, outbox);
        }

        if (_hasSeat && !wasFull && update.IsFullyReceipted)
        {
            NoteManifest(update);
            update.ReceiptedBeforeDeadlineMs = _round.DeadlineMonotonicMs - outbox.Now.MonotonicMs;
            outbox.Put(Table.Receipts, RecordKeys.Receipts(_round.Number, update.Digest), ReceiptsEncoding.Encode(update));
            foreach (SignedStatement receipt in update.Receipts.Statements)
            {
                outbox.Send(_otherSeats.Where(seat => seat != receipt.Author).ToSequence(), receipt);
            }
        }
    }

    private Sequence<MemberId> HoldersOf(HeldUpdate update)
    {
        MemberId author = update.Signed!.Author;
        IEnumerable<MemberId> signers = update.Receipts.Statements.Select(receipt => receipt.Author);
        return signers.Prepend(author).Distinct().Where(member => member != _self).ToSequence();
    }

    private bool IsIncluded(Digest manifest) =>
        _round.SetValue is Agreement.DecidedValue.Set set && set.Included.Any(inclusion => inclusion.Manifest == manifest);
}
