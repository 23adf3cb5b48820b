using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>What honest peers do when others lie, links are slow or clocks jump costs them nothing, and keeps nothing out.</summary>
public sealed class GoodFaithTests
{
    private static readonly GossipParameters Parameters = new();

    // Behaviour shows at once and does not decay.
    private static readonly GossipScoring Strict = new() { BehaviourWeight = -1, BehaviourThreshold = 0, BehaviourDecay = 0.9999999 };

    private static readonly GossipOptions FourPerAuthor = new()
    {
        Parameters = Parameters with { MessagesPerAuthor = 4 },
        Scoring = Strict,
    };

    [Fact]
    public void A_copy_waits_three_seconds_for_the_check_of_the_same_bytes_and_then_is_worth_its_own()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        SignedMessage message = router.Message(3);
        router.Router.Receive(LoneRouter.Peer(1), new GossipRpc { Messages = [message] }, router.Now).Should().HaveCount(1);
        router.Send(2, message);
        router.Judged.Should().BeEmpty();

        router.Beat(3);
        router.Send(2, message);
        router.Judged.Should().ContainSingle();
        router.FaultsOf(2).Should().BeEmpty();
    }

    [Fact]
    public void A_forgery_is_scored_though_the_real_message_verifies_while_it_is_checked()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2, 3);
        SignedMessage real = router.Message(4);
        SignedMessage forged = LazyGossipTests.Forged(real);
        router.Router.Receive(LoneRouter.Peer(1), new GossipRpc { Messages = [forged] }, router.Now).Should().HaveCount(1);
        router.Router.Receive(LoneRouter.Peer(2), new GossipRpc { Messages = [forged] }, router.Now).Should().BeEmpty();
        router.Send(3, real);
        router.Judged.Should().ContainSingle();

        router.Router.Refused(forged, LoneRouter.Peer(1), GossipFault.SignatureInvalid);
        router.FaultsOf(1).Should().Equal(GossipFault.SignatureInvalid);
        router.FaultsOf(2).Should().Equal(GossipFault.SignatureInvalid);
        router.FaultsOf(3).Should().BeEmpty();
    }

    [Fact]
    public void Of_one_author_only_so_much_is_checked_in_a_heartbeat_whoever_brings_it_and_only_the_author_is_blamed()
    {
        LoneRouter router = LoneRouter.Joined(FourPerAuthor).With(1, 2, 3);
        SignedMessage[] messages = [.. Enumerable.Range(0, 30).Select(_ => router.Message(3))];
        router.Send(1, messages[..5]);
        router.Judged.Should().HaveCount(5);
        router.Router.Receive(LoneRouter.Peer(2), new GossipRpc { Messages = messages[5..10] }, router.Now).Should().HaveCount(3, "of these the signatures are checked");
        router.Send(1, messages[10..13]);
        router.Send(2, messages[13..]);
        router.Send(3, messages[13..]);
        router.Send(3, messages[14..]);

        router.Judged.Should().HaveCount(8, "twice what an author may say, since its heartbeats are not ours");
        router.FaultsOf(1).Should().BeEmpty();
        router.FaultsOf(2).Should().BeEmpty();
        router.FaultsOf(3).Should().Equal(GossipFault.AuthorFlood);
        router.Score(3).Should().Be(-1);

        router.Send(1, router.Message(2));
        router.Judged.Should().HaveCount(9, "other authors are heard");
        router.Beat();
        router.Send(2, messages[29]);
        router.Judged.Should().HaveCount(10, "nothing is lost that is offered again");
    }

    [Fact]
    public void Two_senders_at_once_do_not_double_what_is_heard_of_an_author()
    {
        LoneRouter router = LoneRouter.Joined(FourPerAuthor).With(1, 2);
        SignedMessage[] messages = [.. Enumerable.Range(0, 16).Select(_ => router.Message(3))];
        List<SignedMessage> inCheck =
        [
            .. router.Router.Receive(LoneRouter.Peer(1), new GossipRpc { Messages = messages[..8] }, router.Now),
            .. router.Router.Receive(LoneRouter.Peer(2), new GossipRpc { Messages = messages[8..] }, router.Now),
        ];
        inCheck.Should().HaveCount(16);
        inCheck.Count(message =>
        {
            message.TryVerify(LoneRouter.Peer(1), out GossipMessage? verified);
            return router.Router.Verified(verified!, router.Now);
        }).Should().Be(8);
    }

    [Fact]
    public void A_forger_cannot_use_up_what_is_heard_of_another()
    {
        LoneRouter router = LoneRouter.Joined(FourPerAuthor).With(1, 2);
        SignedMessage[] forged = [.. Enumerable.Range(0, 20).Select(_ => LazyGossipTests.Forged(router.Message(3)))];
        router.Router.Receive(LoneRouter.Peer(1), new GossipRpc { Messages = forged }, router.Now).Should().HaveCount(8);
        router.Send(2, router.Message(3));
        router.Judged.Should().ContainSingle();
    }

    [Fact]
    public void A_promise_is_no_longer_owed_when_we_would_not_hear_the_message()
    {
        LoneRouter router = LoneRouter.Joined(FourPerAuthor).With(1, 2);
        SignedMessage surplus = router.Message(3);
        router.Have(2, surplus.Id);
        router.Send(1, [.. Enumerable.Range(0, 8).Select(_ => router.Message(3))]);
        router.Send(2, surplus);
        router.Judged.Should().HaveCount(8);
        router.Beat(10);
        router.FaultsOf(2).Should().BeEmpty();
    }

    [Fact]
    public void We_say_no_more_in_a_heartbeat_than_others_hear()
    {
        LoneRouter router = LoneRouter.Joined(FourPerAuthor).With(1);
        for (int number = 0; number < 4; number++)
        {
            router.Router.MayPublish.Should().BeTrue();
            router.Publish();
        }

        router.Router.MayPublish.Should().BeFalse();
        router.Beat();
        router.Router.MayPublish.Should().BeTrue();
    }

    [Fact]
    public void A_peer_is_not_asked_again_while_it_may_still_answer()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        SignedMessage message = router.Message(3);
        router.Have(1, message.Id);
        router.Beat(2);
        router.Have(1, message.Id);
        router.WantedOf(1).Should().Equal(message.Id);
        router.Have(2, message.Id);
        router.WantedOf(2).Should().Equal(message.Id);

        router.Beat();
        router.Have(1, message.Id);
        router.WantedOf(1).Should().Equal(message.Id, message.Id);
    }

    [Fact]
    public void What_was_asked_for_while_it_was_on_its_way_may_come_once_more()
    {
        LoneRouter router = LoneRouter.Joined(new GossipOptions { Scoring = Strict }).With(1);
        SignedMessage message = router.Message(1);
        router.Have(1, message.Id);
        router.Send(1, message);
        router.Beat(10);
        router.Send(1, message);
        router.FaultsOf(1).Should().BeEmpty();
        router.Send(1, message);
        router.FaultsOf(1).Should().Equal(GossipFault.Replayed);
    }

    [Fact]
    public void An_answer_is_waited_for_only_so_long()
    {
        LoneRouter router = LoneRouter.Joined().With(1, 2);
        SignedMessage message = router.Message(3);
        router.Have(1, message.Id);
        router.Send(2, message);
        router.Send(1, message);
        router.Beat(34);
        router.Send(1, message);
        router.FaultsOf(1).Should().Equal(GossipFault.Replayed);
    }

    [Fact]
    public void What_a_peer_was_not_asked_in_the_end_it_does_not_owe()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        SignedMessage message = router.Message(3);
        router.Have(1, message.Id);
        router.Router.NotSent(LoneRouter.Peer(1), router.SentTo(1).Single(rpc => rpc.Want.Count > 0));
        router.Have(1, message.Id);
        router.WantedOf(1).Should().HaveCount(2, "it is asked anew");
        router.Router.NotSent(LoneRouter.Peer(1), new GossipRpc { Want = [message.Id] });
        router.Beat(10);
        router.FaultsOf(1).Should().BeEmpty();
    }

    [Fact]
    public void An_advertised_message_that_we_have_forgotten_breaks_no_promise()
    {
        LoneRouter router = LoneRouter.Joined(limits: new GossipLimits { SeenIds = 10 }).With(1, 2);
        SignedMessage[] messages = [.. Enumerable.Range(0, 20).Select(_ => router.Message(3))];
        router.Send(1, messages);
        router.Have(2, messages[0].Id);
        router.Send(2, messages[0]);
        router.Beat(10);
        router.FaultsOf(2).Should().BeEmpty();
    }

    [Fact]
    public void Advertising_more_than_is_asked_for_is_no_flood()
    {
        LoneRouter router = LoneRouter.Joined().With(1);
        router.Have(1, [.. Enumerable.Range(0, 5000).Select(LoneRouter.Id)]);
        router.Have(1, [.. Enumerable.Range(5000, 5000).Select(LoneRouter.Id)]);
        router.WantedOf(1).Should().HaveCount(Parameters.HaveIdsPerHeartbeat);
        router.FaultsOf(1).Should().BeEmpty();
    }

    [Fact]
    public void A_peer_is_judged_by_the_connection_that_is_used_now()
    {
        GossipOptions options = new() { Scoring = new GossipScoring { ColocationThreshold = 1 } };
        LoneRouter router = LoneRouter.Joined(options).Add(1, ip: "10.0.0.1").Add(2, ip: "10.0.0.1");
        router.Score(2).Should().BeNegative();
        router.Router.Connected(LoneRouter.Peer(2), isOutbound: false, "10.0.0.2");
        (router.Score(1), router.Score(2)).Should().Be((0, 0));

        byte[] others = [.. Enumerable.Range(3, Parameters.MeshPeersHigh).Select(number => (byte)number)];
        LoneRouter full = LoneRouter.Joined().With(others);
        Array.ForEach(others, full.Graft);
        full.Add(1);
        full.Router.Connected(LoneRouter.Peer(1), isOutbound: true, null);
        full.Graft(1);
        full.IsInMesh(1).Should().BeTrue("a full mesh still takes in whom we dialled");
    }
}
