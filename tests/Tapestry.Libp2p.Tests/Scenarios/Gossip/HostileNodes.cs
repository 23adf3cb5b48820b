using Tapestry.Libp2p.Gossip;

namespace Tapestry.Libp2p.Tests.Scenarios.Gossip;

/// <summary>A peer that enters the topic and every mesh that lets it, and does something else than it should several times a second.</summary>
internal abstract class HostileNode : GossipNode
{
    protected HostileNode(GossipNetwork network, byte number)
        : base(network, number)
    {
        network.At(TimeSpan.FromMilliseconds(100), () => SendToAll(Entering));
        network.At(TimeSpan.FromSeconds(1), Act);
    }

    protected static GossipRpc Entering => new()
    {
        Subscriptions = [new GossipSubscription(GossipNetwork.Topic, true)],
        Graft = [GossipNetwork.Topic],
    };

    /// <summary>What it has been sent lately.</summary>
    protected List<SignedMessage> Collected { get; } = [];

    /// <summary>Withholds everything that it is given.</summary>
    internal override void Receive(GossipNode from, GossipRpc rpc)
    {
        Collected.AddRange(rpc.Messages);
        if (Collected.Count > 200)
        {
            Collected.RemoveRange(0, 100);
        }
    }

    /// <summary>What it does to everybody, five times a second.</summary>
    protected abstract GossipRpc? Misdeed();

    private void Act()
    {
        if (Misdeed() is GossipRpc rpc)
        {
            SendToAll(rpc);
        }

        Network.At(TimeSpan.FromMilliseconds(200), Act);
    }
}

/// <summary>Takes part in every mesh and passes nothing on, but says that it has all.</summary>
internal sealed class Withholder(GossipNetwork network, byte number) : HostileNode(network, number)
{
    protected override GossipRpc? Misdeed() => new() { Have = [new GossipHave(GossipNetwork.Topic, [.. Enumerable.Range(0, 20).Select(_ => Invented())])] };

    private GossipId Invented() => new(BitConverter.GetBytes(Network.Random.NextInt64()));
}

/// <summary>Sends messages whose signatures do not hold, under ids of messages that are real.</summary>
internal sealed class Forger(GossipNetwork network, byte number) : HostileNode(network, number)
{
    protected override GossipRpc? Misdeed()
    {
        SignedMessage message = Collected.Count > 0 ? Collected[^1] : NewMessage();
        byte[] bytes = message.Encoded.ToArray();
        bytes[^1] ^= 1;
        return SignedMessage.TryRead(bytes, new GossipLimits(), out SignedMessage? forged) ? new GossipRpc { Messages = [forged] } : null;
    }
}

/// <summary>Says everything again and again.</summary>
internal sealed class Replayer(GossipNetwork network, byte number) : HostileNode(network, number)
{
    protected override GossipRpc? Misdeed() => Collected.Count == 0 ? null : new GossipRpc { Messages = [.. Collected.TakeLast(20)] };
}

/// <summary>Asks for everything all the time.</summary>
internal sealed class Beggar(GossipNetwork network, byte number) : HostileNode(network, number)
{
    protected override GossipRpc? Misdeed() => Collected.Count == 0 ? null : new GossipRpc { Want = [.. Collected.Select(message => message.Id).Distinct()] };
}

/// <summary>Grafts without regard to back-offs, and prunes itself to graft again.</summary>
internal sealed class Grafter(GossipNetwork network, byte number) : HostileNode(network, number)
{
    protected override GossipRpc? Misdeed() => new()
    {
        Prune = [new GossipPrune(GossipNetwork.Topic, [], TimeSpan.FromSeconds(1))],
        Graft = [GossipNetwork.Topic],
    };
}

/// <summary>Declines ids by the hundred, among them those of real messages.</summary>
internal sealed class Decliner(GossipNetwork network, byte number) : HostileNode(network, number)
{
    protected override GossipRpc? Misdeed() => new()
    {
        DoNotWant = [.. Collected.Select(message => message.Id).Distinct(), .. Enumerable.Range(0, 150).Select(_ => new GossipId(BitConverter.GetBytes(Network.Random.NextInt64())))],
    };
}
