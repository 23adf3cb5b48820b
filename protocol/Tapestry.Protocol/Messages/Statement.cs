using Tapestry.Crypto;

namespace Tapestry.Protocol.Messages;

/// <summary>The body of a signed message: a closed choice, one case a message type of specs/10-wire.md, section 3.</summary>
public abstract record Statement
{
    private Statement()
    {
    }

    /// <summary>One member's update for one round. At most 16 KiB encoded. Slot: (member, instance).</summary>
    /// <param name="Base">The base that the update was trained from.</param>
    /// <param name="Codec">How its shards are encoded.</param>
    /// <param name="Tokens">Tokens trained on; positive.</param>
    /// <param name="LossBefore">Held-out loss of the base, nats a token.</param>
    /// <param name="LossAfter">Held-out loss after local training, nats a token.</param>
    /// <param name="AuthorSequence">Strictly increasing for an author, with gaps allowed.</param>
    /// <param name="CatalogueEntries">Digests of the catalogue entries used, ascending; empty for now.</param>
    /// <param name="ShardRoots">The Merkle root of each slice's shard, in slice order.</param>
    public sealed record Manifest(
        Digest Base,
        Codec Codec,
        long Tokens,
        double LossBefore,
        double LossAfter,
        long AuthorSequence,
        Sequence<Digest> CatalogueEntries,
        Sequence<Digest> ShardRoots) : Statement;

    /// <summary>A holder's word that it has checked and stored shards. Slot: (holder, manifest digest, issue).</summary>
    /// <param name="ManifestDigest">Digest of the manifest's signed statement.</param>
    /// <param name="Issue">0 to 3; a later issue repeats earlier slices unchanged and adds.</param>
    /// <param name="Sums">A slice index, ascending, with the sum of squares of its decoded values.</param>
    public sealed record Receipt(Digest ManifestDigest, int Issue, Sequence<SliceSum> Sums) : Statement;

    /// <summary>An owner's word on what slices became. Slot: (holder, instance, issue).</summary>
    /// <param name="SetDigest">Digest of the decided set.</param>
    /// <param name="Issue">0 to 3, as for receipts.</param>
    /// <param name="Slices">The outcome of each settled slice, ascending by slice.</param>
    public sealed record Settlement(Digest SetDigest, int Issue, Sequence<SliceOutcome> Slices) : Statement;

    /// <summary>The leader's proposal. Slot: (instance, view).</summary>
    /// <param name="View">From 1.</param>
    /// <param name="Value">Digest of the value's body.</param>
    /// <param name="ParentView">0 for a fresh value; else the notarized view whose value this repeats.</param>
    public sealed record Propose(int View, Digest Value, int ParentView) : Statement;

    /// <summary>A vote that the proposal of a view is acceptable. Slot: (instance, view).</summary>
    public sealed record Notarize(int View, Digest Value) : Statement;

    /// <summary>A vote to leave a view without a value. Shares its slot with <see cref="Finalize"/>.</summary>
    public sealed record Nullify(int View) : Statement;

    /// <summary>A vote to decide a notarized value. Shares its slot with <see cref="Nullify"/>.</summary>
    public sealed record Finalize(int View, Digest Value) : Statement;
}

/// <summary>The sum of squares of one slice's decoded values, accumulated in index order in double.</summary>
public readonly record struct SliceSum(int Slice, double SumOfSquares);

/// <summary>What aggregating one slice gave: two roots, or NONFINITE (both roots zero).</summary>
/// <param name="Slice">The slice index.</param>
/// <param name="AggregateRoot">Root over the chunks of the encoded aggregate; zero for NONFINITE.</param>
/// <param name="BaseRoot">Root of the slice of the new base; zero for NONFINITE.</param>
public readonly record struct SliceOutcome(int Slice, Digest AggregateRoot, Digest BaseRoot)
{
    /// <summary>Whether the aggregate held a value that is not finite.</summary>
    public bool IsNonFinite => AggregateRoot.IsZero;
}

/// <summary>How an update's or aggregate's slice is turned into bytes.</summary>
public enum Codec : byte
{
    /// <summary>Little-endian IEEE 754 binary32.</summary>
    Fp32 = 1,

    /// <summary>OCP MX 1.0 MXINT8: blocks of 32 with a shared power-of-two scale.</summary>
    MxInt8 = 2,
}
