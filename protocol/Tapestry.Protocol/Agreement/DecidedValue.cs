using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Agreement;

/// <summary>A value that an agreement decides: a closed choice. Bodies are at most 64 KiB and named by the digest of their encoding.</summary>
/// <remarks>specs/20-agreement.md, section 4.</remarks>
public abstract partial record DecidedValue
{
    private DecidedValue()
    {
    }

    /// <summary>Which manifests count in a round.</summary>
    /// <param name="Instance">The set agreement's instance.</param>
    /// <param name="TreeSize">Ledger leaves before this round.</param>
    /// <param name="TreeRoot">Ledger root before this round.</param>
    /// <param name="Base">The base that the manifests start from.</param>
    /// <param name="CertifiedTimeMs">Milliseconds since the Unix epoch, above the last certified time.</param>
    /// <param name="Included">Ascending by member; at most one a member; at least one.</param>
    /// <param name="OtherEntries">Leaf hashes of other entries, in (type, author, sequence) order; empty for now.</param>
    /// <param name="RecordedCertificates">Decisions not recorded yet, oldest first.</param>
    public sealed record Set(
        Instance Instance,
        long TreeSize,
        Digest TreeRoot,
        Digest Base,
        long CertifiedTimeMs,
        Sequence<Inclusion> Included,
        Sequence<Digest> OtherEntries,
        Sequence<RecordedDecision> RecordedCertificates) : DecidedValue;

    /// <summary>What a round's aggregation gave.</summary>
    /// <param name="Instance">The result agreement's instance.</param>
    /// <param name="SetDigest">The decided set.</param>
    /// <param name="AggregateRoot">Root over the slices' aggregate roots, in slice order.</param>
    /// <param name="NewBase">The new base digest: root over the slices' base roots, in slice order.</param>
    /// <param name="TreeSize">Ledger leaves after this round.</param>
    /// <param name="TreeRoot">Ledger root after this round.</param>
    public sealed record Result(
        Instance Instance, Digest SetDigest, Digest AggregateRoot, Digest NewBase, long TreeSize, Digest TreeRoot) : DecidedValue;

    /// <summary>The round ends without a result; the base stays.</summary>
    /// <param name="Instance">The instance that was voided; its agreement says which.</param>
    /// <param name="CertifiedTimeMs">A set's VOID: its own time; a result's VOID: the set's.</param>
    /// <param name="SetDigest">The decided set, or zero when the set agreement itself was voided.</param>
    public sealed record Void(Instance Instance, long CertifiedTimeMs, Digest SetDigest) : DecidedValue;
}

/// <summary>One member's place in a set.</summary>
/// <param name="Member">Whose.</param>
/// <param name="Manifest">Digest of the manifest's signed statement.</param>
/// <param name="Norm">L2 norm of the decoded update: square root of its slices' sums added in slice order.</param>
/// <param name="Scale">min(1, c times lower median norm over norm); 1 for norm 0.</param>
/// <param name="Weight">Tokens after the plan's maximum and the influence cap; positive.</param>
public readonly record struct Inclusion(MemberId Member, Digest Manifest, double Norm, double Scale, long Weight);

/// <summary>A decision that enters the ledger with the next set: what was decided, not who signed.</summary>
public readonly record struct RecordedDecision(long Round, AgreementKind Agreement, Digest Value);
