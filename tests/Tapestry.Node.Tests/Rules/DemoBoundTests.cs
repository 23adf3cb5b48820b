using FluentAssertions;
using Tapestry.Node.Demo;
using Xunit;

namespace Tapestry.Node.Tests.Rules;

/// <summary>Four members, so f = 1: an update is 100 bytes here, an aggregate 10.</summary>
public sealed class DemoBoundTests
{
    [Theory]
    [InlineData("everybody is there: two settle from three updates of others each, two take the aggregate", 2 * ((2 * 300) + (2 * 10)), 4, 4)]
    [InlineData("one dies in the first round: the other settler and two aggregates are left of it; the second round has two updates of others", 300 + 20 + (2 * 200) + 20, 4, 3)]
    [InlineData("one is away in both rounds, and at the end holds their base", 200 + 20 + (2 * 200) + 20, 3, 3)]
    [InlineData("two are away: nobody who settled need be among who went on", 20 + (2 * 100) + 20, 4, 2)]
    [InlineData("nothing was certified", 0)]
    public void The_least_counts_who_went_on_from_a_round(string story, long bytes, params int[] included) =>
        DemoBound.LeastBytes(included, 4, faults: 1, updateBytes: 100, aggregateBytes: 10).Should().Be(bytes, story);

    [Fact]
    public void The_bound_counts_each_included_update_f_plus_one_times_and_an_aggregate_for_it() =>
        DemoBound.Bytes([4, 3], faults: 1, updateBytes: 100, aggregateBytes: 10).Should().Be(7 * 210);

    [Fact]
    public void Who_goes_on_may_have_had_the_updates_where_they_are_less_than_the_aggregate() =>
        DemoBound.LeastBytes([2], 4, faults: 1, updateBytes: 10, aggregateBytes: 100).Should().Be(4 * 10);
}
