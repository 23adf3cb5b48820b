using FluentAssertions;
using Xunit;

namespace Tapestry.Sim.Tests.Rules;

public sealed class RandomStreamTests
{
    [Fact]
    public void Equal_seeds_and_parts_give_equal_streams_and_others_do_not()
    {
        ulong[] one = Take(new RandomStream(7, 1));
        Take(new RandomStream(7, 1)).Should().Equal(one);
        Take(new RandomStream(7, 2)).Should().NotEqual(one);
        Take(new RandomStream(8, 1)).Should().NotEqual(one);
    }

    [Fact]
    public void Numbers_stay_in_their_range_and_reach_both_ends()
    {
        RandomStream random = new(1, 1);
        long[] drawn = [.. Enumerable.Range(0, 1000).Select(_ => random.Between(3, 6))];
        drawn.Distinct().Order().Should().Equal(3, 4, 5, 6);
    }

    private static ulong[] Take(RandomStream stream) => [.. Enumerable.Range(0, 8).Select(_ => stream.Next())];
}
