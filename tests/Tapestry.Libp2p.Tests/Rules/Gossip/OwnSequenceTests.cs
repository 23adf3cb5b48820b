using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>Our own sequence numbers grow from life to life, whatever the clock says.</summary>
public sealed class OwnSequenceTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ulong NoonNanoseconds = (ulong)(Noon - DateTimeOffset.UnixEpoch).Ticks * 100;

    [Fact]
    public void A_first_life_starts_at_the_clock_and_a_later_one_does_too_where_the_clock_is_ahead()
    {
        KeptCeiling kept = new();

        new OwnSequence(Noon, kept).Next().Should().Be(NoonNanoseconds + 1);
        new OwnSequence(Noon.AddSeconds(1), kept).Next().Should().Be(NoonNanoseconds + 1_000_000_001);
        new OwnSequence(DateTimeOffset.UnixEpoch.AddDays(-1), null).Next().Should().Be(1);
    }

    [Theory]
    [InlineData(long.MaxValue + 1UL)]
    [InlineData(ulong.MaxValue)]
    public void A_ceiling_that_nobody_can_have_saved_is_ignored(ulong ceiling)
    {
        KeptCeiling kept = new();
        kept.Save(ceiling);

        new OwnSequence(Noon, kept).Next().Should().Be(NoonNanoseconds + 1);
    }

    [Fact]
    public void No_number_comes_twice_over_lives_that_end_anywhere_under_a_clock_that_goes_back()
    {
        KeptCeiling kept = new();
        ulong last = 0;
        int repeated = 0;
        int unkept = 0;
        foreach (int life in Enumerable.Range(0, 4))
        {
            OwnSequence sequence = new(Noon.AddHours(-life), kept);
            for (ulong number = 0; number < OwnSequence.Block + (ulong)life; number++)
            {
                ulong next = sequence.Next();
                repeated += next > last ? 0 : 1;
                unkept += next <= kept.Saved[^1] ? 0 : 1;
                last = next;
            }
        }

        repeated.Should().Be(0);
        unkept.Should().Be(0, "a ceiling is kept before a number under it is said");
        kept.Saved.Should().HaveCount(7, "a block is kept at a time: one in the first life, two in each of the others");
    }
}
