using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Agreement;

/// <summary>What a member knows of one view.</summary>
internal sealed class SimplexView(int number)
{
    internal int Number { get; } = number;

    /// <summary>The leader's first proposal, and when it arrived.</summary>
    internal SignedStatement? Proposal { get; set; }

    internal Instant ProposedAt { get; set; }

    internal bool LeaderEquivocated { get; set; }

    /// <summary>The first vote of each member and kind; a second, different one is evidence and is not counted.</summary>
    internal SortedDictionary<MemberId, SignedStatement> Notarizes { get; } = [];

    internal SortedDictionary<MemberId, SignedStatement> Nullifies { get; } = [];

    internal SortedDictionary<MemberId, SignedStatement> Finalizes { get; } = [];

    internal Certificate? Notarization { get; set; }

    internal Certificate? Nullification { get; set; }

    internal Statement.Propose? Proposed => (Statement.Propose?)Proposal?.Statement;

    internal SortedDictionary<MemberId, SignedStatement> VotesOf(VoteKind kind) => kind switch
    {
        VoteKind.Notarize => Notarizes,
        VoteKind.Nullify => Nullifies,
        _ => Finalizes,
    };

    /// <summary>The votes of a kind for a value; those of NULLIFY are for zero.</summary>
    internal IEnumerable<SignedStatement> VotesFor(VoteKind kind, Digest value) =>
        VotesOf(kind).Values.Where(vote => ValueOf(vote.Statement) == value);

    internal static Digest ValueOf(Statement vote) => vote switch
    {
        Statement.Notarize notarize => notarize.Value,
        Statement.Finalize finalize => finalize.Value,
        _ => Digest.Zero,
    };
}
