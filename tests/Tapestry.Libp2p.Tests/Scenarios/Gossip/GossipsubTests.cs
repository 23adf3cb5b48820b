using System.Collections.Concurrent;
using System.Text;
using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Gossip;

/// <summary>The service between real hosts on loopback.</summary>
public sealed class GossipsubTests
{
    private const string Topic = "/test/topic";

    [Fact]
    public async Task What_one_says_everybody_hears_once_along_a_chain()
    {
        await using Member alice = new(1);
        await using Member bob = new(2);
        await using Member carol = new(3);
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
        await using Member alice = new(1);
        await using Member bob = new(2);
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

    private static async Task Until(Func<bool> holds)
    {
        CancellationToken patience = Hosts.Patience;
        while (!holds())
        {
            await Task.Delay(5, patience);
        }
    }

    private sealed class Member : IAsyncDisposable
    {
        public Member(byte number, GossipOptions? options = null)
        {
            Host = Hosts.Start(number);
            Gossip = new Gossipsub(Host, options ?? new GossipOptions());
            Gossip.Subscribe(Topic, (message, _) =>
            {
                Heard.Enqueue(message);
                return ValueTask.FromResult(GossipVerdict.Accept);
            });
        }

        public Libp2pHost Host { get; }

        public Gossipsub Gossip { get; }

        public ConcurrentQueue<GossipMessage> Heard { get; } = new();

        public async ValueTask DisposeAsync()
        {
            await Gossip.DisposeAsync();
            await Host.DisposeAsync();
        }
    }
}
