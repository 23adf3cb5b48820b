using Tapestry.Crypto;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;

namespace Tapestry.Protocol.Partners;

// The ledger as the rounds see it: the frontier of its tree and the members' rows. specs/40-ledger.md.
public sealed partial class Partner
{
    private MerkleFrontier _frontier;
    private MemberState _memberState;

    private MerkleFrontier Frontier => _frontier;

    private long LastSequenceOf(MemberId member) => _memberState.Find(member)?.LastAuthorSequence ?? 0;

    private RoundLeaves LeavesOf(DecidedValue.Set set, Digest aggregateRoot, Digest newBase) => RoundLeaves.Of(
        _frontier, _memberState, set, [.. set.Included.Select(inclusion => _round.Updates[inclusion.Manifest].Manifest!.AuthorSequence)],
        aggregateRoot, newBase);

    private RoundLeaves LeavesOf(DecidedValue.Void empty) => RoundLeaves.Of(_frontier, _memberState, empty);

    /// <summary>How much each update of a set counts; the updates are eligible and ascending by member.</summary>
    private Sequence<Inclusion> Weigh(IEnumerable<HeldUpdate> updates) => Influence.Of(
        [.. updates.Select(update => new MeasuredUpdate(update.Signed!.Author, update.Digest, update.Manifest!.Tokens, update.Norm))],
        _plan.Influence);

    /// <summary>Appends leaves, their hashes and the rows that they change to the batch of this step.</summary>
    private void WriteLedger(RoundLeaves leaves, Outbox outbox)
    {
        long leaf = leaves.After.Size - leaves.Leaves.Count;
        long stored = StoredHashes.Count(leaf);
        foreach (Leaf entry in leaves.Leaves)
        {
            outbox.Put(Table.Entries, RecordKeys.Number(leaf++), entry.Encode());
        }

        foreach (Digest hash in leaves.StoredHashes)
        {
            outbox.Put(Table.Hashes, RecordKeys.Number(stored++), ByteString.Own(hash.ToArray()));
        }

        for (int index = 0; index < leaves.Members.Rows.Count; index++)
        {
            MemberRow row = leaves.Members.Rows[index];
            if (_isNew || row != _memberState.Rows[index])
            {
                outbox.Put(Table.Members, RecordKeys.Of(row.Member), row.Encode());
            }
        }

        _frontier = leaves.After;
        _memberState = leaves.Members;
    }

    private static MemberState ReadMembers(IRecordReader records)
    {
        List<MemberRow> rows = [];
        foreach ((ByteString key, ByteString bytes) in records.ReadAll(Table.Members))
        {
            if (!MemberRow.TryRead(bytes.Span, out MemberRow? row))
            {
                throw new LedgerCorruptException($"The row of member {key} cannot be read.");
            }

            rows.Add(row);
        }

        return new MemberState(rows.ToSequence());
    }
}
