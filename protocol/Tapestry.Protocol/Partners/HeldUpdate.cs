using Tapestry.Crypto;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>What a member knows of one update of the current round: the manifest, and who says that its shards are right.</summary>
internal sealed class HeldUpdate(Digest digest)
{
    /// <summary>Digest of the manifest's signed statement.</summary>
    internal Digest Digest { get; } = digest;

    /// <summary>The signed manifest; null while only receipts are known.</summary>
    internal SignedStatement? Signed { get; set; }

    internal Ballot<Sequence<SliceSum>> Receipts { get; } = new();

    /// <summary>How long before this member's deadline it was first fully receipted; negative for after it.</summary>
    internal long? ReceiptedBeforeDeadlineMs { get; set; }

    /// <summary>The author's own fault showed while its shards were checked: no receipt from us.</summary>
    internal bool Refused { get; set; }

    internal Statement.Manifest? Manifest => (Statement.Manifest?)Signed?.Statement;

    internal bool IsFullyReceipted => Receipts.Agreed is not null;

    /// <summary>Whether it can stand in a set.</summary>
    internal bool IsEligible => IsFullyReceipted && Signed is not null;

    /// <summary>The norm of the decoded update: the square root of its slices' sums, added in slice order.</summary>
    internal double Norm => Influence.Norm(Receipts.Agreed!.Select(slice => slice.SumOfSquares));
}
