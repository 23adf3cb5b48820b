using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>Who is in the mesh: its size, who is kept when it is too large, who gets in, and for how long nobody does.</summary>
public sealed class MeshTests
{
    private static readonly GossipParameters Parameters = new();

    private static byte[] Peers(int count) => [.. Enumerable.Range(1, count).Select(number => (byte)number)];

    [Fact]
    public void Entering_a_topic_tells_everybody_and_grafts_as_many_as_wanted()
    {
        LoneRouter router = new LoneRouter().With(Peers(20));
        router.Router.Join(LoneRouter.Topic, router.Now);

        router.Router.MeshOf(LoneRouter.Topic).Should().HaveCount(Parameters.MeshPeers);
        foreach (byte peer in Peers(20))
        {
            router.SentTo(peer)[0].Subscriptions.Should().Equal(new GossipSubscription(LoneRouter.Topic, true));
            router.GraftsTo(peer).Should().HaveCount(router.IsInMesh(peer) ? 1 : 0);
        }
    }

    [Fact]
    public void A_peer_that_enters_later_is_told_our_topics_and_grafted_at_once_while_there_is_need()
    {
        LoneRouter router = LoneRouter.Joined();
        router.Add(1);
        router.SentTo(1)[0].Subscriptions.Should().Equal(new GossipSubscription(LoneRouter.Topic, true));
        router.GraftsTo(1).Should().Equal(LoneRouter.Topic);

        router.With(Peers(20));
        router.Router.MeshOf(LoneRouter.Topic).Should().HaveCount(Parameters.MeshPeers);
    }

    [Fact]
    public void Leaving_prunes_the_mesh_with_the_shorter_back_off()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        router.Router.Leave(LoneRouter.Topic, router.Now);

        router.PrunesTo(1).Single().Backoff.Should().Be(Parameters.UnsubscribeBackoff);
        router.SentTo(1).SelectMany(rpc => rpc.Subscriptions).Last().Subscribes.Should().BeFalse();
        router.Router.Join(LoneRouter.Topic, router.Now);
        router.IsInMesh(1).Should().BeFalse("the back-off holds for us as well");
        router.Beat((int)Parameters.UnsubscribeBackoff.TotalSeconds + Parameters.BackoffSlackHeartbeats);
        router.IsInMesh(1).Should().BeTrue();
    }

    [Fact]
    public void Below_the_low_mark_a_heartbeat_fills_the_mesh_up()
    {
        LoneRouter router = LoneRouter.Joined().With(Peers(20));
        byte[] mesh = [.. Peers(20).Where(router.IsInMesh)];
        foreach (byte peer in mesh[..3])
        {
            router.Prune(peer);
        }

        router.Router.MeshOf(LoneRouter.Topic).Should().HaveCount(3);
        router.Beat();
        router.Router.MeshOf(LoneRouter.Topic).Should().HaveCount(Parameters.MeshPeers);
        mesh[..3].Should().NotContain(peer => router.IsInMesh(peer), "they asked for a pause");
    }

    [Fact]
    public void At_the_high_mark_the_best_stay_then_whom_the_lot_keeps_and_enough_whom_we_dialled()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { ApplicationScore = peer => peer == LoneRouter.Peer(7) || peer == LoneRouter.Peer(9) ? 100 : 0 } };
        LoneRouter router = LoneRouter.Joined(options);
        foreach (byte peer in Peers(14))
        {
            router.Add(peer, isOutbound: peer > 12);
            router.Graft(peer);
        }

        router.Router.MeshOf(LoneRouter.Topic).Should().HaveCount(14);
        router.Forget();
        router.Beat();

        router.Router.MeshOf(LoneRouter.Topic).Should().HaveCount(Parameters.MeshPeers);
        foreach (byte kept in (byte[])[7, 9, 13, 14])
        {
            router.IsInMesh(kept).Should().BeTrue($"{kept} is one of the best, or one of the two that we dialled");
        }

        Peers(14).Where(peer => !router.IsInMesh(peer)).Should().OnlyContain(peer => router.PrunesTo(peer).Single().Backoff == Parameters.PruneBackoff);
    }

    [Fact]
    public void A_full_mesh_takes_only_whom_we_dialled()
    {
        LoneRouter router = LoneRouter.Joined();
        foreach (byte peer in Peers(12))
        {
            router.Add(peer);
            router.Graft(peer);
        }

        router.Add(20).Graft(20);
        router.Add(21, isOutbound: true).Graft(21);

        router.PrunesTo(20).Should().ContainSingle();
        router.IsInMesh(20).Should().BeFalse();
        router.IsInMesh(21).Should().BeTrue();
    }

    [Fact]
    public void A_mesh_without_peers_that_we_dialled_gets_some()
    {
        LoneRouter router = LoneRouter.Joined();
        foreach (byte peer in Peers(6))
        {
            router.Add(peer);
        }

        router.Add(10, isOutbound: true).Add(11, isOutbound: true).Add(12, isOutbound: true);
        router.Beat();
        ((byte[])[10, 11, 12]).Count(router.IsInMesh).Should().Be(Parameters.MeshPeersOutbound);
    }

    [Fact]
    public void Whom_we_score_below_zero_is_pruned_not_recommended_to_and_not_taken_back()
    {
        double score = 0;
        GossipOptions options = new() { Scoring = new GossipScoring { ApplicationScore = peer => peer == LoneRouter.Peer(1) ? score : 0 } };
        LoneRouter router = LoneRouter.Joined(options, recordOf: _ => new byte[] { 1 }).With(1, 2, 3);
        score = -1;
        router.Beat();

        router.PrunesTo(1).Single().Peers.Should().BeEmpty();
        router.PrunesTo(1).Single().Backoff.Should().Be(Parameters.PruneBackoff);
        score = 0;
        router.Beat(59);
        router.IsInMesh(1).Should().BeFalse("of the back-off");
        score = -1;
        router.Beat(3);
        router.Graft(1);
        router.IsInMesh(1).Should().BeFalse("of its score");
        router.PrunesTo(1).Should().HaveCount(2);
    }

    [Fact]
    public void A_graft_before_the_back_off_has_passed_is_pruned_and_counts_once_or_right_after_the_prune_twice()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { BehaviourWeight = -1, BehaviourThreshold = 0, BehaviourDecay = 0.9999999, GossipThreshold = -2, PublishThreshold = -4, GraylistThreshold = -12 } };
        LoneRouter router = LoneRouter.Joined(options).With(1);
        router.Prune(1);
        router.Advance(TimeSpan.FromSeconds(11));

        router.Graft(1);
        router.FaultsOf(1).Should().Equal(GossipFault.GraftInBackoff);
        router.Score(1).Should().BeApproximately(-1, 0.01);
        router.PrunesTo(1).Should().HaveCount(1);

        router.Graft(1);
        router.FaultsOf(1).Should().Equal(GossipFault.GraftInBackoff, GossipFault.GraftInBackoff, GossipFault.GraftFlood);
        router.Score(1).Should().BeApproximately(-9, 0.01);
        router.PrunesTo(1).Should().HaveCount(2);

        router.Graft(1);
        router.Score(1).Should().BeApproximately(-25, 0.01);
        router.PrunesTo(1).Should().HaveCount(3);

        router.Advance(TimeSpan.FromSeconds(100));
        router.Graft(1);
        router.PrunesTo(1).Should().HaveCount(3, "it is below the graylist threshold, and nobody listens");
        router.IsInMesh(1).Should().BeFalse();
    }

    [Fact]
    public void The_back_off_that_a_peer_asks_for_is_kept_with_some_slack_and_never_shortened()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        router.Prune(1, TimeSpan.FromSeconds(20));
        router.Prune(1, TimeSpan.FromSeconds(5));
        router.Beat(20);
        router.IsInMesh(1).Should().BeFalse();
        router.Beat(1);
        router.IsInMesh(1).Should().BeTrue();
    }

    [Fact]
    public void A_graft_for_a_topic_that_we_are_not_in_is_not_answered()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        router.Forget();
        router.Say(1, new GossipRpc { Graft = ["elsewhere"] });
        router.SentTo(1).Should().BeEmpty();
        router.FaultsOf(1).Should().Equal(GossipFault.GraftUnknownTopic);
    }

    [Fact]
    public void An_explicit_peer_is_never_in_the_mesh_gets_everything_and_is_heard_whatever_its_score()
    {
        GossipOptions options = new()
        {
            ExplicitPeers = new HashSet<PeerId> { LoneRouter.Peer(1), LoneRouter.Peer(3) },
            Scoring = new GossipScoring { ApplicationScore = peer => peer == LoneRouter.Peer(1) ? -1000 : 0 },
        };
        LoneRouter router = LoneRouter.Joined(options).With(1, 2);
        router.Graft(1);
        router.IsInMesh(1).Should().BeFalse();
        router.PrunesTo(1).Should().ContainSingle();

        router.Send(2, router.Message(2));
        router.MessagesTo(1).Should().ContainSingle();
        router.Send(1, router.Message(1));
        router.Judged.Should().HaveCount(2);
        router.Beat();
        router.Meetings().Should().ContainSingle(meeting => meeting.Peer.Peer == LoneRouter.Peer(3) && meeting.RecommendedBy == null);
    }

    [Fact]
    public void Opportunistic_grafting_takes_better_peers_into_a_poor_mesh_once_a_minute()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { OpportunisticGraftThreshold = 1, DefaultTopic = null, ApplicationScore = peer => peer.CompareTo(LoneRouter.Peer(0)) == 0 ? 0 : Scores.GetValueOrDefault(peer) } };
        LoneRouter router = LoneRouter.Joined(options).With(Peers(6));
        router.With(7, 8, 9, 10);
        byte[] better = [.. Peers(10).Where(peer => !router.IsInMesh(peer))];
        foreach (byte peer in better)
        {
            Scores[LoneRouter.Peer(peer)] = 5;
        }

        router.Beat(59);
        better.Should().NotContain(peer => router.IsInMesh(peer));
        router.Beat();
        better.Count(router.IsInMesh).Should().Be(Parameters.OpportunisticPeers);
    }

    private static readonly Dictionary<PeerId, double> Scores = [];

    [Fact]
    public void A_peer_that_has_gone_is_in_no_list_and_one_whose_stream_broke_comes_back_with_its_topics()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        router.Router.Lost(LoneRouter.Peer(1));
        router.IsInMesh(1).Should().BeFalse();
        router.Router.PeersOf(LoneRouter.Topic).Should().HaveCount(2);
        router.Router.Reached(LoneRouter.Peer(1), GossipVersion.V12, router.Now);
        router.Beat();
        router.IsInMesh(1).Should().BeTrue();

        router.Router.Disconnected(LoneRouter.Peer(1), router.Now);
        router.Router.PeersOf(LoneRouter.Topic).Should().Equal(LoneRouter.Peer(2));
        router.IsInMesh(1).Should().BeFalse();
    }

    [Fact]
    public void Subscriptions_beyond_the_bound_are_ignored_and_topics_that_only_peers_name_go_with_them()
    {
        LoneRouter router = LoneRouter.Joined(limits: new GossipLimits { TopicsPerPeer = 10 });
        router.Add(1, subscribes: false);
        router.Say(1, new GossipRpc { Subscriptions = [.. Enumerable.Range(0, 20).Select(number => new GossipSubscription($"t{number}", true))] });
        router.FaultsOf(1).Should().Equal(GossipFault.TooManyTopics);
        router.Router.PeersOf("t9").Should().ContainSingle();
        router.Router.PeersOf("t10").Should().BeEmpty();

        router.Say(1, new GossipRpc { Subscriptions = [new GossipSubscription("t9", false), new GossipSubscription("t9", false)] });
        router.Router.PeersOf("t9").Should().BeEmpty();
    }

    [Fact]
    public void Parameters_that_contradict_each_other_are_refused()
    {
        foreach (GossipParameters parameters in (GossipParameters[])
        [
            new() { AdvertisedHeartbeats = 6 }, new() { MeshPeersByScore = 13 }, new() { MeshPeersLow = 7 }, new() { MeshPeers = 13 },
            new() { MeshPeersOutbound = 4 }, new() { GossipFactor = 2 }, new() { HeartbeatInterval = TimeSpan.Zero },
        ])
        {
            Action make = () => _ = new LoneRouter(new GossipOptions { Parameters = parameters });
            make.Should().Throw<ArgumentException>().WithMessage("Gossip parameters: *");
        }

        _ = new LoneRouter(new GossipOptions { Parameters = new GossipParameters { MeshPeers = 0, MeshPeersLow = 0, MeshPeersHigh = 0, MeshPeersOutbound = 0, MeshPeersByScore = 0 } });
    }

    [Fact]
    public void Peers_of_the_first_version_get_a_prune_without_back_off_and_peers()
    {
        LoneRouter router = LoneRouter.Joined(recordOf: _ => new byte[] { 1 }).With(2, 3);
        router.Add(1, version: GossipVersion.V10);
        router.Router.Leave(LoneRouter.Topic, router.Now);
        router.PrunesTo(1).Single().Backoff.Should().BeNull();
        router.PrunesTo(1).Single().Peers.Should().BeEmpty();
    }
}
