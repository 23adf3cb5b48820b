using System.Buffers.Binary;
using Tapestry.Libp2p.Gossip;

namespace Tapestry.Libp2p.Tests.Scenarios.Gossip;

/// <summary>Honest routers and hostile peers in virtual time: every RPC goes through its bytes and takes a time drawn from the seed.</summary>
internal sealed class GossipNetwork
{
    internal const string Topic = "topic";

    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _agenda = new();
    private readonly List<GossipNode> _nodes = [];
    private long _order;

    internal GossipNetwork(int seed, int honest, IReadOnlyList<Func<GossipNetwork, byte, GossipNode>> hostile, int links)
    {
        Random = new Random(seed);
        for (byte number = 0; number < honest; number++)
        {
            _nodes.Add(new HonestNode(this, number));
        }

        foreach (Func<GossipNetwork, byte, GossipNode> make in hostile)
        {
            _nodes.Add(make(this, (byte)_nodes.Count));
        }

        Connect(links);
    }

    internal Random Random { get; }

    internal TimeSpan Now { get; private set; }

    internal IEnumerable<HonestNode> Honest => _nodes.OfType<HonestNode>();

    internal IReadOnlyList<GossipNode> Nodes => _nodes;

    /// <summary>Does everything that is due until then.</summary>
    internal void Run(TimeSpan time)
    {
        TimeSpan end = Now + time;
        while (_agenda.TryPeek(out _, out (TimeSpan At, long Order) due) && due.At <= end)
        {
            Now = due.At;
            _agenda.Dequeue()();
        }

        Now = end;
    }

    internal void At(TimeSpan delay, Action action) => _agenda.Enqueue(action, (Now + delay, _order++));

    /// <summary>Carries an RPC to a neighbour, by its bytes.</summary>
    internal void Carry(GossipNode from, PeerId to, GossipRpc rpc)
    {
        GossipNode? receiver = from.Neighbours.Find(node => node.Id == to);
        if (receiver is null)
        {
            return;
        }

        byte[] bytes = GossipRpcWriter.Encode(rpc);
        TimeSpan due = TimeSpan.FromMilliseconds(5 + (Random.NextDouble() * 45));
        TimeSpan earliest = from.LastArrival.GetValueOrDefault(to) - Now;
        due = due > earliest ? due : earliest;
        from.LastArrival[to] = Now + due;
        At(due, () =>
        {
            if (GossipRpcReader.TryRead(bytes, new GossipLimits(), out GossipRpc? read) == GossipFault.None)
            {
                receiver.Receive(from, read!);
            }
        });
    }

    // A ring of the honest, so that they hang together, and as many other links as wanted to each by lot.
    private void Connect(int links)
    {
        HonestNode[] honest = [.. Honest];
        for (int index = 0; index < honest.Length; index++)
        {
            Link(honest[index], honest[(index + 1) % honest.Length]);
        }

        foreach (GossipNode node in _nodes)
        {
            for (int link = 0; link < links; link++)
            {
                Link(node, _nodes[Random.Next(_nodes.Count)]);
            }
        }
    }

    private static void Link(GossipNode dialler, GossipNode listener)
    {
        if (dialler != listener && !dialler.Neighbours.Contains(listener))
        {
            dialler.Meet(listener, isOutbound: true);
            listener.Meet(dialler, isOutbound: false);
        }
    }
}

/// <summary>A peer of a <see cref="GossipNetwork"/>.</summary>
internal abstract class GossipNode(GossipNetwork network, byte number)
{
    private ulong _sequence;

    internal List<GossipNode> Neighbours { get; } = [];

    internal Dictionary<PeerId, TimeSpan> LastArrival { get; } = [];

    internal Libp2pIdentity Identity { get; } = Hosts.Identity((byte)(number + 1));

    internal PeerId Id => Identity.PeerId;

    protected GossipNetwork Network { get; } = network;

    internal virtual void Meet(GossipNode other, bool isOutbound) => Neighbours.Add(other);

    internal abstract void Receive(GossipNode from, GossipRpc rpc);

    internal SignedMessage NewMessage()
    {
        byte[] data = new byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(data, number);
        return SignedMessage.Sign(Identity, GossipNetwork.Topic, data, 1 + ++_sequence);
    }

    protected void SendToAll(GossipRpc rpc)
    {
        foreach (GossipNode neighbour in Neighbours)
        {
            Network.Carry(this, neighbour.Id, rpc);
        }
    }
}

/// <summary>A peer that runs the rules. Its application rejects nothing: what is wrong must be found by gossip itself.</summary>
internal sealed class HonestNode : GossipNode
{
    internal HonestNode(GossipNetwork network, byte number)
        : base(network, number)
    {
        Router = new GossipRouter(Id, new GossipOptions(), new GossipLimits(), network.Random.Next(), static _ => null);
        Router.Join(GossipNetwork.Topic, network.Now);
        network.At(TimeSpan.FromMilliseconds(network.Random.Next(1000)), Beat);
    }

    internal GossipRouter Router { get; }

    /// <summary>When each message came, in order of their coming; never twice.</summary>
    internal Dictionary<GossipId, TimeSpan> Heard { get; } = [];

    internal List<(PeerId Peer, GossipFault Fault)> Faults { get; } = [];

    internal long MessagesSent { get; private set; }

    internal override void Meet(GossipNode other, bool isOutbound)
    {
        base.Meet(other, isOutbound);
        Router.Connected(other.Id, isOutbound, null);
        Router.Reached(other.Id, GossipVersion.V12, Network.Now);
        Network.At(TimeSpan.Zero, Act);
    }

    internal GossipId Publish()
    {
        SignedMessage message = NewMessage();
        _ = message.TryVerify(Id, out GossipMessage? verified);
        Router.Publish(verified!, Network.Now);
        Heard.Add(message.Id, Network.Now);
        Act();
        return message.Id;
    }

    internal override void Receive(GossipNode from, GossipRpc rpc)
    {
        foreach (SignedMessage message in Router.Receive(from.Id, rpc, Network.Now))
        {
            GossipFault fault = message.TryVerify(from.Id, out GossipMessage? verified);
            if (verified is null)
            {
                Router.Refused(message, from.Id, fault);
            }
            else if (Router.Verified(verified, Network.Now))
            {
                Heard.Add(verified.Id, Network.Now);
                Router.Judged(verified, GossipVerdict.Accept, Network.Now);
            }
        }

        Act();
    }

    private void Beat()
    {
        Router.Heartbeat(Network.Now);
        Act();
        Network.At(TimeSpan.FromSeconds(1), Beat);
    }

    private void Act()
    {
        foreach (GossipEffect effect in Router.TakeEffects())
        {
            if (effect is GossipEffect.Send send)
            {
                MessagesSent += send.Rpc.Messages.Count;
                Network.Carry(this, send.To, send.Rpc);
            }
            else if (effect is GossipEffect.Blame blame)
            {
                Faults.Add((blame.Peer, blame.Fault));
            }
        }
    }
}
