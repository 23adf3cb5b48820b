using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>Counts signed statements of committee members that say the same: receipts of a manifest, or settlements of a set.</summary>
/// <typeparam name="T">What is said; compared by content.</typeparam>
/// <remarks>
/// A signer that says two things counts for both: f + 1 equal statements hold an honest one either way, and members that saw its
/// lies in another order must still agree. Beyond two, it is believed only where somebody else says the same.
/// </remarks>
internal sealed class Ballot<T>
    where T : class, IEquatable<T>
{
    private const int OwnOpinions = 2;

    private readonly List<Opinion> _opinions = [];

    /// <summary>What a quorum of f + 1 says, once it does.</summary>
    internal T? Agreed { get; private set; }

    /// <summary>The statements behind <see cref="Agreed"/>, or all while there is none.</summary>
    internal IEnumerable<SignedStatement> Statements =>
        _opinions.Where(opinion => Agreed is null || opinion.Said.Equals(Agreed)).SelectMany(opinion => opinion.Signed.Values);

    internal bool HasFrom(MemberId author) => _opinions.Any(opinion => opinion.Signed.ContainsKey(author));

    internal SignedStatement? From(MemberId author) =>
        _opinions.Select(opinion => opinion.Signed.GetValueOrDefault(author)).FirstOrDefault(signed => signed is not null);

    /// <summary>Counts a statement.</summary>
    /// <param name="said">What it says.</param>
    /// <param name="signed">The statement.</param>
    /// <param name="enough">f + 1.</param>
    /// <param name="conflicting">An earlier statement of the same signer that says something else.</param>
    /// <returns>Whether it was new and counted.</returns>
    internal bool Count(T said, SignedStatement signed, int enough, out SignedStatement? conflicting)
    {
        conflicting = null;
        Opinion? same = null;
        int others = 0;
        foreach (Opinion opinion in _opinions)
        {
            bool spoke = opinion.Signed.TryGetValue(signed.Author, out SignedStatement? earlier);
            if (opinion.Said.Equals(said))
            {
                if (spoke)
                {
                    return false;
                }

                same = opinion;
            }
            else if (spoke)
            {
                conflicting ??= earlier;
                others++;
            }
        }

        if (same is null)
        {
            if (others >= OwnOpinions)
            {
                return false;
            }

            same = new Opinion(said, []);
            _opinions.Add(same);
        }

        same.Signed.Add(signed.Author, signed);
        if (Agreed is null && same.Signed.Count >= enough)
        {
            Agreed = said;
        }

        return true;
    }

    private sealed record Opinion(T Said, SortedDictionary<MemberId, SignedStatement> Signed);
}
