using System.Collections.Concurrent;
using Tapestry.Libp2p;
using Tapestry.Node.Swarm;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Daemon;

/// <summary>What members did wrong of late outside gossip, as gossip counts it against them (P5).</summary>
/// <remarks>
/// specs/50-network.md, section 11.8. Nobody is silenced by it: an honest member may be busy, behind, or of a later version, so the
/// worst that it can cost is above the threshold where gossip stops, and a minute of good conduct takes half of it away, a few of them all.
/// </remarks>
/// <param name="clock">The clock.</param>
internal sealed class MemberScores(MonotonicClock clock)
{
    /// <summary>The least that a member's score can be.</summary>
    public const double Worst = -9;

    /// <summary>What costs an honest member little: more than was allowed, or something that another version may say.</summary>
    public const double Excess = 0.5;

    /// <summary>What no honest member does: bytes under a name that is not theirs.</summary>
    public const double Lie = 2;

    private const double HalfLifeMs = 60_000;

    // A half of a half is never nothing, and below 0 a member is in nobody's mesh: one excess is over after two and a half minutes.
    private const double Forgotten = 0.1;

    private readonly ConcurrentDictionary<MemberId, (double Score, long AtMs)> _scores = new();

    /// <summary>Takes a fault into account.</summary>
    /// <param name="member">A member of the genesis, so that there are no more rows than they.</param>
    /// <param name="fault">What it did.</param>
    public void Add(MemberId member, Enum fault)
    {
        if (WeightOf(fault) is double weight and > 0)
        {
            _scores.AddOrUpdate(
                member,
                _ => (-weight, clock.ElapsedMs),
                (_, before) => (Math.Max(Worst, Decayed(before) - weight), clock.ElapsedMs));
        }
    }

    /// <summary>From <see cref="Worst"/> to 0, which is nothing to complain of.</summary>
    public double Of(MemberId member) => _scores.TryGetValue(member, out (double, long) score) ? Decayed(score) : 0;

    private static double WeightOf(Enum fault) => fault switch
    {
        MemberFault.BadManifest or MemberFault.BadShards or MemberFault.BadReceipt or MemberFault.Equivocation or MemberFault.BadBody
            or MemberFault.BadSignature => Lie,
        BlobFault blob when blob.IsLie() => Lie,

        // Time that was too short, or room of ours that others have taken: that may be our doing, or theirs.
        BlobFault.Stalled or Libp2pFault.DeadlinePassed or Libp2pFault.ClosedLocally => 0,
        _ => Excess,
    };

    private double Decayed((double Score, long AtMs) score)
    {
        double decayed = score.Score * Math.Pow(0.5, (clock.ElapsedMs - score.AtMs) / HalfLifeMs);
        return decayed > -Forgotten ? 0 : decayed;
    }
}
