namespace Tapestry.Libp2p;

/// <summary>What peers have answered of late, and what follows from it.</summary>
/// <remarks>A peer has one voice, its last. Not thread-safe.</remarks>
internal sealed class ReachabilityAnswers(int needed, TimeSpan lifetime)
{
    // More than enough to decide; the oldest goes.
    private const int KeptAnswers = 64;

    private readonly Dictionary<PeerId, (bool Reached, DateTimeOffset At)> _answers = [];

    /// <summary>What the answers say; it stays until others say otherwise.</summary>
    internal Reachability Reachability { get; private set; }

    internal void Add(PeerId peer, bool reached, DateTimeOffset now)
    {
        foreach (PeerId old in _answers.Where(answer => now - answer.Value.At > lifetime).Select(answer => answer.Key).ToArray())
        {
            _answers.Remove(old);
        }

        if (_answers.Count == KeptAnswers && !_answers.ContainsKey(peer))
        {
            _answers.Remove(_answers.MinBy(answer => answer.Value.At).Key);
        }

        _answers[peer] = (reached, now);
        int yes = _answers.Values.Count(answer => answer.Reached);
        int no = _answers.Count - yes;
        Reachability = yes >= needed && yes > no ? Reachability.Public
            : no >= needed && no > yes ? Reachability.Private
            : Reachability;
    }
}
