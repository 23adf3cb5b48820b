using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>What becomes of messages: judged once, forwarded when accepted, scored when not; and where our own go.</summary>
public sealed class DeliveryTests
{
    private static readonly GossipParameters Parameters = new();

    [Fact]
    public void An_accepted_message_goes_to_the_mesh_but_not_back_nor_to_its_author()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2, 3, 4);
        SignedMessage message = router.Message(author: 2);
        router.Send(1, message);

        router.Judged.Should().ContainSingle(judged => judged.Author == LoneRouter.Peer(2) && judged.Sender == LoneRouter.Peer(1));
        router.MessagesTo(1).Should().BeEmpty();
        router.MessagesTo(2).Should().BeEmpty();
        router.MessagesTo(3).Should().Equal(message);
        router.MessagesTo(4).Should().Equal(message);
        router.Score(1).Should().Be(0.5, "it was the first to send it");
    }

    [Fact]
    public void A_rejected_message_goes_nowhere_and_costs_everybody_who_sent_it()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2, 3);
        router.Verdict = GossipVerdict.Reject;
        SignedMessage message = router.Message(3);
        router.Send(1, message);
        router.Send(2, message);

        router.MessagesTo(3).Should().BeEmpty();
        (router.Score(1), router.Score(2)).Should().Be((-1, -1));
        router.FaultsOf(2).Should().Equal(GossipFault.Rejected);
        router.Judged.Should().HaveCount(1);
    }

    [Fact]
    public void An_ignored_message_goes_nowhere_and_costs_nobody()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        router.Verdict = GossipVerdict.Ignore;
        SignedMessage message = router.Message(3);
        router.Send(1, message);
        router.Send(2, message);

        router.MessagesTo(2).Should().BeEmpty();
        (router.Score(1), router.Score(2)).Should().Be((0, 0));
        router.Want(2, message.Id);
        router.MessagesTo(2).Should().BeEmpty("what was not accepted is not passed on by asking either");
    }

    [Fact]
    public void A_message_is_forwarded_only_once_the_application_has_accepted_it()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2, 3);
        SignedMessage message = router.Message(1);
        SignedMessage received = router.Router.Receive(LoneRouter.Peer(1), new GossipRpc { Messages = [message] }, router.Now).Single();
        received.TryVerify(LoneRouter.Peer(1), out GossipMessage? verified);
        router.Router.Verified(verified!, router.Now).Should().BeTrue();
        router.MessagesTo(2).Should().BeEmpty();

        router.Send(3, message);
        router.Router.Judged(verified!, GossipVerdict.Accept, router.Now);
        router.MessagesTo(2).Should().HaveCount(1);
        router.MessagesTo(3).Should().BeEmpty("it has sent it itself meanwhile");
    }

    [Fact]
    public void Equal_bytes_are_checked_once_and_a_forgery_of_the_same_id_does_not_keep_the_real_one_out()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2, 3);
        SignedMessage real = router.Message(4);
        SignedMessage forged = LazyGossipTests.Forged(real);
        router.Router.Receive(LoneRouter.Peer(1), new GossipRpc { Messages = [forged] }, router.Now).Should().HaveCount(1);
        router.Router.Receive(LoneRouter.Peer(2), new GossipRpc { Messages = [forged] }, router.Now).Should().BeEmpty();
        router.Router.Receive(LoneRouter.Peer(3), new GossipRpc { Messages = [real] }, router.Now).Should().HaveCount(1);

        router.Router.Refused(forged, LoneRouter.Peer(1), GossipFault.SignatureInvalid);
        real.TryVerify(LoneRouter.Peer(3), out GossipMessage? verified).Should().Be(GossipFault.None);
        router.Router.Verified(verified!, router.Now).Should().BeTrue();
        router.FaultsOf(1).Should().Equal(GossipFault.SignatureInvalid);
        router.FaultsOf(2).Should().Equal(GossipFault.SignatureInvalid);
    }

    [Fact]
    public void Two_messages_of_one_id_by_a_lying_author_are_judged_once()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        SignedMessage one = SignedMessage.Sign(LoneRouter.Identity(3), LoneRouter.Topic, "one"u8, 5);
        SignedMessage other = SignedMessage.Sign(LoneRouter.Identity(3), LoneRouter.Topic, "other"u8, 5);
        router.Send(1, one);
        router.Send(2, other);
        router.Judged.Should().ContainSingle();
    }

    [Theory]
    [InlineData(GossipFault.SignatureInvalid)]
    [InlineData(GossipFault.SignatureMissing)]
    [InlineData(GossipFault.MessageTooLarge)]
    [InlineData(GossipFault.SelfOrigin)]
    public void Invalid_messages_are_scored_and_a_spammer_is_soon_pruned_and_then_no_longer_heard(GossipFault fault)
    {
        LoneRouter router = LoneRouter.Joined(limits: new GossipLimits { MessageDataBytes = 1000 }).With(1, 2, 3);
        for (int number = 0; number < 20; number++)
        {
            SignedMessage message = router.Message(fault == GossipFault.SelfOrigin ? LoneRouter.Self : (byte)1, fault == GossipFault.MessageTooLarge ? new byte[1001] : new byte[10]);
            router.Send(1, fault switch
            {
                GossipFault.SignatureInvalid => LazyGossipTests.Forged(message),
                GossipFault.SignatureMissing => Unsigned(message),
                _ => message,
            });
        }

        router.FaultsOf(1).Should().HaveCount(9, "from -81 on it is on the graylist").And.OnlyContain(found => found == fault);
        router.Score(1).Should().Be(-81);
        router.Judged.Should().BeEmpty();
        router.Beat();
        router.IsInMesh(1).Should().BeFalse();
        router.PrunesTo(1).Single().Peers.Should().BeEmpty();
        router.Send(1, router.Message(1));
        router.Judged.Should().BeEmpty();
    }

    [Fact]
    public void The_same_message_again_from_the_same_peer_costs_a_little_each_time()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        SignedMessage message = router.Message(1);
        for (int repetition = 0; repetition < 100; repetition++)
        {
            router.Send(1, message);
        }

        router.Judged.Should().HaveCount(1);
        router.FaultsOf(1).Should().HaveCountGreaterThan(30).And.OnlyContain(fault => fault == GossipFault.Replayed);
        router.Score(1).Should().BeLessThan(-80, "a habit counts");
    }

    [Fact]
    public void What_has_been_forgotten_does_not_come_again_and_disorder_within_memory_is_no_replay()
    {
        LoneRouter router = LoneRouter.Joined(limits: new GossipLimits { SeenIds = 10 }).With(1, 2, 3);
        SignedMessage[] messages = [.. Enumerable.Range(0, 40).Select(_ => router.Message(3))];
        router.Send(1, messages[1], messages[0], messages[2]);
        router.Judged.Should().HaveCount(3);
        router.Send(1, messages[5..]);
        router.Judged.Should().HaveCount(38);
        router.Forget();

        router.Send(2, messages[0], messages[1], messages[4]);
        router.Judged.Should().HaveCount(38);
        router.FaultsOf(2).Should().BeEmpty("it may not have heard of the author before");
        router.Send(3, messages[0]);
        router.FaultsOf(3).Should().Equal(GossipFault.Replayed);

        router.Send(2, router.Message(3));
        router.Judged.Should().HaveCount(39);
        router.Beat(130);
        router.Send(2, messages[39]);
        router.Judged.Should().HaveCount(39, "time makes it no younger");
    }

    [Fact]
    public void Messages_of_topics_that_we_are_not_in_are_dropped_without_a_check()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        router.Send(1, router.Message(1, "text", topic: "elsewhere"));
        router.FaultsOf(1).Should().Equal(GossipFault.UnwantedTopic);

        router.Router.Leave(LoneRouter.Topic, router.Now);
        router.Send(1, router.Message(1));
        router.FaultsOf(1).Should().HaveCount(1, "we have only just left");
        router.Judged.Should().BeEmpty();
        router.Beat(11);
        router.Send(1, router.Message(1));
        router.FaultsOf(1).Should().HaveCount(2);
    }

    [Fact]
    public void Our_own_messages_go_to_every_peer_of_the_topic_above_the_publish_threshold()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { ApplicationScore = peer => peer == LoneRouter.Peer(1) ? -51 : 0 } };
        LoneRouter router = LoneRouter.Joined(options).With([.. Enumerable.Range(1, 30).Select(number => (byte)number)]);
        router.Add(40, subscribes: false);
        SignedMessage message = router.Publish();

        router.MessagesTo(1).Should().BeEmpty();
        router.MessagesTo(40).Should().BeEmpty();
        Enumerable.Range(2, 29).Should().OnlyContain(peer => router.MessagesTo((byte)peer).Contains(message));
        router.Send(2, message);
        router.Judged.Should().BeEmpty();
    }

    [Fact]
    public void Without_flooding_they_go_to_the_mesh_or_to_a_fanout_that_is_kept_for_a_minute()
    {
        GossipOptions options = new() { Parameters = Parameters with { FloodPublish = false } };
        LoneRouter router = new LoneRouter(options).With([.. Enumerable.Range(1, 20).Select(number => (byte)number)]);
        router.Publish("first");
        byte[] fanout = [.. Enumerable.Range(1, 20).Select(number => (byte)number).Where(peer => router.MessagesTo(peer).Count > 0)];
        fanout.Should().HaveCount(Parameters.MeshPeers);
        router.Beat(30);
        router.Forget();
        router.Publish("second");
        fanout.Should().OnlyContain(peer => router.MessagesTo(peer).Count == 1);

        router.Router.Disconnected(LoneRouter.Peer(fanout[0]), router.Now);
        router.Beat();
        router.Forget();
        router.Publish("third");
        Enumerable.Range(1, 20).Count(peer => router.MessagesTo((byte)peer).Count > 0).Should().Be(Parameters.MeshPeers, "whoever leaves is replaced");

        router.Router.Join(LoneRouter.Topic, router.Now);
        fanout[1..].Should().OnlyContain(peer => router.IsInMesh(peer), "the fanout becomes the mesh");
        router.Forget();
        router.Publish("fourth");
        Enumerable.Range(1, 20).Should().OnlyContain(peer => router.MessagesTo((byte)peer).Count == (router.IsInMesh((byte)peer) ? 1 : 0));
    }

    [Fact]
    public void A_pure_publisher_advertises_to_peers_outside_its_fanout_until_that_is_forgotten()
    {
        GossipOptions options = new() { Parameters = Parameters with { FloodPublish = false } };
        LoneRouter router = new LoneRouter(options).With([.. Enumerable.Range(1, 10).Select(number => (byte)number)]);
        SignedMessage message = router.Publish();
        router.Beat();
        Enumerable.Range(1, 10).Where(peer => router.MessagesTo((byte)peer).Count == 0).Should().HaveCount(4)
            .And.OnlyContain(peer => router.AdvertisedTo((byte)peer).Contains(message.Id));
        router.Beat(61);
        router.Forget();
        router.Beat();
        Enumerable.Range(1, 10).Should().OnlyContain(peer => router.SentTo((byte)peer).Count == 0);
    }

    [Fact]
    public void The_same_calls_give_the_same_effects()
    {
        static string Run()
        {
            LoneRouter router = LoneRouter.Joined().With([.. Enumerable.Range(1, 30).Select(number => (byte)number)]);
            for (byte peer = 1; peer < 30; peer++)
            {
                router.Send(peer, router.Message(peer));
                router.Have(peer, LoneRouter.Id(peer), LoneRouter.Id(100 + peer));
                router.Beat();
            }

            return string.Join('\n', Enumerable.Range(1, 30).SelectMany(peer => router.SentTo((byte)peer)).Select(rpc => Convert.ToHexString(GossipRpcWriter.Encode(rpc))));
        }

        Run().Should().Be(Run());
    }

    private static SignedMessage Unsigned(SignedMessage message)
    {
        byte[] bytes = message.Encoded.ToArray();
        SignedMessage.TryRead(bytes.AsMemory(0, bytes.Length - 66), new GossipLimits(), out SignedMessage? unsigned).Should().BeTrue();
        return unsigned!;
    }
}
