using System.Text;
using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Tapestry.Libp2p.Tests.Rules.Gossip;
using Tapestry.Libp2p.Wire;
using Xunit;
using static Tapestry.Libp2p.Tests.Scenarios.Gossip.GossipMember;

namespace Tapestry.Libp2p.Tests.Scenarios.Gossip;

/// <summary>The service between real hosts on loopback.</summary>
public sealed class GossipsubTests
{
    private static readonly GossipRpc Entering = new() { Subscriptions = [new GossipSubscription(Topic, true)] };

    [Fact]
    public async Task What_one_says_everybody_hears_once_along_a_chain()
    {
        await using GossipMember alice = new(1);
        await using GossipMember bob = new(2);
        await using GossipMember carol = new(3);
        await alice.Host.ConnectAsync(bob.Host);
        await bob.Host.ConnectAsync(carol.Host);
        await Until(() => bob.Gossip.MeshOf(Topic).Count == 2 && alice.Gossip.MeshOf(Topic).Count == 1 && carol.Gossip.MeshOf(Topic).Count == 1);

        for (int number = 0; number < 100; number++)
        {
            (await alice.Gossip.PublishAsync(Topic, Encoding.UTF8.GetBytes($"message {number}"), Hosts.Patience)).Should().Be(1);
        }

        await Until(() => carol.Heard.Count == 100);
        carol.Heard.Should().OnlyHaveUniqueItems().And.OnlyContain(heard => heard.Author == alice.Host.PeerId && heard.Sender == bob.Host.PeerId);
        bob.Heard.Should().HaveCount(100);
        alice.Heard.Should().BeEmpty("nobody hears itself");
        alice.Gossip.ScoreOf(bob.Host.PeerId).Should().BeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public async Task Messages_of_64_KiB_of_data_go_through_and_larger_ones_are_refused_at_the_source()
    {
        await using GossipMember alice = new(1);
        await using GossipMember bob = new(2);
        await alice.Host.ConnectAsync(bob.Host);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);
        byte[] data = new byte[64 * 1024];
        Random.Shared.NextBytes(data);

        await alice.Gossip.PublishAsync(Topic, data, Hosts.Patience);
        await Until(() => bob.Heard.Count == 1);

        bob.Heard.Single().Data.ToArray().Should().Equal(data);
        Func<Task> tooLarge = async () => await alice.Gossip.PublishAsync(Topic, new byte[data.Length + 1], Hosts.Patience);
        await tooLarge.Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public async Task What_was_published_is_heard_though_its_author_stops_at_once()
    {
        GossipMember alice = new(1);
        await using GossipMember bob = new(2);
        await alice.Host.ConnectAsync(bob.Host);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);

        for (int number = 0; number < 20; number++)
        {
            await alice.Gossip.PublishAsync(Topic, new byte[32 * 1024], Hosts.Patience);
        }

        await alice.DisposeAsync();
        await Until(() => bob.Heard.Count == 20);
        bob.Blamed.Should().BeEmpty();
    }

    [Fact]
    public async Task Who_leaves_hears_no_more_and_who_comes_back_does_again()
    {
        await using GossipMember alice = new(1);
        await using GossipMember bob = new(2);
        await alice.Host.ConnectAsync(bob.Host);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);
        bob.Gossip.Unsubscribe(Topic);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 0);
        (await alice.Gossip.PublishAsync(Topic, new byte[1], Hosts.Patience)).Should().Be(0);

        int heard = 0;
        bob.Gossip.Subscribe(Topic, (_, _) =>
        {
            heard++;
            return ValueTask.FromResult(GossipVerdict.Accept);
        });
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);
        await alice.Gossip.PublishAsync(Topic, new byte[1], Hosts.Patience);
        await Until(() => heard >= 1);
    }

    [Fact]
    public async Task A_reconnected_peer_is_told_everything_anew()
    {
        await using GossipMember alice = new(1);
        await using GossipMember bob = new(2);
        PeerConnection connection = await alice.Host.ConnectAsync(bob.Host);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);
        await connection.CloseAsync();
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 0 && bob.Gossip.PeersOf(Topic).Count == 0);

        await alice.Host.ConnectAsync(bob.Host);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1 && bob.Gossip.PeersOf(Topic).Count == 1);
        await bob.Gossip.PublishAsync(Topic, new byte[1], Hosts.Patience);
        await Until(() => alice.Heard.Count == 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_author_that_comes_back_with_a_clock_an_hour_behind_is_heard_if_it_kept_its_ceiling(bool keepsCeiling)
    {
        KeptCeiling kept = new();
        GossipOptions options = new() { SequenceStore = keepsCeiling ? kept : null };
        await using GossipMember bob = new(2, limits: new GossipLimits { SeenIds = 1 });
        await using (GossipMember alice = new(1, options))
        {
            await SayAsync(alice, "one", "two", "three");
            await Until(() => bob.Heard.Count == 3);
        }

        await Until(() => bob.Gossip.PeersOf(Topic).Count == 0);
        await using GossipMember again = new(1, options, time: new LateClock(TimeSpan.FromHours(1)));
        await SayAsync(again, "four");

        await Until(() => keepsCeiling ? bob.Heard.Count == 4 : bob.Blamed.Contains((again.Host.PeerId, GossipFault.Replayed)));
        bob.Heard.Should().HaveCount(keepsCeiling ? 4 : 3);

        async Task SayAsync(GossipMember alice, params string[] texts)
        {
            await alice.Host.ConnectAsync(bob.Host);
            await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);
            foreach (string text in texts)
            {
                await alice.Gossip.PublishAsync(Topic, Encoding.UTF8.GetBytes(text), Hosts.Patience);
            }
        }
    }

    [Theory]
    [InlineData(GossipFault.RpcMalformed)]
    [InlineData(GossipFault.RpcTooLarge)]
    public async Task A_stream_that_is_no_gossip_is_reset_and_blamed(GossipFault fault)
    {
        await using GossipMember alice = new(1);
        await using RawGossiper mallory = new(2);
        Libp2pStream stream = await mallory.OpenAsync(alice);
        if (fault == GossipFault.RpcMalformed)
        {
            await LengthPrefix.WriteAsync(stream.Output, new byte[] { 0xFF, 0xFF }, Hosts.Patience);
        }
        else
        {
            byte[] length = new byte[Varint.MaximumLength];
            await stream.Output.WriteAsync(length.AsMemory(0, Varint.Write(length, 1024 * 1024 + 1)), Hosts.Patience);
        }

        await Until(() => alice.Blamed.Contains((mallory.Host.PeerId, fault)));
        Func<Task> reading = async () => await stream.Input.ReadAsync(Hosts.Patience);
        (await reading.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.StreamReset);
    }

    [Fact]
    public async Task Forged_and_repeated_messages_over_the_wire_are_blamed_and_not_heard()
    {
        await using GossipMember alice = new(1);
        await using RawGossiper mallory = new(2);
        Libp2pStream stream = await mallory.OpenAsync(alice);
        byte[] forged = SignedMessage.Sign(Hosts.Identity(3), Topic, "forged"u8, 1).Encoded.ToArray();
        forged[^1] ^= 1;
        SignedMessage.TryRead(forged, new GossipLimits(), out SignedMessage? message).Should().BeTrue();
        SignedMessage real = SignedMessage.Sign(Hosts.Identity(3), Topic, "real"u8, 2);

        await RawGossiper.SayAsync(stream, Entering with { Messages = [message!, real, real] });

        await Until(() => alice.Blamed.Count == 2 && alice.Heard.Count == 1);
        alice.Blamed.Select(blamed => blamed.Fault).Should().Equal(GossipFault.SignatureInvalid, GossipFault.Replayed);
        alice.Heard.Select(heard => Encoding.UTF8.GetString(heard.Data.Span)).Should().Equal("real");
    }

    [Fact]
    public async Task A_publisher_waits_for_a_peer_that_does_not_read_but_not_when_others_do()
    {
        await using GossipMember alice = new(1, limits: new GossipLimits { QueueBytesPerPeer = 128 * 1024 });
        await using RawGossiper mallory = new(2);
        Libp2pStream stream = await mallory.OpenAsync(alice);
        await RawGossiper.SayAsync(stream, Entering);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1 && !mallory.Streams.IsEmpty);

        byte[] data = new byte[64 * 1024];
        Task<int> waiting = alice.Gossip.PublishAsync(Topic, data, Hosts.Patience).AsTask();
        int published = 1;
        while (await Task.WhenAny(waiting, Task.Delay(2000)) == waiting)
        {
            published++.Should().BeLessThan(40, "window, stream and queue hold less than 1 MiB");
            waiting = alice.Gossip.PublishAsync(Topic, data, Hosts.Patience).AsTask();
        }

        await using GossipMember bob = new(3);
        await alice.Host.ConnectAsync(bob.Host);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 2);
        for (int number = 0; number < 50; number++)
        {
            await alice.Gossip.PublishAsync(Topic, data, Hosts.Patience);
        }

        await Until(() => bob.Heard.Count >= 50);
        alice.Gossip.Dropped.Should().BeGreaterThanOrEqualTo(50, "what mallory has no room for is dropped");
        mallory.Streams.TryPeek(out Libp2pStream? unread).Should().BeTrue();
        _ = StreamEnd.WaitAsync(unread!.Input, Hosts.Patience);
        await waiting;
    }

    [Fact]
    public async Task A_peer_that_reads_no_control_has_its_stream_reset()
    {
        await using GossipMember alice = new(1, limits: new GossipLimits { QueueControlPerPeer = 4, QueueBytesPerPeer = 64 * 1024 * 1024, NotReadingTime = TimeSpan.Zero });
        await using RawGossiper mallory = new(2);
        Libp2pStream stream = await mallory.OpenAsync(alice);
        await RawGossiper.SayAsync(stream, Entering);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1 && !mallory.Streams.IsEmpty);
        for (int number = 0; number < 20; number++)
        {
            await alice.Gossip.PublishAsync(Topic, new byte[64 * 1024], Hosts.Patience);
        }

        long sent;
        do
        {
            // Until the window is used up and nothing goes out.
            sent = alice.Gossip.SentBytes;
            await Task.Delay(300);
        }
        while (sent == 0 || alice.Gossip.SentBytes > sent);

        for (int number = 0; !alice.Blamed.Contains((mallory.Host.PeerId, GossipFault.NotReading)); number++)
        {
            number.Should().BeLessThan(1000);
            alice.Gossip.Subscribe($"/test/{number}", (_, _) => ValueTask.FromResult(GossipVerdict.Ignore));
        }
    }

    [Fact]
    public async Task The_application_judges_only_so_many_messages_of_a_peer_at_once_and_all_in_the_end()
    {
        using SemaphoreSlim gate = new(0);
        int atOnce = 0;
        int most = 0;
        int judged = 0;
        await using GossipMember alice = new(1, limits: new GossipLimits { ValidationsPerPeer = 4 }, validate: async (_, cancelled) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref atOnce));
            await gate.WaitAsync(cancelled);
            Interlocked.Decrement(ref atOnce);
            Interlocked.Increment(ref judged);
            return GossipVerdict.Accept;
        });
        await using GossipMember bob = new(2);
        await bob.Host.ConnectAsync(alice.Host);
        await Until(() => bob.Gossip.PeersOf(Topic).Count == 1);
        for (int number = 0; number < 20; number++)
        {
            await bob.Gossip.PublishAsync(Topic, new byte[1], Hosts.Patience);
        }

        await Until(() => atOnce == 4);
        await Task.Delay(100);
        most.Should().Be(4);
        gate.Release(20);
        await Until(() => judged == 20);
    }

    [Fact]
    public async Task What_was_read_is_judged_also_after_its_sender_has_gone()
    {
        using SemaphoreSlim gate = new(0);
        int judged = 0;
        await using GossipMember alice = new(1, limits: new GossipLimits { ValidationsPerPeer = 1 }, validate: async (_, cancelled) =>
        {
            await gate.WaitAsync(cancelled);
            Interlocked.Increment(ref judged);
            return GossipVerdict.Accept;
        });
        await using RawGossiper mallory = new(2);
        Libp2pStream stream = await mallory.OpenAsync(alice);
        await RawGossiper.SayAsync(stream, Entering with
        {
            Messages = [.. Enumerable.Range(1, 5).Select(number => SignedMessage.Sign(Hosts.Identity(3), Topic, "text"u8, (ulong)number))],
        });
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);
        await mallory.Host.DisposeAsync();
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 0);

        gate.Release(5);
        await Until(() => judged == 5);
    }

    [Fact]
    public async Task Who_says_more_than_others_hear_waits_for_the_next_heartbeat()
    {
        GossipOptions few = new() { Parameters = new GossipParameters { MessagesPerAuthor = 10 } };
        await using GossipMember alice = new(1, few);
        await using GossipMember bob = new(2, few);
        await alice.Host.ConnectAsync(bob.Host);
        await Until(() => alice.Gossip.PeersOf(Topic).Count == 1);
        for (int number = 0; number < 35; number++)
        {
            await alice.Gossip.PublishAsync(Topic, new byte[1], Hosts.Patience);
        }

        await Until(() => bob.Heard.Count == 35);
        bob.Blamed.Should().BeEmpty();
    }

    [Fact]
    public async Task A_validator_that_throws_is_reported_and_blames_nobody()
    {
        await using GossipMember alice = new(1, validate: (_, _) => throw new InvalidOperationException("as asked"));
        await using GossipMember bob = new(2);
        TaskCompletionSource<(string Topic, Exception Mistake)> failed = new();
        alice.Gossip.ValidatorFailed += (topic, mistake) => failed.TrySetResult((topic, mistake));
        await bob.Host.ConnectAsync(alice.Host);
        await Until(() => bob.Gossip.PeersOf(Topic).Count == 1);
        await bob.Gossip.PublishAsync(Topic, new byte[1], Hosts.Patience);

        (await failed.Task.WaitAsync(Hosts.Patience)).Should().Match<(string Topic, Exception Mistake)>(report => report.Topic == Topic && report.Mistake.Message == "as asked");
        alice.Gossip.ScoreOf(bob.Host.PeerId).Should().BeGreaterThanOrEqualTo(0, "time in the mesh earns a little");
    }

    [Fact]
    public async Task Who_is_pruned_finds_the_others_by_their_signed_records()
    {
        GossipOptions trusting = new() { Scoring = new GossipScoring { ApplicationScore = _ => 100 } };
        await using GossipMember alice = new(1, trusting);
        await using GossipMember bob = new(2, trusting);
        await using GossipMember carol = new(3, trusting);
        await bob.Host.ConnectAsync(alice.Host);
        await carol.Host.ConnectAsync(alice.Host);
        await Until(() => alice.Gossip.MeshOf(Topic).Count == 2 && alice.Host.AddressBook.RecordOf(bob.Host.PeerId) is not null && alice.Host.AddressBook.RecordOf(carol.Host.PeerId) is not null);

        alice.Gossip.Unsubscribe(Topic);

        await Until(() => bob.Gossip.PeersOf(Topic).Contains(carol.Host.PeerId) && carol.Gossip.PeersOf(Topic).Contains(bob.Host.PeerId));
        await bob.Gossip.PublishAsync(Topic, new byte[1], Hosts.Patience);
        await Until(() => carol.Heard.Count == 1);
    }

    [Fact]
    public async Task A_recommendation_with_a_false_record_is_blamed()
    {
        await using GossipMember alice = new(1, new GossipOptions { Scoring = new GossipScoring { ApplicationScore = _ => 100 } });
        await using RawGossiper mallory = new(2);
        Libp2pStream stream = await mallory.OpenAsync(alice);
        byte[] carols = SignedPeerRecord.Sign(Hosts.Identity(3), 1, [Hosts.AnyPort]).Envelope.Encoded.ToArray();
        await RawGossiper.SayAsync(stream, Entering with
        {
            Prune = [new GossipPrune(Topic, [new ExchangedPeer(Hosts.Peer(4), carols), new ExchangedPeer(Hosts.Peer(4), "no record"u8.ToArray())], null)],
        });

        await Until(() => alice.Blamed.Count(blamed => blamed == (mallory.Host.PeerId, GossipFault.PeerRecordInvalid)) == 2);
    }

    [Fact]
    public async Task A_stream_that_the_peer_resets_is_opened_again()
    {
        await using GossipMember alice = new(1);
        await using RawGossiper mallory = new(2);
        await mallory.OpenAsync(alice);
        for (int times = 1; times <= 3; times++)
        {
            await Until(() => mallory.Streams.Count == times);
            mallory.Streams.Last().Reset();
        }
    }

    [Fact]
    public async Task A_peer_of_an_old_version_is_spoken_to_in_it()
    {
        await using GossipMember alice = new(1);
        await using RawGossiper old = new(2, "/meshsub/1.0.0");
        await old.Host.ConnectAsync(alice.Host);
        await Until(() => !old.Streams.IsEmpty);
        old.Streams.Single().Protocol.Should().Be("/meshsub/1.0.0");
    }
}
