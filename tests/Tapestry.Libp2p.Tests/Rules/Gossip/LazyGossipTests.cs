using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>IHAVE, IWANT and IDONTWANT: what is advertised, asked for, answered and kept back, and what a flood of them costs.</summary>
public sealed class LazyGossipTests
{
    private static readonly GossipParameters Parameters = new();

    // Behaviour shows at once and does not decay.
    private static readonly GossipOptions Strict = new()
    {
        Scoring = new GossipScoring { BehaviourWeight = -1, BehaviourThreshold = 0, BehaviourDecay = 0.9999999 },
    };

    private static byte[] Peers(int count) => [.. Enumerable.Range(1, count).Select(number => (byte)number)];

    [Fact]
    public void Peers_outside_the_mesh_learn_of_messages_for_three_heartbeats()
    {
        LoneRouter router = LoneRouter.Joined().With(Peers(10));
        byte[] outside = [.. Peers(10).Where(peer => !router.IsInMesh(peer))];
        router.Beat();
        SignedMessage message = router.Message(1);
        router.Send(1, message);

        router.Beat(10);

        outside.Should().HaveCount(4);
        outside.Should().OnlyContain(peer => router.AdvertisedTo(peer).Count(id => id == message.Id) == Parameters.AdvertisedHeartbeats);
        Peers(10).Where(router.IsInMesh).Should().OnlyContain(peer => router.AdvertisedTo(peer).Count == 0);
    }

    [Fact]
    public void Whoever_comes_is_told_once_what_was_said_just_before_also_when_it_enters_the_mesh_and_we_are_not_in_the_topic()
    {
        foreach (bool joined in (bool[])[true, false])
        {
            LoneRouter router = joined ? LoneRouter.Joined() : new LoneRouter();
            SignedMessage message = router.Publish();
            router.Beat();
            router.Add(1);
            router.IsInMesh(1).Should().Be(joined);
            router.Publish("since");
            router.Beat(3);
            router.AdvertisedTo(1).Should().Equal(message.Id);
            router.Forget();
            router.Want(1, message.Id);
            router.MessagesTo(1).Should().Equal(message);
        }
    }

    [Fact]
    public void A_quarter_of_many_peers_learns_of_a_message_at_a_heartbeat()
    {
        LoneRouter router = LoneRouter.Joined().With(Peers(86));
        router.Beat();
        router.Publish();
        router.Beat();
        Peers(86).Count(peer => router.AdvertisedTo(peer).Count > 0).Should().Be(20, "80 are outside the mesh of 6");
    }

    [Fact]
    public void What_is_new_to_us_is_asked_for_and_what_we_have_or_wrote_is_not()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        SignedMessage known = router.Message(1);
        SignedMessage unknown = router.Message(2);
        SignedMessage fromBeforeARestart = router.Message(LoneRouter.Self);
        router.Send(1, known);

        router.Have(2, known.Id, unknown.Id, unknown.Id, fromBeforeARestart.Id);
        router.WantedOf(2).Should().Equal(unknown.Id);
        router.Say(2, new GossipRpc { Have = [new GossipHave("elsewhere", [LoneRouter.Id(1)])] });
        router.WantedOf(2).Should().HaveCount(1);
    }

    [Fact]
    public void A_message_is_sent_three_times_to_whoever_asks_and_then_no_more()
    {
        LoneRouter router = LoneRouter.Joined(Strict).With(1, 2);
        SignedMessage message = router.Publish();
        router.Forget();
        for (int asked = 0; asked < 3; asked++)
        {
            router.Want(1, message.Id);
        }

        router.MessagesTo(1).Should().HaveCount(Parameters.Retransmissions);
        router.Score(1).Should().Be(0);
        router.Want(1, message.Id);
        router.MessagesTo(1).Should().HaveCount(Parameters.Retransmissions);
        router.FaultsOf(1).Should().Equal(GossipFault.IwantFlood);
        router.Score(1).Should().Be(-1);
        router.Want(2, message.Id);
        router.MessagesTo(2).Should().HaveCount(1, "others may still ask");
    }

    [Fact]
    public void Asking_for_more_ids_than_we_can_have_advertised_is_a_flood()
    {
        LoneRouter router = LoneRouter.Joined(Strict).With(1);
        SignedMessage message = router.Publish();
        router.Forget();
        router.Want(1, [.. Enumerable.Range(0, Parameters.WantIdsPerHeartbeat).Select(LoneRouter.Id), message.Id]);
        router.FaultsOf(1).Should().Equal(GossipFault.IwantFlood);
        router.MessagesTo(1).Should().BeEmpty();
        router.Beat();
        router.Want(1, message.Id);
        router.MessagesTo(1).Should().HaveCount(1);
    }

    [Fact]
    public void A_message_can_be_asked_for_during_five_heartbeats()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        SignedMessage message = router.Publish();
        router.Forget();
        router.Beat(Parameters.HistoryHeartbeats - 1);
        router.Want(1, message.Id);
        router.MessagesTo(1).Should().HaveCount(1);
        router.Beat();
        router.Want(1, message.Id);
        router.MessagesTo(1).Should().HaveCount(1);
    }

    [Fact]
    public void Ihave_beyond_its_budget_is_ignored_until_the_next_heartbeat_and_broken_promises_count()
    {
        LoneRouter router = LoneRouter.Joined(Strict).With(1);
        for (int number = 0; number < Parameters.HaveRpcsPerHeartbeat; number++)
        {
            router.Have(1, LoneRouter.Id(number));
        }

        router.WantedOf(1).Should().HaveCount(Parameters.HaveRpcsPerHeartbeat);
        router.Score(1).Should().Be(0, "no promise is broken yet");
        router.Have(1, LoneRouter.Id(1000));
        router.WantedOf(1).Should().HaveCount(Parameters.HaveRpcsPerHeartbeat);
        router.FaultsOf(1).Should().Equal(GossipFault.IhaveFlood);

        router.Beat();
        router.Have(1, LoneRouter.Id(2000));
        router.WantedOf(1).Should().HaveCount(Parameters.HaveRpcsPerHeartbeat + 1);
        router.Beat(4);
        router.FaultsOf(1).Count(fault => fault == GossipFault.BrokenPromise).Should().Be(Parameters.HaveRpcsPerHeartbeat + 1);
        router.Score(1).Should().BeLessThan(-100);
    }

    [Fact]
    public void At_most_5000_ids_are_asked_of_a_peer_in_a_heartbeat()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        router.Have(1, [.. Enumerable.Range(0, 4000).Select(LoneRouter.Id)]);
        router.Have(1, [.. Enumerable.Range(4000, 4000).Select(LoneRouter.Id)]);
        router.WantedOf(1).Should().HaveCount(Parameters.HaveIdsPerHeartbeat).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public void A_promise_is_kept_by_whoever_sends_the_message()
    {
        LoneRouter router = LoneRouter.Joined(Strict).With(1, 2);
        SignedMessage message = router.Message(3);
        router.Have(1, message.Id);
        router.Send(2, message);
        router.Beat(10);
        router.FaultsOf(1).Should().BeEmpty();
    }

    [Fact]
    public void A_promise_is_not_kept_by_a_message_whose_signature_does_not_hold()
    {
        LoneRouter router = LoneRouter.Joined(Strict).With(1);
        SignedMessage message = router.Message(3);
        router.Have(1, message.Id);
        router.Send(1, Forged(message));
        router.Beat(10);
        router.FaultsOf(1).Should().Equal(GossipFault.SignatureInvalid, GossipFault.BrokenPromise);
    }

    [Fact]
    public void A_large_message_is_declined_from_the_mesh_once_it_has_verified_but_not_from_who_sent_it()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2).Add(3, version: GossipVersion.V11);
        SignedMessage large = router.Message(1, new byte[Parameters.DoNotWantBytes]);
        SignedMessage small = router.Message(1, new byte[Parameters.DoNotWantBytes - 1]);

        router.Send(1, Forged(large));
        router.SentTo(2).Should().NotContain(rpc => rpc.DoNotWant.Count > 0, "a forgery must not keep the real one away");
        router.Send(1, large, small);

        router.SentTo(2).SelectMany(rpc => rpc.DoNotWant).Should().Equal(large.Id);
        router.SentTo(1).Should().NotContain(rpc => rpc.DoNotWant.Count > 0);
        router.SentTo(3).Should().NotContain(rpc => rpc.DoNotWant.Count > 0, "its version does not know the word");
    }

    [Fact]
    public void What_a_peer_declines_is_not_forwarded_to_it_nor_sent_when_it_asks_for_three_heartbeats()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        SignedMessage message = router.Message(1);
        router.DoNotWant(2, message.Id);
        router.Send(1, message);
        router.MessagesTo(2).Should().BeEmpty();

        router.Say(2, new GossipRpc { DoNotWant = [message.Id], Want = [message.Id] });
        router.MessagesTo(2).Should().BeEmpty();
        router.Beat(Parameters.DoNotWantHeartbeats);
        router.Want(2, message.Id);
        router.MessagesTo(2).Should().HaveCount(1);
    }

    [Fact]
    public void Declining_more_than_twice_512_in_a_heartbeat_is_not_remembered()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        SignedMessage early = router.Message(1, "early");
        SignedMessage late = router.Message(1, "late");
        router.DoNotWant(2, [early.Id, .. Enumerable.Range(0, (2 * Parameters.DoNotWantIdsPerHeartbeat) - 1).Select(LoneRouter.Id)]);
        router.FaultsOf(2).Should().BeEmpty("two of its heartbeats may fall into one of ours");
        router.DoNotWant(2, [late.Id]);
        router.FaultsOf(2).Should().Equal(GossipFault.IdontwantFlood);

        router.Send(1, early, late);
        router.MessagesTo(2).Select(message => message.Id).Should().Equal(late.Id);
        router.Beat();
        SignedMessage next = router.Message(1, "next");
        router.DoNotWant(2, next.Id);
        router.Send(1, next);
        router.MessagesTo(2).Should().HaveCount(1);
    }

    [Fact]
    public void Below_the_gossip_threshold_nothing_is_advertised_answered_or_believed()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { ApplicationScore = peer => peer == LoneRouter.Peer(1) ? -20 : 0 } };
        LoneRouter router = LoneRouter.Joined(options).With(1);
        SignedMessage message = router.Publish();
        router.Forget();
        router.Want(1, message.Id);
        router.Have(1, LoneRouter.Id(5));
        router.Beat(3);
        router.SentTo(1).Should().BeEmpty();
    }

    /// <summary>The same id and contents under a signature that does not hold.</summary>
    internal static SignedMessage Forged(SignedMessage message)
    {
        byte[] bytes = message.Encoded.ToArray();
        bytes[^1] ^= 1;
        SignedMessage.TryRead(bytes, new GossipLimits(), out SignedMessage? forged).Should().BeTrue();
        return forged!;
    }
}
