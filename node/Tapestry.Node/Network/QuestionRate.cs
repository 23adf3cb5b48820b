using System.Collections.Concurrent;
using Tapestry.Libp2p;

namespace Tapestry.Node.Network;

/// <summary>How often each member has asked in the running minute. Only members are admitted, so there are no more rows than they.</summary>
/// <param name="perMinute">Questions of one member that are answered.</param>
/// <param name="time">The clock.</param>
internal sealed class QuestionRate(int perMinute, TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<PeerId, (long StartedAt, int Count)> _asked = new();

    /// <summary>Counts a question; false when there were too many.</summary>
    public bool TryTake(PeerId from)
    {
        long now = time.GetTimestamp();
        (long StartedAt, int Count) asked = _asked.AddOrUpdate(
            from,
            _ => (now, 1),
            (_, before) => time.GetElapsedTime(before.StartedAt, now) < Minute ? (before.StartedAt, Math.Min(before.Count, perMinute) + 1) : (now, 1));
        return asked.Count <= perMinute;
    }
}
