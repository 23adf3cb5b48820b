using Tapestry.Crypto;

namespace Tapestry.Protocol.Messages;

/// <summary>Which vote a certificate gathers.</summary>
public enum VoteKind : byte
{
    /// <summary>q NOTARIZE votes for one value in one view.</summary>
    Notarize = 1,

    /// <summary>q NULLIFY votes for one view.</summary>
    Nullify = 2,

    /// <summary>q FINALIZE votes for one value in one view: the value is decided.</summary>
    Finalize = 3,
}

/// <summary>q signatures of distinct committee members over one vote, ascending by member id.</summary>
/// <param name="Instance">The agreement that it belongs to.</param>
/// <param name="Kind">The vote.</param>
/// <param name="View">The view, from 1.</param>
/// <param name="Value">The value; zero for <see cref="VoteKind.Nullify"/>.</param>
/// <param name="Votes">Author and signature, strictly ascending by author.</param>
public sealed partial record Certificate(
    Instance Instance, VoteKind Kind, int View, Digest Value, Sequence<CertificateVote> Votes);

/// <summary>One signature of a certificate.</summary>
public readonly record struct CertificateVote(MemberId Author, Signature Signature);
