using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Partners;

// A partner always starts from its durable records, of which a new one has none. specs/30-rounds.md, section 11.
public sealed partial class Partner
{
    private bool _isNew;

    private Partner(Genesis genesis, SigningKey key, IRecordReader records, SeededBug seededBug)
    {
        _genesis = genesis;
        _plan = genesis.Plan;
        _network = genesis.Digest;
        _planDigest = genesis.Plan.Digest;
        _committee = new Committee(genesis.Committee);
        _self = new MemberId(key.PublicKey);
        _seededBug = seededBug;
        _guard = new SignatureGuard(_self, key) { SeededBug = seededBug };
        _hasSeat = _committee.Contains(_self);
        _members = [.. genesis.Members.Select(member => member.Id)];
        _otherMembers = _members.Where(member => member != _self).ToSequence();
        _otherSeats = _committee.Members.Where(seat => seat != _self).ToSequence();
        _followers = _members.Where(member => !_committee.Contains(member)).ToSequence();
        if (!_members.Contains(_self))
        {
            throw new ArgumentException($"The key {_self} is of no member of network '{genesis.NetworkName}'.", nameof(key));
        }

        ByteString? row = records.Read(Table.Head, RecordKeys.Head.Span);
        _isNew = row is null;
        if (row is null)
        {
            RoundLeaves first = RoundLeaves.OfGenesis(genesis);
            _head = FirstHead(genesis, first);
            _frontier = first.After;
            _memberState = first.Members;
        }
        else
        {
            _head = ReadHead(row);
            _frontier = ReadFrontier(_head);
            _memberState = ReadMembers(records);
        }

        RestoreSlots(records);
        _round = NewRound();
        RestoreRound(records);
    }

    /// <summary>The partner that the durable records describe; a new one when there are none.</summary>
    /// <param name="genesis">The network; a valid one.</param>
    /// <param name="key">This member's signing key; used as long as the partner lives, and owned by the caller.</param>
    /// <param name="records">What earlier lives made durable.</param>
    /// <exception cref="ArgumentException">The key is of no member of the network.</exception>
    /// <exception cref="LedgerCorruptException">The records contradict themselves; nothing may be signed over them.</exception>
    public static Partner Restore(Genesis genesis, SigningKey key, IRecordReader records) =>
        new(genesis, key, records, SeededBug.None);

    /// <summary>A partner with a rule broken on purpose.</summary>
    internal static Partner RestoreBroken(Genesis genesis, SigningKey key, IRecordReader records, SeededBug seededBug) =>
        new(genesis, key, records, seededBug);

    private void Start(Outbox outbox)
    {
        if (_isNew)
        {
            _head = _head with { StartedWallMs = outbox.Now.WallMs };
            outbox.Put(Table.Head, RecordKeys.Head, _head.Encode());
            WriteLedger(RoundLeaves.OfGenesis(_genesis), outbox);
            _isNew = false;
        }

        SetRoundTimers(_head.StartedWallMs, outbox);
        outbox.Send(_otherMembers, OwnStatus());
        SignAgain(outbox);
        if (_round.Own is HeldUpdate own && _round.Set.Decision is null)
        {
            outbox.Send(_otherMembers, own.Signed!);
        }

        _round.Set.Resume(outbox);
        _round.Result.Resume(outbox);
    }

    private static Head FirstHead(Genesis genesis, RoundLeaves first) => new(
        Round: 1, genesis.InitialBase, HoldsBase: true, Residual: Digest.Zero, ByteString.Own(first.After.ToArray()),
        genesis.CreatedMs, genesis.Members.Select(member => member.Id).ToSequence(), Sequence<RecordedDecision>.Empty, StartedWallMs: 0);

    private static Head ReadHead(ByteString row) =>
        Head.TryRead(row.Span, out Head? head) ? head : throw new LedgerCorruptException("The head cannot be read.");

    private static MerkleFrontier ReadFrontier(Head head) =>
        MerkleFrontier.TryRead(head.Ledger.Span, out MerkleFrontier? frontier)
            ? frontier
            : throw new LedgerCorruptException("The ledger's frontier in the head cannot be read.");

    private void RestoreSlots(IRecordReader records)
    {
        foreach ((ByteString slot, ByteString bytes) in records.ReadAll(Table.Slots))
        {
            if (!SignedStatement.TryRead(bytes.Span, out SignedStatement? signed))
            {
                throw new LedgerCorruptException($"The signature slot {slot} cannot be read; signing might contradict it.");
            }

            _guard.Restore(slot, signed);
        }
    }

    private void RestoreRound(IRecordReader records)
    {
        if (records.Read(Table.Update, RecordKeys.Head.Span) is ByteString update
            && LocalUpdateEncoding.TryRead(update.Span, out LocalUpdate? own) && own.Base == _head.Base)
        {
            _own = own;
        }

        RestoreBodies(records);
        RestoreReceipts(records);
        foreach (SignedStatement signed in _guard.Signed.Where(signed => signed.Instance.Round == _round.Number))
        {
            RestoreOwn(signed);
        }

        foreach (HeldUpdate held in _round.Updates.Values.Where(held => held.Signed is not null))
        {
            NoteManifest(held);
        }

        List<Certificate> certificates = [];
        foreach ((ByteString key, ByteString bytes) in records.ReadAll(Table.Certificates))
        {
            if (!Certificate.TryRead(bytes.Span, out Certificate? certificate))
            {
                throw new LedgerCorruptException($"The certificate {key} cannot be read.");
            }

            certificates.Add(certificate);
        }

        SignedStatement[] votes = [.. _guard.Signed.Where(signed => signed.Instance.Agreement != AgreementKind.None)];
        _round.Set.Restore(certificates, votes);
        _round.Result.Restore(certificates, votes);
    }

    private void RestoreBodies(IRecordReader records)
    {
        foreach ((ByteString key, ByteString bytes) in records.ReadAll(Table.Bodies))
        {
            Digest digest = new(key.Span);
            long round = 0;
            if (DecidedValue.TryRead(bytes.Span, out DecidedValue? value))
            {
                round = value.Place.Round;
                if (round == _round.Number)
                {
                    _round.Values[digest] = value;
                }
            }
            else if (SignedStatement.TryRead(bytes.Span, out SignedStatement? signed))
            {
                round = signed.Instance.Round;
                if (round == _round.Number)
                {
                    _round.UpdateOf(digest).Signed = signed;
                }
            }

            if (!_bodies.TryGetValue(round, out SortedSet<Digest>? ofRound))
            {
                ofRound = [];
                _bodies.Add(round, ofRound);
            }

            ofRound.Add(digest);
        }
    }

    private void RestoreReceipts(IRecordReader records)
    {
        foreach ((ByteString key, ByteString bytes) in records.ReadAll(Table.Receipts))
        {
            if (RecordKeys.RoundOf(key) != _round.Number)
            {
                continue;
            }

            if (!ReceiptsEncoding.TryRead(bytes.Span, out long beforeDeadlineMs, out Sequence<SignedStatement>? receipts))
            {
                throw new LedgerCorruptException($"The receipts {key} cannot be read.");
            }

            HeldUpdate update = _round.UpdateOf(new Digest(key.Span[sizeof(long)..]));
            update.ReceiptedBeforeDeadlineMs = beforeDeadlineMs;
            foreach (SignedStatement receipt in receipts)
            {
                update.Receipts.Count(((Statement.Receipt)receipt.Statement).Sums, receipt, FaultsPlusOne, out _);
            }
        }
    }

    private void RestoreOwn(SignedStatement signed)
    {
        switch (signed.Statement)
        {
            case Statement.Manifest:
                _round.Own = _round.UpdateOf(signed.Digest);
                _round.Own.Signed = signed;
                break;
            case Statement.Receipt receipt:
                _round.UpdateOf(receipt.ManifestDigest).Receipts.Count(receipt.Sums, signed, FaultsPlusOne, out _);
                break;
            case Statement.Settlement settlement:
                _round.OwnSettlement = signed;
                Ballot<Sequence<SliceOutcome>> ballot = new();
                ballot.Count(settlement.Slices, signed, _committee.Faults + 1, out _);
                _round.Settlements[settlement.SetDigest] = ballot;
                break;
            default:
                break;
        }
    }
}
