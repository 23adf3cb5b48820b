using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Gossip;

/// <summary>Twenty peers of whom a third is hostile: the others go on hearing each other.</summary>
/// <remarks>A failure names its seed, which replays it to the bit.</remarks>
public sealed class HostileThirdTests
{
    private const int Honest = 14;

    private static readonly SortedDictionary<string, Func<GossipNetwork, byte, GossipNode>> Crimes = new(StringComparer.Ordinal)
    {
        [nameof(Withholder)] = static (network, number) => new Withholder(network, number),
        [nameof(Forger)] = static (network, number) => new Forger(network, number),
        [nameof(Replayer)] = static (network, number) => new Replayer(network, number),
        [nameof(Beggar)] = static (network, number) => new Beggar(network, number),
        [nameof(Grafter)] = static (network, number) => new Grafter(network, number),
        [nameof(Decliner)] = static (network, number) => new Decliner(network, number),
    };

    public static TheoryData<int, string> Cases()
    {
        TheoryData<int, string> cases = [];
        for (int seed = 1; seed <= 5; seed++)
        {
            cases.Add(seed, "one of each");
        }

        foreach (string crime in Crimes.Keys)
        {
            cases.Add(100, crime);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Everything_that_an_honest_peer_says_reaches_every_honest_peer(int seed, string crime)
    {
        IReadOnlyList<Func<GossipNetwork, byte, GossipNode>> hostile = Crimes.TryGetValue(crime, out Func<GossipNetwork, byte, GossipNode>? make)
            ? [.. Enumerable.Repeat(make, Crimes.Count)]
            : [.. Crimes.Values];
        GossipNetwork network = new(seed, Honest, hostile, links: 5);
        network.Run(TimeSpan.FromSeconds(5));

        List<GossipId> said = [];
        for (int round = 0; round < 40; round++)
        {
            foreach (HonestNode node in network.Honest.Where((_, index) => index % 3 == round % 3))
            {
                said.Add(node.Publish());
            }

            network.Run(TimeSpan.FromSeconds(0.5));
        }

        network.Run(TimeSpan.FromSeconds(10));
        foreach (HonestNode node in network.Honest)
        {
            said.Where(id => !node.Heard.ContainsKey(id)).Should().BeEmpty($"seed {seed}, {crime}");
        }

        HashSet<PeerId> honest = [.. network.Honest.Select(node => node.Id)];
        foreach (HonestNode node in network.Honest)
        {
            foreach (PeerId neighbour in node.Neighbours.Select(other => other.Id).Where(honest.Contains))
            {
                node.Router.ScoreOf(neighbour).Should().BeGreaterThanOrEqualTo(0, $"of seed {seed}: the honest are not mistaken for others");
            }
        }
    }

    [Theory]
    [InlineData(nameof(Forger), GossipFault.SignatureInvalid)]
    [InlineData(nameof(Replayer), GossipFault.Replayed)]
    [InlineData(nameof(Beggar), GossipFault.IwantFlood)]
    [InlineData(nameof(Grafter), GossipFault.GraftInBackoff)]
    [InlineData(nameof(Withholder), GossipFault.BrokenPromise)]
    public void The_hostile_are_found_scored_down_and_out_of_every_mesh(string crime, GossipFault fault)
    {
        GossipNetwork network = new(7, Honest, [.. Enumerable.Repeat(Crimes[crime], Crimes.Count)], links: 5);
        network.Run(TimeSpan.FromSeconds(3));
        for (int round = 0; round < 40; round++)
        {
            foreach (HonestNode node in network.Honest)
            {
                node.Publish();
            }

            network.Run(TimeSpan.FromSeconds(0.5));
        }

        foreach (HostileNode hostile in network.Nodes.OfType<HostileNode>())
        {
            foreach (HonestNode node in network.Honest.Where(node => node.Neighbours.Contains(hostile)))
            {
                node.Faults.Should().Contain((hostile.Id, fault));
                node.Router.MeshOf(GossipNetwork.Topic).Should().NotContain(hostile.Id);
                node.Router.ScoreOf(hostile.Id).Should().BeNegative();
            }
        }
    }

    [Fact]
    public void Among_honest_peers_nobody_is_blamed_and_what_is_said_is_there_within_half_a_second()
    {
        GossipNetwork network = new(3, 20, [], links: 6);
        network.Run(TimeSpan.FromSeconds(5));
        List<(GossipId Id, TimeSpan At)> said = [];
        for (int round = 0; round < 30; round++)
        {
            foreach (HonestNode node in network.Honest)
            {
                said.Add((node.Publish(), network.Now));
            }

            network.Run(TimeSpan.FromSeconds(1));
        }

        network.Honest.SelectMany(node => node.Faults).Where(fault => fault.Fault != GossipFault.Replayed).Should().BeEmpty();
        network.Honest.Should().OnlyContain(node => said.TrueForAll(message => node.Heard[message.Id] - message.At < TimeSpan.FromSeconds(0.5)));
        network.Honest.Should().OnlyContain(node => node.Neighbours.TrueForAll(other => node.Router.ScoreOf(other.Id) > 0));
    }
}
