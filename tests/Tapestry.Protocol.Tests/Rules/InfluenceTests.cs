using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>specs/30-rounds.md, section 14: nobody counts for more than the plan allows, and everybody counts for something.</summary>
public sealed class InfluenceTests
{
    private static readonly InfluenceRule Rule = new(NormMultiple: 3, Cap: 0.4, MaximumTokens: 1_000_000, MinimumMembers: 1);

    [Theory]
    [InlineData(new double[] { 5 }, 5)]
    [InlineData(new double[] { 5, 1 }, 1)]
    [InlineData(new double[] { 9, 1, 5 }, 5)]
    [InlineData(new double[] { 9, 1, 5, 7 }, 5)]
    public void The_median_is_a_norm_that_somebody_has(double[] norms, double median) => Influence.LowerMedian(norms).Should().Be(median);

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0, 2, 1)]
    [InlineData(2, 2, 1)]
    [InlineData(6, 2, 1)]
    [InlineData(12, 2, 0.5)]
    [InlineData(1, 0, 0)]
    public void A_norm_above_the_multiple_of_the_median_is_scaled_down_to_it(double norm, double median, double scale) =>
        Influence.Scale(norm, median, 3).Should().Be(scale);

    [Fact]
    public void The_norm_adds_slices_in_order_and_takes_the_root() => Influence.Norm([9, 16]).Should().Be(5);

    [Theory]
    [InlineData(new long[] { 7 }, new long[] { 7 })]
    [InlineData(new long[] { 100, 100 }, new long[] { 100, 100 })]
    [InlineData(new long[] { 100, 1 }, new long[] { 1, 1 })]
    [InlineData(new long[] { 100, 10, 10, 10 }, new long[] { 20, 10, 10, 10 })]
    [InlineData(new long[] { 3_000_000, 2_000_000, 1_000_000 }, new long[] { 1_000_000, 1_000_000, 1_000_000 })]
    public void Water_is_filled_to_the_highest_level_that_keeps_the_cap(long[] tokens, long[] weights) =>
        Influence.Weights(tokens, Rule).Should().Equal(weights);

    [Fact]
    public void No_share_exceeds_the_cap_and_no_higher_level_would_do()
    {
        Prop.ForAll<int>(ArbMap.Default.ArbFor<int>(), static seed =>
        {
            Random random = new(seed);
            long[] tokens = [.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => 1 + (random.NextInt64(1L << 40) >> random.Next(40)))];
            InfluenceRule rule = Rule with { Cap = random.Next(1, 101) / 100.0, MaximumTokens = 1 + random.NextInt64(1L << 40) };
            long[] weights = Influence.Weights(tokens, rule);
            long level = weights.Max();
            return weights.All(static weight => weight > 0) && Keeps(weights, rule)
                && weights.Zip(tokens).All(pair => pair.First == Math.Min(Math.Min(pair.Second, rule.MaximumTokens), level))
                && (level == tokens.Max(count => Math.Min(count, rule.MaximumTokens))
                    || !Keeps([.. tokens.Select(count => Math.Min(Math.Min(count, rule.MaximumTokens), level + 1))], rule));
        }).QuickCheckThrowOnFailure();

        // Shares as exact fractions: weight / total <= max(cap, 1 / count), with the cap in whole hundredths.
        static bool Keeps(long[] weights, InfluenceRule rule)
        {
            Int128 total = weights.Aggregate((Int128)0, static (sum, weight) => sum + weight);
            Int128 largest = weights.Max();
            return largest * 100 <= total * (Int128)Math.Round(rule.Cap * 100) || largest * weights.Length <= total;
        }
    }

    [Fact]
    public void Places_follow_the_order_of_the_updates()
    {
        Samples samples = new(4);
        MeasuredUpdate[] updates =
        [
            new(samples.Member(), samples.Digest(), 10, 2),
            new(samples.Member(), samples.Digest(), 10, 20),
            new(samples.Member(), samples.Digest(), 10, 2),
        ];
        Influence.Of(updates, Rule).Should().Equal(
            new Inclusion(updates[0].Member, updates[0].Manifest, 2, 1, 10),
            new Inclusion(updates[1].Member, updates[1].Manifest, 20, 0.3, 10),
            new Inclusion(updates[2].Member, updates[2].Manifest, 2, 1, 10));
    }
}
