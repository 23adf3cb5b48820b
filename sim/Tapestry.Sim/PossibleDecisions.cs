using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;

namespace Tapestry.Sim;

/// <summary>
/// Watches what honest members of one agreement vote: once so many have finalised a value that Byzantine votes could decide it, no
/// honest member may notarize another one in a later view. A fork needs luck; this needs none.
/// </summary>
/// <param name="honestNeeded">q less the Byzantine seats.</param>
internal sealed class PossibleDecisions(int honestNeeded)
{
    private readonly HashSet<(int View, Digest Value, MemberId Author)> _finalized = [];
    private readonly List<(int View, Digest Value)> _notarized = [];
    private readonly List<(int View, Digest Value)> _possible = [];

    /// <summary>Takes an honest vote.</summary>
    /// <returns>What it contradicts, or null.</returns>
    internal string? Take(MemberId author, Statement vote)
    {
        if (vote is Statement.Notarize notarize)
        {
            _notarized.Add((notarize.View, notarize.Value));
        }
        else if (vote is Statement.Finalize finalize && _finalized.Add((finalize.View, finalize.Value, author))
            && _finalized.Count(one => one.View == finalize.View && one.Value == finalize.Value) == honestNeeded)
        {
            _possible.Add((finalize.View, finalize.Value));
        }

        foreach ((int decided, Digest value) in _possible)
        {
            foreach ((int view, Digest other) in _notarized)
            {
                if (view > decided && other != value)
                {
                    return $"{other.ToShortString()} was notarized in view {view} although {value.ToShortString()} may be decided in view {decided}";
                }
            }
        }

        return null;
    }
}
