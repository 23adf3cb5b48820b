using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>The parts of a score, one at a time, as gossipsub v1.1 defines them.</summary>
public sealed class PeerScoresTests
{
    private const string Topic = "topic";
    private const double Exactly = 1e-9;

    private static readonly PeerId Alice = LoneRouter.Peer(1);
    private static readonly PeerId Bob = LoneRouter.Peer(2);

    // Every part off, so that a test sees only its own.
    private static readonly TopicScoring Nothing = new()
    {
        TimeInMeshWeight = 0,
        FirstDeliveriesWeight = 0,
        InvalidWeight = 0,
    };

    private static readonly TopicScoring DeliveriesOnly = Nothing with
    {
        DeliveriesWeight = -1,
        DeliveriesThreshold = 20,
        DeliveriesCap = 100,
        DeliveriesDecay = 0.999999,
        DeliveriesWindow = TimeSpan.FromMilliseconds(10),
        DeliveriesActivation = TimeSpan.FromSeconds(1),
    };

    [Fact]
    public void P1_time_in_the_mesh_counts_whole_quanta_up_to_its_cap()
    {
        PeerScores scores = Scores(Nothing with { Weight = 0.5, TimeInMeshWeight = 1, TimeInMeshQuantum = TimeSpan.FromMilliseconds(10), TimeInMeshCap = 100 });
        scores.Graft(Alice, Topic, Seconds(0));
        scores.Of(Alice).Should().Be(0);

        scores.Decay(Seconds(0.205));
        scores.Of(Alice).Should().BeApproximately(0.5 * 20, Exactly);
        scores.Decay(Seconds(10));
        scores.Of(Alice).Should().BeApproximately(0.5 * 100, Exactly);
        scores.Prune(Alice, Topic);
        scores.Of(Alice).Should().Be(0, "it counts the present stay");
    }

    [Fact]
    public void P2_first_deliveries_count_up_to_their_cap_and_decay()
    {
        PeerScores scores = Scores(Nothing with { FirstDeliveriesWeight = 2, FirstDeliveriesCap = 50, FirstDeliveriesDecay = 0.9 });
        for (int delivered = 0; delivered < 100; delivered++)
        {
            scores.AddFirst(Alice, Topic);
        }

        scores.Of(Alice).Should().BeApproximately(2 * 50, Exactly);
        scores.Decay(Seconds(1));
        scores.Decay(Seconds(2));
        scores.Of(Alice).Should().BeApproximately(2 * 50 * 0.9 * 0.9, Exactly);
    }

    [Fact]
    public void P3_a_silent_mesh_peer_owes_the_square_of_what_is_missing_once_it_has_been_there_long_enough()
    {
        PeerScores scores = Scores(DeliveriesOnly, Alice, Bob);
        scores.Graft(Alice, Topic, Seconds(0));
        scores.Decay(Seconds(0.5));
        scores.Of(Alice).Should().Be(0, "it has just come");

        scores.Decay(Seconds(2));
        scores.Of(Alice).Should().BeApproximately(-400, 0.1);
        scores.Of(Bob).Should().Be(0, "who is not in the mesh owes nothing");
    }

    [Fact]
    public void P3_counts_the_first_and_those_within_the_window_but_not_late_repetitions()
    {
        PeerScores scores = Scores(DeliveriesOnly with { DeliveriesThreshold = 3 }, Alice, Bob, LoneRouter.Peer(3));
        foreach (PeerId peer in (PeerId[])[Alice, Bob, LoneRouter.Peer(3)])
        {
            scores.Graft(peer, Topic, Seconds(0));
        }

        for (int message = 0; message < 4; message++)
        {
            scores.AddFirst(Alice, Topic);
            scores.AddDuplicate(Bob, Topic, TimeSpan.FromMilliseconds(10));
            scores.AddDuplicate(LoneRouter.Peer(3), Topic, TimeSpan.FromMilliseconds(11));
        }

        scores.Decay(Seconds(2));
        scores.Of(Alice).Should().Be(0);
        scores.Of(Bob).Should().Be(0);
        scores.Of(LoneRouter.Peer(3)).Should().BeApproximately(-9, 0.001, "replaying what we sent must not look like delivering");
    }

    [Fact]
    public void P3_deliveries_decay_until_they_are_owed_again()
    {
        PeerScores scores = Scores(DeliveriesOnly with { DeliveriesDecay = 0.9 });
        scores.Graft(Alice, Topic, Seconds(0));
        for (int message = 0; message < 40; message++)
        {
            scores.AddFirst(Alice, Topic);
        }

        double deliveries = 40;
        for (int second = 1; second <= 20; second++)
        {
            scores.Decay(Seconds(second));
            deliveries *= 0.9;
        }

        scores.Of(Alice).Should().BeApproximately(-Math.Pow(20 - deliveries, 2), Exactly);
    }

    [Fact]
    public void P3b_a_deficit_at_the_prune_sticks_after_it()
    {
        PeerScores scores = Scores(DeliveriesOnly with { DeliveriesWeight = 0, MeshFailureWeight = -1, MeshFailureDecay = 0.5 }, Alice, Bob);
        scores.Graft(Alice, Topic, Seconds(0));
        scores.Graft(Bob, Topic, Seconds(0));
        for (int message = 0; message < 100; message++)
        {
            scores.AddFirst(Alice, Topic);
        }

        scores.Decay(Seconds(2));
        (scores.Of(Alice), scores.Of(Bob)).Should().Be((0, 0));
        scores.Prune(Alice, Topic);
        scores.Prune(Bob, Topic);
        scores.Prune(Bob, Topic);
        scores.Of(Alice).Should().Be(0);
        scores.Of(Bob).Should().BeApproximately(-400, 0.1, "and a second prune adds nothing");
        scores.Decay(Seconds(3));
        scores.Of(Bob).Should().BeApproximately(-200, 0.1);
    }

    [Fact]
    public void P4_invalid_messages_cost_their_square_and_decay()
    {
        PeerScores scores = Scores(Nothing with { InvalidWeight = -1, InvalidDecay = 0.9 });
        for (int message = 0; message < 100; message++)
        {
            scores.AddInvalid(Alice, Topic);
        }

        scores.Of(Alice).Should().BeApproximately(-10_000, Exactly);
        scores.Decay(Seconds(1));
        scores.Of(Alice).Should().BeApproximately(-8100, 1e-6);
    }

    [Fact]
    public void P5_is_what_the_application_says()
    {
        double opinion = 0;
        PeerScores scores = Scores(Plain with { ApplicationWeight = 0.5, ApplicationScore = _ => opinion });
        foreach (double asked in (double[])[-100, 0, 100])
        {
            opinion = asked;
            scores.Of(Alice).Should().Be(asked / 2);
        }
    }

    [Fact]
    public void P6_peers_beyond_the_number_that_may_share_an_address_cost_their_square_each()
    {
        PeerScores scores = new(Plain with { ColocationWeight = -1, ColocationThreshold = 1, ColocationAllowed = new HashSet<string> { "10.0.0.9" } }, 10);
        for (byte peer = 1; peer <= 4; peer++)
        {
            scores.Add(LoneRouter.Peer(peer), peer == 1 ? "1.2.3.4" : "2.3.4.5");
            scores.Add(LoneRouter.Peer((byte)(peer + 10)), "10.0.0.9");
        }

        scores.Of(LoneRouter.Peer(1)).Should().Be(0);
        scores.Of(LoneRouter.Peer(2)).Should().Be(-4);
        scores.Of(LoneRouter.Peer(4)).Should().Be(-4);
        scores.Of(LoneRouter.Peer(11)).Should().Be(0, "that address is allowed");
        scores.Remove(LoneRouter.Peer(3), Seconds(0));
        scores.Of(LoneRouter.Peer(4)).Should().Be(-4, "leaving does not help while the bad score is kept");
        scores.Decay(Seconds(4000));
        scores.Of(LoneRouter.Peer(4)).Should().Be(-1);
    }

    [Fact]
    public void P7_misbehaviour_beyond_what_is_forgiven_costs_its_square_and_decays()
    {
        PeerScores scores = new(Plain with { BehaviourWeight = -1, BehaviourThreshold = 0, BehaviourDecay = 0.99 }, 10);
        scores.Penalise(Alice, 1);
        scores.Of(Alice).Should().Be(0, "a stranger has no score");

        scores.Add(Alice, null);
        scores.Penalise(Alice, 1);
        scores.Of(Alice).Should().Be(-1);
        scores.Penalise(Alice, 1);
        scores.Of(Alice).Should().Be(-4);
        scores.Decay(Seconds(1));
        scores.Of(Alice).Should().BeApproximately(-4 * 0.99 * 0.99, Exactly);

        PeerScores forgiving = new(Plain with { BehaviourWeight = -1, BehaviourThreshold = 2 }, 10);
        forgiving.Add(Alice, null);
        forgiving.Penalise(Alice, 2);
        forgiving.Of(Alice).Should().Be(0);
        forgiving.Penalise(Alice, 1);
        forgiving.Of(Alice).Should().Be(-1);
    }

    [Fact]
    public void A_bad_score_outlives_the_connection_for_its_time_and_a_good_one_does_not()
    {
        PeerScores scores = Scores(Plain with { ApplicationScore = peer => peer == Alice ? -1000 : 1000, RetainTime = TimeSpan.FromSeconds(10) }, Alice, Bob);
        scores.Remove(Alice, Seconds(0));
        scores.Remove(Bob, Seconds(0));

        scores.Decay(Seconds(5));
        scores.Of(Alice).Should().Be(-1000);
        scores.Count.Should().Be(1);
        scores.Decay(Seconds(11));
        scores.Of(Alice).Should().Be(0);
        scores.Count.Should().Be(0);
    }

    [Fact]
    public void Coming_back_does_not_wash_misbehaviour_away()
    {
        PeerScores scores = new(Plain with { BehaviourWeight = -1, BehaviourThreshold = 0 }, 10);
        scores.Add(Alice, null);
        scores.Penalise(Alice, 5);
        scores.Remove(Alice, Seconds(0));
        scores.Add(Alice, null);
        scores.Of(Alice).Should().Be(-25);
    }

    [Fact]
    public void Only_so_many_peers_that_have_gone_are_remembered()
    {
        PeerScores scores = new(Plain, rememberedMax: 3);
        for (byte peer = 1; peer <= 10; peer++)
        {
            scores.Add(LoneRouter.Peer(peer), null);
            scores.Remove(LoneRouter.Peer(peer), Seconds(peer));
        }

        scores.Count.Should().Be(3);
    }

    [Fact]
    public void What_all_topics_earn_together_is_capped_and_what_they_cost_is_not()
    {
        PeerScores scores = Scores(Plain with { TopicCap = 5, DefaultTopic = Nothing with { FirstDeliveriesWeight = 1, InvalidWeight = -1 } });
        for (int message = 0; message < 20; message++)
        {
            scores.AddFirst(Alice, "one");
            scores.AddFirst(Alice, "two");
        }

        scores.Of(Alice).Should().Be(5);
        for (int message = 0; message < 20; message++)
        {
            scores.AddInvalid(Alice, "one");
        }

        scores.Of(Alice).Should().Be(40 - 400);
    }

    [Fact]
    public void A_topic_may_have_numbers_of_its_own_or_none()
    {
        PeerScores scores = Scores(Plain with
        {
            DefaultTopic = null,
            Topics = new Dictionary<string, TopicScoring> { ["one"] = Nothing with { Weight = 3, InvalidWeight = -1 } },
        });
        scores.AddInvalid(Alice, "one");
        scores.AddInvalid(Alice, "two");
        scores.Of(Alice).Should().Be(-3);
    }

    public static TheoryData<GossipScoring> Contradictory => new()
    {
        new GossipScoring { GossipThreshold = 1 },
        new GossipScoring { PublishThreshold = -1, GossipThreshold = -2 },
        new GossipScoring { GraylistThreshold = -1 },
        new GossipScoring { AcceptExchangeThreshold = -1 },
        new GossipScoring { OpportunisticGraftThreshold = -1 },
        new GossipScoring { TopicCap = -1 },
        new GossipScoring { ColocationWeight = 1 },
        new GossipScoring { ColocationThreshold = 0 },
        new GossipScoring { BehaviourWeight = 1 },
        new GossipScoring { BehaviourDecay = 2 },
        new GossipScoring { DecayInterval = TimeSpan.FromMilliseconds(999) },
        new GossipScoring { DecayToZero = 1 },
        new GossipScoring { DefaultTopic = new TopicScoring { Weight = -1 } },
        new GossipScoring { DefaultTopic = new TopicScoring { TimeInMeshQuantum = TimeSpan.Zero } },
        new GossipScoring { DefaultTopic = new TopicScoring { TimeInMeshCap = 0 } },
        new GossipScoring { DefaultTopic = new TopicScoring { FirstDeliveriesDecay = 1 } },
        new GossipScoring { DefaultTopic = new TopicScoring { FirstDeliveriesCap = -1 } },
        new GossipScoring { DefaultTopic = new TopicScoring { DeliveriesWeight = 1 } },
        new GossipScoring { DefaultTopic = new TopicScoring { DeliveriesWeight = -1, DeliveriesThreshold = -3 } },
        new GossipScoring { DefaultTopic = new TopicScoring { DeliveriesWeight = -1, DeliveriesCap = 0.5 } },
        new GossipScoring { DefaultTopic = new TopicScoring { DeliveriesWeight = -1, DeliveriesActivation = TimeSpan.FromMilliseconds(1) } },
        new GossipScoring { DefaultTopic = new TopicScoring { MeshFailureWeight = 1 } },
        new GossipScoring { DefaultTopic = new TopicScoring { InvalidWeight = 1 } },
        new GossipScoring { DefaultTopic = new TopicScoring { InvalidDecay = -1 } },
    };

    [Theory]
    [MemberData(nameof(Contradictory))]
    public void Numbers_that_would_reward_faults_or_never_decay_are_refused(GossipScoring scoring)
    {
        Action make = () => _ = new PeerScores(scoring, 10);
        make.Should().Throw<ArgumentException>().WithMessage("Gossip scoring: *");
    }

    private static GossipScoring Plain => new() { DefaultTopic = Nothing, TopicCap = 0 };

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static PeerScores Scores(TopicScoring topic, params PeerId[] peers) => Scores(Plain with { DefaultTopic = topic }, peers);

    private static PeerScores Scores(GossipScoring scoring, params PeerId[] peers)
    {
        PeerScores scores = new(scoring, 10);
        foreach (PeerId peer in peers.Length == 0 ? [Alice] : peers)
        {
            scores.Add(peer, null);
        }

        return scores;
    }
}
