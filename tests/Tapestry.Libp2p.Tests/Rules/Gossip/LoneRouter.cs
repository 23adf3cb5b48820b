using System.Text;
using Tapestry.Libp2p.Gossip;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>One router in virtual time, and peers that are played by the test.</summary>
internal sealed class LoneRouter
{
    internal const string Topic = "topic";
    internal const byte Self = 0;

    private static readonly Dictionary<byte, Libp2pIdentity> Identities = [];
    private readonly List<GossipEffect> _effects = [];
    private ulong _sequence;

    internal LoneRouter(GossipOptions? options = null, GossipLimits? limits = null, Func<PeerId, ReadOnlyMemory<byte>?>? recordOf = null)
    {
        Router = new GossipRouter(Peer(Self), options ?? new GossipOptions(), limits ?? new GossipLimits(), seed: 1, recordOf ?? (static _ => null));
    }

    internal GossipRouter Router { get; }

    internal TimeSpan Now { get; private set; }

    /// <summary>What the application says to every message.</summary>
    internal GossipVerdict Verdict { get; set; } = GossipVerdict.Accept;

    /// <summary>What the application was asked about.</summary>
    internal List<GossipMessage> Judged { get; } = [];

    internal static Libp2pIdentity Identity(byte number)
    {
        lock (Identities)
        {
            if (!Identities.TryGetValue(number, out Libp2pIdentity? identity))
            {
                identity = Hosts.Identity(number);
                Identities.Add(number, identity);
            }

            return identity;
        }
    }

    internal static PeerId Peer(byte number) => Identity(number).PeerId;

    /// <summary>A router that is in <see cref="Topic"/>.</summary>
    internal static LoneRouter Joined(GossipOptions? options = null, GossipLimits? limits = null, Func<PeerId, ReadOnlyMemory<byte>?>? recordOf = null)
    {
        LoneRouter router = new(options, limits, recordOf);
        router.Router.Join(Topic, router.Now);
        return router;
    }

    /// <summary>Peers that are connected and in the topic.</summary>
    internal LoneRouter With(params byte[] peers)
    {
        foreach (byte peer in peers)
        {
            Add(peer);
        }

        return this;
    }

    internal LoneRouter Add(byte peer, bool isOutbound = false, GossipVersion version = GossipVersion.V12, string? ip = null, bool subscribes = true)
    {
        Router.Connected(Peer(peer), isOutbound, ip);
        Router.Reached(Peer(peer), version, Now);
        if (subscribes)
        {
            Say(peer, new GossipRpc { Subscriptions = [new GossipSubscription(Topic, true)] });
        }

        return this;
    }

    internal void Advance(TimeSpan time) => Now += time;

    internal void Beat(int times = 1)
    {
        for (int beat = 0; beat < times; beat++)
        {
            Now += TimeSpan.FromSeconds(1);
            Router.Heartbeat(Now);
        }
    }

    internal SignedMessage Message(byte author, string text = "text", string topic = Topic) => Message(author, Encoding.UTF8.GetBytes(text), topic);

    internal SignedMessage Message(byte author, byte[] data, string topic = Topic) =>
        SignedMessage.Sign(Identity(author), topic, data, 1000 + ++_sequence);

    /// <summary>A peer says something, and everything that follows is done.</summary>
    internal void Say(byte peer, GossipRpc rpc)
    {
        foreach (SignedMessage message in Router.Receive(Peer(peer), rpc, Now))
        {
            GossipFault fault = message.TryVerify(Peer(peer), out GossipMessage? verified);
            if (verified is null)
            {
                Router.Refused(message, Peer(peer), fault);
            }
            else if (Router.Verified(verified, Now))
            {
                Judged.Add(verified);
                Router.Judged(verified, Verdict, Now);
            }
        }
    }

    internal void Send(byte peer, params SignedMessage[] messages) => Say(peer, new GossipRpc { Messages = messages });

    internal void Graft(byte peer) => Say(peer, new GossipRpc { Graft = [Topic] });

    internal void Prune(byte peer, TimeSpan? backoff = null, params ExchangedPeer[] others) =>
        Say(peer, new GossipRpc { Prune = [new GossipPrune(Topic, others, backoff)] });

    internal void Have(byte peer, params GossipId[] ids) => Say(peer, new GossipRpc { Have = [new GossipHave(Topic, ids)] });

    internal void Want(byte peer, params GossipId[] ids) => Say(peer, new GossipRpc { Want = ids });

    internal void DoNotWant(byte peer, params GossipId[] ids) => Say(peer, new GossipRpc { DoNotWant = ids });

    /// <summary>Publishes a message of our own.</summary>
    internal SignedMessage Publish(string text = "ours")
    {
        ulong sequence = 1000 + ++_sequence;
        SignedMessage signed = SignedMessage.Sign(Identity(Self), Topic, Encoding.UTF8.GetBytes(text), sequence);
        Router.Publish(new GossipMessage(signed, Peer(Self), sequence, Peer(Self)), Now);
        return signed;
    }

    internal bool IsInMesh(byte peer) => Router.MeshOf(Topic).Contains(Peer(peer));

    internal double Score(byte peer) => Router.ScoreOf(Peer(peer));

    /// <summary>Everything that was sent to a peer since <see cref="Forget"/>.</summary>
    internal List<GossipRpc> SentTo(byte peer)
    {
        _effects.AddRange(Router.TakeEffects());
        return [.. _effects.OfType<GossipEffect.Send>().Where(send => send.To == Peer(peer)).Select(send => send.Rpc)];
    }

    internal List<SignedMessage> MessagesTo(byte peer) => [.. SentTo(peer).SelectMany(rpc => rpc.Messages)];

    internal List<GossipPrune> PrunesTo(byte peer) => [.. SentTo(peer).SelectMany(rpc => rpc.Prune)];

    internal List<string> GraftsTo(byte peer) => [.. SentTo(peer).SelectMany(rpc => rpc.Graft)];

    internal List<GossipId> WantedOf(byte peer) => [.. SentTo(peer).SelectMany(rpc => rpc.Want)];

    internal List<GossipId> AdvertisedTo(byte peer) => [.. SentTo(peer).SelectMany(rpc => rpc.Have).SelectMany(have => have.Ids)];

    internal List<GossipFault> FaultsOf(byte peer)
    {
        _effects.AddRange(Router.TakeEffects());
        return [.. _effects.OfType<GossipEffect.Blame>().Where(blame => blame.Peer == Peer(peer)).Select(blame => blame.Fault)];
    }

    internal List<GossipEffect.Meet> Meetings()
    {
        _effects.AddRange(Router.TakeEffects());
        return [.. _effects.OfType<GossipEffect.Meet>()];
    }

    internal void Forget()
    {
        _ = Router.TakeEffects();
        _effects.Clear();
    }

    internal static GossipId Id(int number) => new([.. BitConverter.GetBytes(number), 9, 9, 9, 9]);
}
