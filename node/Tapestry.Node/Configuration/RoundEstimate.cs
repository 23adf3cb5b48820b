using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Configuration;

/// <summary>What one round costs a member of each role, before anybody has run one: bytes, disk and time.</summary>
/// <remarks>
/// Payload only; framing, votes and receipts are below one percent of any real update. A committee member receives every
/// update and, owning every slice, computes every aggregate itself; the others fetch the aggregate.
/// </remarks>
/// <param name="Role">"committee" or "member".</param>
/// <param name="SentBytes">Bytes sent in a round.</param>
/// <param name="ReceivedBytes">Bytes received in a round.</param>
/// <param name="DiskBytes">Bytes on disk once <see cref="Timing.KeepRounds"/> rounds are kept.</param>
/// <param name="TrainMs">Training, at the declared time of a step; 0 when none was declared.</param>
/// <param name="ContributeMs">Moving the updates at the declared link rate.</param>
/// <param name="ApplyMs">Moving the aggregates at the declared link rate.</param>
internal sealed record RoundEstimate(
    string Role, long SentBytes, long ReceivedBytes, long DiskBytes, long TrainMs, long ContributeMs, long ApplyMs)
{
    private const int Fp32Bytes = 4;
    private const int MxBlockElements = 32;
    private const int MxBlockBytes = 33;

    // A base is parameters and outer momentum, each FP32.
    private const int BaseSections = 2;

    /// <summary>The roles of a network.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="members">Members of the network.</param>
    /// <param name="committee">Seats of the committee.</param>
    /// <param name="linkMbitPerSecond">Rate of each member's link, each way.</param>
    /// <param name="stepMs">Time of one inner step; 0 when unknown.</param>
    public static IReadOnlyList<RoundEstimate> For(Plan plan, int members, int committee, double linkMbitPerSecond, double stepMs)
    {
        long update = EncodedBytes(plan.ParameterCount, plan.Exchange.Up);
        long aggregate = EncodedBytes(plan.ParameterCount, plan.Exchange.Down);
        long baseBytes = BaseSections * Fp32Bytes * plan.ParameterCount;
        long own = (BaseSections * baseBytes) + (2 * Fp32Bytes * plan.ParameterCount);
        long served = committee == 0 ? 0 : (members - committee) * aggregate / committee;
        long trainMs = (long)(plan.Inner.Steps * stepMs);
        List<RoundEstimate> roles = [];
        if (committee > 0)
        {
            long sent = update * (committee - 1);
            long received = update * (members - 1);
            roles.Add(new RoundEstimate(
                "committee", sent + served, received, own + (plan.Timing.KeepRounds * ((members * update) + aggregate)),
                trainMs, Milliseconds(Math.Max(sent, received), linkMbitPerSecond), Milliseconds(served, linkMbitPerSecond)));
        }

        if (members > committee)
        {
            long sent = update * committee;
            roles.Add(new RoundEstimate(
                "member", sent, aggregate, own + (plan.Timing.KeepRounds * (update + aggregate)),
                trainMs, Milliseconds(sent, linkMbitPerSecond), Milliseconds(aggregate, linkMbitPerSecond)));
        }

        return roles;
    }

    /// <summary>Why a plan cannot meet its own deadlines in this role; null when it can.</summary>
    public string? Misses(Timing timing)
    {
        long contributeMs = TrainMs + ContributeMs;
        long contributeLimitMs = timing.ContributeMs - timing.CloseMarginMs;
        if (contributeMs > contributeLimitMs)
        {
            return $"a {Role} needs {contributeMs} ms to train ({TrainMs} ms) and move updates ({ContributeMs} ms), "
                + $"but contributeMs less closeMarginMs leaves {contributeLimitMs} ms";
        }

        return ApplyMs > timing.AggregateMs
            ? $"a {Role} needs {ApplyMs} ms to move aggregates, but aggregateMs is {timing.AggregateMs}"
            : null;
    }

    /// <summary>Bytes of a whole encoded vector.</summary>
    public static long EncodedBytes(long parameters, Codec codec) => codec switch
    {
        Codec.Fp32 => parameters * Fp32Bytes,
        Codec.MxInt8 => (parameters + MxBlockElements - 1) / MxBlockElements * MxBlockBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(codec), codec, "Unknown codec."),
    };

    private static long Milliseconds(long bytes, double linkMbitPerSecond) => (long)Math.Ceiling(bytes * 8 / (linkMbitPerSecond * 1000));
}
