namespace Tapestry.Libp2p.Gossip;

/// <summary>How peers are scored, and what follows from a score.</summary>
/// <remarks>
/// libp2p/specs, pubsub/gossipsub/gossipsub-v1.1.md, "Peer Scoring". The specification leaves the numbers to the application; ours let a good
/// peer reach 20 (10 for time in the mesh, 10 for being first), which a few faults outweigh.
/// </remarks>
public sealed record GossipScoring
{
    /// <summary>Below this, no gossip goes to the peer and its gossip is ignored. Default -10, as js-libp2p.</summary>
    public double GossipThreshold { get; init; } = -10;

    /// <summary>Below this, our own messages do not go to the peer. Default -50, as js-libp2p.</summary>
    public double PublishThreshold { get; init; } = -50;

    /// <summary>Below this, everything from the peer but its subscriptions is ignored. Default -80, as js-libp2p.</summary>
    public double GraylistThreshold { get; init; } = -80;

    /// <summary>From this on, peers that the peer recommends are believed. Default 10, as js-libp2p: half of what can be earned.</summary>
    public double AcceptExchangeThreshold { get; init; } = 10;

    /// <summary>A mesh whose median is below this takes in better peers. Default 1: peers who neither stay nor deliver.</summary>
    public double OpportunisticGraftThreshold { get; init; } = 1;

    /// <summary>Topics whose numbers differ from <see cref="DefaultTopic"/>.</summary>
    public IReadOnlyDictionary<string, TopicScoring> Topics { get; init; } = new Dictionary<string, TopicScoring>(StringComparer.Ordinal);

    /// <summary>The numbers of every other topic that we are in; null to score none.</summary>
    public TopicScoring? DefaultTopic { get; init; } = new();

    /// <summary>The most that all topics together can earn; 0 for no bound. Default 40: two topics' worth.</summary>
    public double TopicCap { get; init; } = 40;

    /// <summary>P5: what the application thinks of a peer; asked often, under a lock, so it must be quick. Default: nothing.</summary>
    public Func<PeerId, double> ApplicationScore { get; init; } = static _ => 0;

    /// <summary>Weight of P5. Default 1.</summary>
    public double ApplicationWeight { get; init; } = 1;

    /// <summary>Weight of P6, peers beyond <see cref="ColocationThreshold"/> at one IP address, squared. Default -5, as js-libp2p.</summary>
    public double ColocationWeight { get; init; } = -5;

    /// <summary>Peers that may share an IP address. Default 10, as js-libp2p: an institution behind one address.</summary>
    public int ColocationThreshold { get; init; } = 10;

    /// <summary>IP addresses, in text, where any number of peers may be. The loopback addresses always are.</summary>
    public IReadOnlySet<string> ColocationAllowed { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Weight of P7, misbehaviour beyond <see cref="BehaviourThreshold"/>, squared. Default -10, as js-libp2p.</summary>
    public double BehaviourWeight { get; init; } = -10;

    /// <summary>Misbehaviour that is forgiven. Default 2: a promise that a busy honest peer breaks.</summary>
    public double BehaviourThreshold { get; init; } = 2;

    /// <summary>What is left of P7 after <see cref="DecayInterval"/>. Default 0.98: half of it in 34 s, so five faults ban for half a minute.</summary>
    public double BehaviourDecay { get; init; } = 0.98;

    /// <summary>How often counters decay. Default 1 s.</summary>
    public TimeSpan DecayInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Counters below this are zero. Default 0.01.</summary>
    public double DecayToZero { get; init; } = 0.01;

    /// <summary>How long the score of a peer that has gone is kept, unless it is positive. Default 1 h, as js-libp2p.</summary>
    public TimeSpan RetainTime { get; init; } = TimeSpan.FromHours(1);

    internal TopicScoring? Of(string topic) => Topics.TryGetValue(topic, out TopicScoring? own) ? own : DefaultTopic;

    /// <summary>Refuses numbers with which scoring would reward faults or never end.</summary>
    /// <exception cref="ArgumentException">The number, named.</exception>
    internal void Validate()
    {
        Require(GossipThreshold <= 0, $"{nameof(GossipThreshold)} is not positive");
        Require(PublishThreshold <= GossipThreshold, $"{nameof(PublishThreshold)} is at most {nameof(GossipThreshold)}");
        Require(GraylistThreshold <= PublishThreshold, $"{nameof(GraylistThreshold)} is at most {nameof(PublishThreshold)}");
        Require(AcceptExchangeThreshold >= 0, $"{nameof(AcceptExchangeThreshold)} is not negative");
        Require(OpportunisticGraftThreshold >= 0, $"{nameof(OpportunisticGraftThreshold)} is not negative");
        Require(TopicCap >= 0, $"{nameof(TopicCap)} is not negative");
        Require(ColocationWeight <= 0, $"{nameof(ColocationWeight)} is not positive");
        Require(ColocationWeight == 0 || ColocationThreshold >= 1, $"{nameof(ColocationThreshold)} is at least 1");
        Require(BehaviourWeight <= 0, $"{nameof(BehaviourWeight)} is not positive");
        Require(BehaviourThreshold >= 0, $"{nameof(BehaviourThreshold)} is not negative");
        Require(BehaviourWeight == 0 || BehaviourDecay is > 0 and < 1, $"{nameof(BehaviourDecay)} is between 0 and 1");
        Require(DecayInterval >= TimeSpan.FromSeconds(1), $"{nameof(DecayInterval)} is at least 1 s");
        Require(DecayToZero is > 0 and < 1, $"{nameof(DecayToZero)} is between 0 and 1");
        DefaultTopic?.Validate();
        foreach (TopicScoring topic in Topics.Values)
        {
            topic.Validate();
        }
    }

    internal static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new ArgumentException($"Gossip scoring: {what}.");
        }
    }
}
