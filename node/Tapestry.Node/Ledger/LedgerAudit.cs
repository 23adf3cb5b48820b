using Tapestry.Crypto;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Ledger;

/// <summary>Checks a whole ledger from its genesis, believing nothing else: no key, no data, no libtorch is needed.</summary>
/// <remarks>
/// Every leaf is recomputed from the decided values and compared; every decided value must carry its certificate; every
/// manifest its signature; every stored hash and root is recomputed. specs/40-ledger.md, section 7.
/// </remarks>
internal sealed class LedgerAudit
{
    private readonly IRecordReader _records;
    private readonly Genesis _genesis;
    private readonly Committee _committee;
    private MerkleFrontier _frontier = new();
    private MemberState _members;
    private Digest _base;
    private long _signatures;
    private long _voidRounds;

    private LedgerAudit(IRecordReader records, Genesis genesis)
    {
        _records = records;
        _genesis = genesis;
        _committee = genesis.FormCommittee();
        _members = MemberState.New(genesis.Members.Select(member => member.Id));
        _base = genesis.InitialBase;
    }

    /// <summary>Checks everything.</summary>
    /// <param name="records">The tables Entries, Hashes and Rounds.</param>
    /// <param name="genesis">What the auditor trusts.</param>
    /// <param name="checkpoint">A signed checkpoint whose signature holds, to be met; null for none.</param>
    public static AuditReport Run(IRecordReader records, Genesis genesis, Checkpoint? checkpoint)
    {
        LedgerAudit audit = new(records, genesis);
        string? fault = audit.CheckRounds(out long rounds);
        if (fault is null)
        {
            LedgerCheck tree = LedgerCheck.Verify(records, audit._frontier.Size, audit._frontier.Root);
            fault = tree.Holds ? audit.CheckAgainst(checkpoint) : $"{tree.Fault} at {tree.At}";
        }

        return new AuditReport(
            genesis.Digest.ToString(), genesis.LedgerOrigin, audit._frontier.Size, audit._frontier.Root.ToString(), rounds, audit._voidRounds,
            audit._signatures, audit._base.ToString(), checkpoint?.Size, fault);
    }

    private string? CheckRounds(out long rounds)
    {
        rounds = 0;
        string? fault = Follow(RoundLeaves.OfGenesis(_genesis), "the genesis");
        foreach (KeyValuePair<ByteString, ByteString> row in _records.ReadAll(Table.Rounds))
        {
            if (fault is not null)
            {
                return fault;
            }

            rounds++;
            string place = $"round {rounds}";
            fault = RoundRecord.TryRead(row.Value.Span, out RoundRecord? record) ? CheckRound(rounds, record, place) : $"{place}: its record cannot be read";
        }

        return fault;
    }

    private string? CheckRound(long round, RoundRecord record, string place)
    {
        if (!DecidedValue.TryRead(record.Set.Span, out DecidedValue? set) || !IsCertified(set, record.SetCertificate, round, AgreementKind.Set))
        {
            return $"{place}: the set's certificate does not hold";
        }

        if (set is DecidedValue.Void emptySet)
        {
            _voidRounds++;
            return Follow(RoundLeaves.Of(_frontier, _members, emptySet), place);
        }

        if (!DecidedValue.TryRead(record.Result.Span, out DecidedValue? result)
            || !IsCertified(result, record.ResultCertificate, round, AgreementKind.Result))
        {
            return $"{place}: the result's certificate does not hold";
        }

        if (result is DecidedValue.Void emptyResult)
        {
            _voidRounds++;
            return Follow(RoundLeaves.Of(_frontier, _members, emptyResult), place);
        }

        return set is DecidedValue.Set included && result is DecidedValue.Result certified
            ? CheckResult(included, certified, record, place)
            : $"{place}: its values are not a set and a result";
    }

    private string? CheckResult(DecidedValue.Set set, DecidedValue.Result result, RoundRecord record, string place)
    {
        if (set.Base != _base || set.TreeSize != _frontier.Size || set.TreeRoot != _frontier.Root || result.SetDigest != set.Digest)
        {
            return $"{place}: it does not follow the round before";
        }

        long[] sequences = new long[set.Included.Count];
        for (int index = 0; index < sequences.Length; index++)
        {
            if (index >= record.Manifests.Count
                || !SignedStatement.TryRead(record.Manifests[index].Span, out SignedStatement? signed)
                || signed.Digest != set.Included[index].Manifest
                || signed.Author != set.Included[index].Member
                || signed.Statement is not Statement.Manifest manifest
                || !signed.Verify())
            {
                return $"{place}: the manifest of {set.Included[index].Member} is missing or its signature does not hold";
            }

            sequences[index] = manifest.AuthorSequence;
            _signatures++;
        }

        _base = result.NewBase;
        string? fault = Follow(RoundLeaves.Of(_frontier, _members, set, sequences, result.AggregateRoot, result.NewBase), place);
        return fault is null && (result.TreeSize != _frontier.Size || result.TreeRoot != _frontier.Root)
            ? $"{place}: the certified tree is another"
            : fault;
    }

    private bool IsCertified(DecidedValue value, ByteString bytes, long round, AgreementKind agreement)
    {
        Instance place = value.Place;
        bool isOfHere = place.Network == _genesis.Digest && place.Plan == _genesis.Plan.Digest && place.Round == round
            && place.Agreement == agreement && place.Committee == _committee.Digest;
        if (!isOfHere
            || !Certificate.TryRead(bytes.Span, out Certificate? certificate)
            || certificate.Kind != VoteKind.Finalize
            || certificate.Instance != place
            || certificate.Value != value.Digest
            || !certificate.Verify(_committee))
        {
            return false;
        }

        _signatures += certificate.Votes.Count;
        return true;
    }

    /// <summary>Compares the leaves that must come next with those that are there.</summary>
    private string? Follow(RoundLeaves leaves, string place)
    {
        long index = _frontier.Size;
        foreach (Leaf leaf in leaves.Leaves)
        {
            if (_records.Read(Table.Entries, LedgerKeys.Number(index)) is not ByteString entry || !entry.Equals(leaf.Encode()))
            {
                return $"{place}: entry {index} is missing or not what was decided";
            }

            index++;
        }

        _frontier = leaves.After;
        _members = leaves.Members;
        return null;
    }

    private string? CheckAgainst(Checkpoint? checkpoint)
    {
        if (checkpoint is null)
        {
            return null;
        }

        // The file is written after the round's batch, so a crash may leave it one round behind, never ahead.
        Digest root = checkpoint.Size <= _frontier.Size
            ? StoredHashes.Root(checkpoint.Size, index => new Digest(_records.Read(Table.Hashes, LedgerKeys.Number(index))!.Span))
            : Digest.Zero;
        return checkpoint.Origin == _genesis.LedgerOrigin && root == checkpoint.Root
            ? null
            : $"the signed checkpoint of {checkpoint.Size} entries is not of this ledger";
    }
}

/// <summary>What an audit found.</summary>
/// <param name="Network">Digest of the genesis.</param>
/// <param name="Origin">The ledger's name.</param>
/// <param name="Entries">Leaves checked.</param>
/// <param name="Root">Their root.</param>
/// <param name="Rounds">Rounds checked.</param>
/// <param name="VoidRounds">How many of them were VOID.</param>
/// <param name="Signatures">Signatures that were verified.</param>
/// <param name="Base">The last certified base.</param>
/// <param name="CheckpointEntries">Size of the signed checkpoint that it was compared with; null for none.</param>
/// <param name="Fault">What does not hold; null when everything does.</param>
internal sealed record AuditReport(
    string Network, string Origin, long Entries, string Root, long Rounds, long VoidRounds, long Signatures, string Base,
    long? CheckpointEntries, string? Fault)
{
    /// <summary>Whether everything holds.</summary>
    public bool Verified => Fault is null;
}
