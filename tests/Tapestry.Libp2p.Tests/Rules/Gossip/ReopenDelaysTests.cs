using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>How often a stream that the peer ended is opened again.</summary>
public sealed class ReopenDelaysTests
{
    [Fact]
    public void Delays_double_with_a_part_by_lot_and_end_after_four()
    {
        ReopenDelays delays = new(new Random(1));
        for (int attempt = 0; attempt < ReopenDelays.AttemptsMax; attempt++)
        {
            TimeSpan least = ReopenDelays.First * Math.Pow(2, attempt);
            delays.Next(TimeSpan.FromSeconds(attempt))!.Value.Should().BeGreaterThanOrEqualTo(least).And.BeLessThanOrEqualTo(2 * least);
        }

        delays.Next(TimeSpan.FromSeconds(10)).Should().BeNull();
        delays.Next(ReopenDelays.Memory).Should().BeNull();
    }

    [Fact]
    public void After_ten_quiet_minutes_they_start_anew()
    {
        ReopenDelays delays = new(new Random(1));
        for (int attempt = 0; attempt <= ReopenDelays.AttemptsMax; attempt++)
        {
            delays.Next(TimeSpan.Zero);
        }

        delays.Next(ReopenDelays.Memory + TimeSpan.FromSeconds(1))!.Value.Should().BeLessThanOrEqualTo(2 * ReopenDelays.First);
    }
}
