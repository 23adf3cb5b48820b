using Tapestry.Crypto;
using Tapestry.Protocol;

namespace Tapestry.Sim;

/// <summary>The blobs that a member has synced, by a digest that names them: updates, aggregates, bases.</summary>
internal sealed class HeldBlobs
{
    private readonly Dictionary<Digest, (long Round, Sequence<Digest> Parts)> _blobs = [];

    internal bool Contains(Digest blob) => _blobs.ContainsKey(blob);

    /// <summary>Holds a blob for a round, and further on if it is held already.</summary>
    internal void Add(Digest blob, long round) => Add(blob, round, Sequence<Digest>.Empty);

    /// <summary>Holds blobs that the world moves as one: an update's shards.</summary>
    internal void Add(Digest blob, long round, Sequence<Digest> parts) => _blobs[blob] = (round, parts);

    /// <summary>Deletes what only rounds before a round named, except what is kept.</summary>
    internal void Forget(long round, Digest standsOn, Sequence<Digest> keep)
    {
        HashSet<Digest> kept = [.. keep, standsOn];
        foreach ((Digest blob, (long last, Sequence<Digest> parts)) in _blobs.ToArray())
        {
            if (last < round && !kept.Contains(blob) && !parts.Any(kept.Contains))
            {
                _blobs.Remove(blob);
            }
        }
    }
}
