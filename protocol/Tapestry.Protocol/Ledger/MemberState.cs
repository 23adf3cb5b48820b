using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Ledger;

/// <summary>A row for every member of the network, ascending by id; its root stands in every result leaf.</summary>
/// <remarks>
/// specs/40-ledger.md, section 3. With the root an auditor checks that nothing of a member is missing: its row says how many
/// contributions there are and where the last one is.
/// </remarks>
public sealed class MemberState
{
    /// <summary>The state that these rows say.</summary>
    /// <exception cref="ArgumentException">The rows are not distinct and ascending by member.</exception>
    public MemberState(Sequence<MemberRow> rows)
    {
        if (!Order.IsStrictlyAscending(rows, static row => row.Member))
        {
            throw new ArgumentException("Rows must be distinct and ascending by member.", nameof(rows));
        }

        Rows = rows;
    }

    /// <summary>Ascending by member.</summary>
    public Sequence<MemberRow> Rows { get; }

    /// <summary>RFC 6962 root over the encoded rows, in their order. Computed at every call.</summary>
    public Digest Root => MerkleTree.Root([.. Rows.Select(static row => MerkleTree.LeafHash(row.Encode().Span))]);

    /// <summary>The state before the first round.</summary>
    public static MemberState New(IEnumerable<MemberId> members) => new(members.Select(MemberRow.New).ToSequence());

    /// <summary>The row of a member, or null for a stranger.</summary>
    public MemberRow? Find(MemberId member) => IndexOf(member) is >= 0 and int index ? Rows[index] : null;

    /// <summary>The state after a member's manifest was included.</summary>
    /// <exception cref="ArgumentException">The member has no row.</exception>
    internal MemberState After(Inclusion inclusion, long authorSequence, long leaf)
    {
        int index = IndexOf(inclusion.Member);
        if (index < 0)
        {
            throw new ArgumentException($"{inclusion.Member} is not a member.", nameof(inclusion));
        }

        MemberRow row = Rows[index];
        MemberRow[] rows = [.. Rows];
        rows[index] = row with
        {
            LastAuthorSequence = authorSequence,
            LastLeaf = leaf,
            Contributions = row.Contributions + 1,
            Weight = row.Weight + inclusion.Weight,
        };
        return new MemberState(Sequence.Create<MemberRow>(rows));
    }

    private int IndexOf(MemberId member)
    {
        int low = 0;
        int high = Rows.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int order = Rows[middle].Member.CompareTo(member);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }
}
