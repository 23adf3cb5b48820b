using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Ledger;

/// <summary>What a round adds to the ledger: every leaf that its decided values imply, in order, and where the tree then stands.</summary>
/// <remarks>specs/40-ledger.md, section 2. Two members that hold the same values and the same tree before hold the same tree after.</remarks>
public sealed class RoundLeaves
{
    private readonly List<Leaf> _leaves = [];
    private readonly List<Digest> _storedHashes = [];

    private RoundLeaves(MerkleFrontier before, MemberState members)
    {
        After = before.Copy();
        Members = members;
    }

    /// <summary>The new leaves, in order; the first has index <see cref="MerkleFrontier.Size"/> of the tree before.</summary>
    public IReadOnlyList<Leaf> Leaves => _leaves;

    /// <summary>What the log stores for them, from index <see cref="Crypto.StoredHashes.Count"/> of the tree before.</summary>
    public IReadOnlyList<Digest> StoredHashes => _storedHashes;

    /// <summary>The tree after them. An own copy: whoever changes it changes nothing here.</summary>
    public MerkleFrontier After { get; }

    /// <summary>The member state after them.</summary>
    public MemberState Members { get; private set; }

    /// <summary>The ledger of a new network: one leaf.</summary>
    public static RoundLeaves OfGenesis(Genesis genesis)
    {
        RoundLeaves leaves = new(new MerkleFrontier(), MemberState.New(genesis.Members.Select(static member => member.Id)));
        leaves.Append(new Leaf.Genesis(genesis.Digest, genesis.Plan.Digest, genesis.InitialBase, genesis.CreatedMs));
        return leaves;
    }

    /// <summary>A round with a result: the contributions, other entries, recorded decisions, and the result leaf.</summary>
    /// <param name="before">The tree before; not changed.</param>
    /// <param name="members">The member state before.</param>
    /// <param name="set">The decided set.</param>
    /// <param name="authorSequences">Author sequences of the included manifests, in the order of the set.</param>
    /// <param name="aggregateRoot">Root over the slices' aggregate roots.</param>
    /// <param name="newBase">Digest of the new base.</param>
    /// <exception cref="ArgumentException">The set does not follow the tree, names a stranger or entries that are not given.</exception>
    public static RoundLeaves Of(
        MerkleFrontier before, MemberState members, DecidedValue.Set set, IReadOnlyList<long> authorSequences, Digest aggregateRoot, Digest newBase)
    {
        if (set.TreeSize != before.Size || set.TreeRoot != before.Root || authorSequences.Count != set.Included.Count)
        {
            throw new ArgumentException($"A set of {set.Included.Count} manifests over {set.TreeSize} leaves cannot follow a tree of {before.Size} with {authorSequences.Count} sequences.", nameof(set));
        }

        if (set.OtherEntries.Count > 0)
        {
            throw new ArgumentException("This version knows no other entries.", nameof(set));
        }

        long round = set.Instance.Round;
        RoundLeaves leaves = new(before, members);
        for (int index = 0; index < set.Included.Count; index++)
        {
            leaves.Members = leaves.Members.After(set.Included[index], authorSequences[index], leaves.After.Size);
            leaves.Append(new Leaf.Contribution(round, set.Included[index]));
        }

        foreach (RecordedDecision decision in set.RecordedCertificates)
        {
            leaves.Append(new Leaf.Decision(round, decision));
        }

        leaves.Append(new Leaf.Result(round, set.Digest, aggregateRoot, newBase, leaves.Members.Root));
        return leaves;
    }

    /// <summary>A round without a result: one leaf; no member's row changes.</summary>
    public static RoundLeaves Of(MerkleFrontier before, MemberState members, DecidedValue.Void empty)
    {
        RoundLeaves leaves = new(before, members);
        leaves.Append(new Leaf.Void(empty.Instance.Round, empty.Instance.Agreement, empty.CertifiedTimeMs, empty.SetDigest));
        return leaves;
    }

    private void Append(Leaf leaf)
    {
        _leaves.Add(leaf);
        After.Append(MerkleTree.LeafHash(leaf.Encode().Span), _storedHashes);
    }
}
