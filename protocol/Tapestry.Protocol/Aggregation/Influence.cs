using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Aggregation;

/// <summary>An update as its receipts measured it: what decides how much it counts.</summary>
/// <param name="Member">Whose.</param>
/// <param name="Manifest">Digest of the manifest's signed statement.</param>
/// <param name="Tokens">Tokens trained on, as the manifest says.</param>
/// <param name="Norm">L2 norm of the decoded update.</param>
public readonly record struct MeasuredUpdate(MemberId Member, Digest Manifest, long Tokens, double Norm);

/// <summary>How much each member counts in a round: the norm's scale, the weight, and the cap on one member's share.</summary>
/// <remarks>
/// specs/30-rounds.md, section 14. Only + * / and square root on doubles, each exactly rounded, and integers: every machine
/// gets the same values. It bounds what one member can do to a round; it does not prove that nobody does harm.
/// </remarks>
public static class Influence
{
    // The cap as a whole number of parts, so that water-filling is exact.
    private const long CapParts = 1_000_000;

    /// <summary>The places of all updates of a set.</summary>
    /// <param name="updates">Ascending by member, at least one.</param>
    /// <param name="rule">The plan's rule.</param>
    public static Sequence<Inclusion> Of(IReadOnlyList<MeasuredUpdate> updates, InfluenceRule rule)
    {
        double median = LowerMedian([.. updates.Select(static update => update.Norm)]);
        long[] weights = Weights([.. updates.Select(static update => update.Tokens)], rule);
        Inclusion[] places = new Inclusion[updates.Count];
        for (int index = 0; index < places.Length; index++)
        {
            MeasuredUpdate update = updates[index];
            places[index] = new Inclusion(update.Member, update.Manifest, update.Norm, Scale(update.Norm, median, rule.NormMultiple), weights[index]);
        }

        return Sequence.Create<Inclusion>(places);
    }

    /// <summary>The norm of an update: the square root of its slices' sums of squares, added in slice order.</summary>
    public static double Norm(IEnumerable<double> sumsOfSquares)
    {
        double sum = 0;
        foreach (double slice in sumsOfSquares)
        {
            sum += slice;
        }

        return Math.Sqrt(sum);
    }

    /// <summary>The middle norm, of an even count the smaller one of the two: always a norm that a member really has.</summary>
    public static double LowerMedian(double[] norms)
    {
        double[] sorted = [.. norms];
        Array.Sort(sorted);
        return sorted[(sorted.Length - 1) / 2];
    }

    /// <summary>min(1, multiple * median / norm), the product first; 1 for norm 0.</summary>
    public static double Scale(double norm, double median, double multiple) =>
        norm == 0 ? 1 : Math.Min(1, multiple * median / norm);

    /// <summary>min(tokens, maximum), then lowered to the highest level at which nobody exceeds max(cap, 1 / count) of the total.</summary>
    /// <remarks>
    /// The share of whoever stands at the level falls as the level falls, and at the lowest weight all are equal, which is
    /// 1 / count: so the level exists, is unique, and is found by halving.
    /// </remarks>
    public static long[] Weights(long[] tokens, InfluenceRule rule)
    {
        long[] weights = [.. tokens.Select(count => Math.Min(count, rule.MaximumTokens))];
        long level = 1;
        long tooHigh = weights.Max() + 1;
        long capParts = (long)Math.Floor(rule.Cap * CapParts);
        while (tooHigh - level > 1)
        {
            long middle = level + ((tooHigh - level) / 2);
            (level, tooHigh) = KeepsCap(weights, middle, capParts) ? (middle, tooHigh) : (level, middle);
        }

        return [.. weights.Select(weight => Math.Min(weight, level))];
    }

    private static bool KeepsCap(long[] weights, long level, long capParts)
    {
        Int128 total = 0;
        foreach (long weight in weights)
        {
            total += Math.Min(weight, level);
        }

        return level * (Int128)CapParts <= total * capParts || level * (Int128)weights.Length <= total;
    }
}
