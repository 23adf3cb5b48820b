using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

public sealed class ThreadShareTests
{
    private readonly Milliseconds _time = new();

    [Fact]
    public void A_loop_that_never_waits_yields_every_two_milliseconds()
    {
        ThreadShare share = new(_time);
        List<long> yields = [];
        for (_time.Passed = 0; _time.Passed < 8; _time.Passed++)
        {
            if (share.IsUsedUpBy(completed: true))
            {
                yields.Add(_time.Passed);
            }
        }

        yields.Should().Equal(2, 5);
    }

    [Fact]
    public void A_loop_that_has_waited_begins_anew()
    {
        ThreadShare share = new(_time);
        for (_time.Passed = 0; _time.Passed < 10; _time.Passed++)
        {
            share.IsUsedUpBy(completed: _time.Passed % 2 == 0).Should().BeFalse();
        }
    }

    private sealed class Milliseconds : TimeProvider
    {
        public long Passed { get; set; }

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Passed;
    }
}
