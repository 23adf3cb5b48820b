using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Gossip;
using Tapestry.Node.Daemon;
using Tapestry.Node.Swarm;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Node.Tests.Rules;

public sealed class MemberScoresTests
{
    private readonly Minutes _time = new();
    private readonly MemberScores _scores;
    private readonly MemberId _member = new(SigningKey.FromSeed(new byte[SigningKey.SeedLength]).PublicKey);

    public MemberScoresTests() => _scores = new MemberScores(new MonotonicClock(_time));

    [Fact]
    public void A_fault_costs_something_and_half_of_it_is_forgotten_in_a_minute()
    {
        _scores.Of(_member).Should().Be(0);

        _scores.Add(_member, Libp2pFault.RateLimit);
        _scores.Of(_member).Should().Be(-MemberScores.Excess);
        _time.Passed = 1;
        _scores.Of(_member).Should().Be(-MemberScores.Excess / 2);
        _scores.Add(_member, RelayStatus.ReservationRefused);
        _scores.Of(_member).Should().Be(-MemberScores.Excess * 1.5);
    }

    [Fact]
    public void What_was_done_is_over_after_some_minutes_and_the_member_may_be_in_meshes_again()
    {
        _scores.Add(_member, Libp2pFault.RateLimit);

        _time.Passed = 2;
        _scores.Of(_member).Should().BeNegative();
        _time.Passed = 3;
        _scores.Of(_member).Should().Be(0);
    }

    [Theory]
    [InlineData(MemberFault.BadSignature)]
    [InlineData(MemberFault.BadShards)]
    [InlineData(BlobFault.WrongChunk)]
    public void A_lie_costs_more_than_an_excess(Enum lie)
    {
        _scores.Add(_member, lie);

        _scores.Of(_member).Should().Be(-MemberScores.Lie);
    }

    [Theory]
    [InlineData(BlobFault.Stalled)]
    [InlineData(Libp2pFault.DeadlinePassed)]
    [InlineData(Libp2pFault.ClosedLocally)]
    public void What_our_own_machine_or_others_may_have_caused_costs_nothing(Enum fault)
    {
        _scores.Add(_member, fault);

        _scores.Of(_member).Should().Be(0);
    }

    [Fact]
    public void However_much_a_member_is_refused_it_is_still_heard()
    {
        for (int time = 0; time < 1000; time++)
        {
            _scores.Add(_member, Libp2pFault.ResourceLimit);
        }

        _scores.Of(_member).Should().Be(MemberScores.Worst);
        MemberScores.Worst.Should().BeGreaterThan(new GossipScoring().GossipThreshold);
    }

    private sealed class Minutes : TimeProvider
    {
        internal long Passed { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Passed * 60;
    }
}
