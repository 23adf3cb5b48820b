using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>Peers that a PRUNE recommends, and whose recommendations are believed.</summary>
public sealed class PeerExchangeTests
{
    private static readonly ExchangedPeer Recommended = new(LoneRouter.Peer(50), new byte[] { 1 });

    [Fact]
    public void Leaving_recommends_other_peers_of_the_topic_whose_records_we_hold()
    {
        LoneRouter router = LoneRouter.Joined(recordOf: peer => peer == LoneRouter.Peer(2) || peer == LoneRouter.Peer(3) ? (ReadOnlyMemory<byte>?)new byte[] { 7 } : null).With(1, 2, 3, 4);
        router.Router.Leave(LoneRouter.Topic, router.Now);

        router.PrunesTo(1).Single().Peers.Select(peer => peer.Peer).Should().BeEquivalentTo([LoneRouter.Peer(2), LoneRouter.Peer(3)]);
        router.PrunesTo(2).Single().Peers.Select(peer => peer.Peer).Should().Equal(LoneRouter.Peer(3));
    }

    [Fact]
    public void Who_is_scored_below_zero_is_not_recommended_and_sixteen_are_the_most()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { ApplicationScore = peer => peer == LoneRouter.Peer(2) ? -1 : 0 } };
        LoneRouter router = LoneRouter.Joined(options, recordOf: _ => new byte[] { 7 }).With([.. Enumerable.Range(1, 40).Select(number => (byte)number)]);
        router.Router.Leave(LoneRouter.Topic, router.Now);
        byte pruned = Enumerable.Range(1, 40).Select(number => (byte)number).First(peer => router.PrunesTo(peer).Count > 0);
        router.PrunesTo(pruned).Single().Peers.Should().HaveCount(16).And.NotContain(peer => peer.Peer == LoneRouter.Peer(2));
    }

    [Theory]
    [InlineData(9.9, 0)]
    [InlineData(10, 1)]
    public void Only_a_peer_with_a_good_score_is_believed(double score, int meetings)
    {
        GossipOptions options = new() { Scoring = new GossipScoring { ApplicationScore = _ => score } };
        LoneRouter router = LoneRouter.Joined(options).With(1);
        router.Prune(1, null, Recommended);
        router.Meetings().Should().HaveCount(meetings);
    }

    [Fact]
    public void Neither_ourselves_nor_who_is_connected_is_met_and_no_more_than_sixteen_of_one_prune()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { ApplicationScore = _ => 100 } };
        LoneRouter router = LoneRouter.Joined(options).With(1, 2);
        ExchangedPeer[] many = [.. Enumerable.Range(100, 30).Select(number => new ExchangedPeer(LoneRouter.Peer((byte)number), default))];
        router.Prune(1, null, [new ExchangedPeer(LoneRouter.Peer(LoneRouter.Self), default), new ExchangedPeer(LoneRouter.Peer(2), default), .. many]);

        router.Meetings().Should().HaveCount(16).And.OnlyContain(meeting => meeting.RecommendedBy == LoneRouter.Peer(1));
        router.Meetings().Select(meeting => meeting.Peer.Peer).Should().NotContain([LoneRouter.Peer(LoneRouter.Self), LoneRouter.Peer(2)]);
    }

    [Fact]
    public void A_false_record_is_blamed_on_who_recommends_with_it()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { BehaviourThreshold = 0 } };
        LoneRouter router = LoneRouter.Joined(options).With(1);
        router.Router.Blame(LoneRouter.Peer(1), GossipFault.PeerRecordInvalid);
        router.FaultsOf(1).Should().Equal(GossipFault.PeerRecordInvalid);
        router.Score(1).Should().Be(-10);
    }
}
