using FluentAssertions;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Yamux;

public sealed class ReceiveWindowTests
{
    private const int Initial = YamuxLimits.InitialWindowBytes;
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    [Fact]
    public void The_whole_window_may_arrive_and_not_one_byte_more()
    {
        ReceiveWindow window = new(Initial);
        window.TryReceive(Initial).Should().BeTrue();
        window.TryReceive(1).Should().BeFalse();
        window.TryReceive(0).Should().BeTrue();
    }

    [Fact]
    public void What_arrived_gives_no_window_back_until_it_is_taken()
    {
        ReceiveWindow window = new(Initial);
        window.TryReceive(Initial);
        window.IsUpdateDue.Should().BeFalse();
        window.Take((Initial / 2) - 1);
        window.IsUpdateDue.Should().BeFalse();
        window.Take(1);
        window.IsUpdateDue.Should().BeTrue();
        window.Update(Long, null, 0).Should().Be(Initial / 2);
        window.IsUpdateDue.Should().BeFalse();
    }

    [Fact]
    public void A_window_that_is_emptied_within_four_round_trips_doubles_up_to_its_maximum()
    {
        ReceiveWindow window = new(sizeMax: 3 * Initial);
        window.TryReceive(Initial);
        window.Take(Initial);
        window.Update(4 * RoundTrip, RoundTrip, long.MaxValue).Should().Be(2 * Initial);
        window.Size.Should().Be(2 * Initial);
        window.TryReceive(2 * Initial).Should().BeTrue();
        window.Take(Initial);
        window.Update(8 * RoundTrip, RoundTrip, long.MaxValue).Should().Be(2 * Initial);
        window.Size.Should().Be(3 * Initial);
        window.TryReceive((2 * Initial) + 1).Should().BeFalse();
    }

    [Theory]
    [InlineData(41, 10, long.MaxValue)]
    [InlineData(1, null, long.MaxValue)]
    [InlineData(1, 10, 0L)]
    public void A_window_does_not_grow_when_slow_unmeasured_or_out_of_budget(int nowMs, int? roundTripMs, long budget)
    {
        ReceiveWindow window = new(sizeMax: 16 * Initial);
        window.TryReceive(Initial);
        window.Take(Initial);
        TimeSpan? roundTrip = roundTripMs is int ms ? TimeSpan.FromMilliseconds(ms) : null;
        window.Update(TimeSpan.FromMilliseconds(nowMs), roundTrip, budget).Should().Be(Initial);
        window.Size.Should().Be(Initial);
    }

    [Fact]
    public void Growth_stops_at_what_the_session_has_left()
    {
        ReceiveWindow window = new(sizeMax: 16 * Initial);
        window.TryReceive(Initial);
        window.Take(Initial);
        window.Update(RoundTrip, RoundTrip, growthLeft: 1000).Should().Be(Initial + 1000);
        window.Growth.Should().Be(1000);
    }
}
