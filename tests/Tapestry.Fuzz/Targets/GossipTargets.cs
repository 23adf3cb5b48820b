using System.Buffers.Binary;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Gossip;

namespace Tapestry.Fuzz.Targets;

/// <summary>What gossiping peers say, and the router that they say it to.</summary>
internal static class GossipTargets
{
    private const string Topic = "/fuzz/1";
    private const byte HeartbeatMark = 0xff;

    private static readonly GossipLimits Limits = new();

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new FuzzTarget("gossip-rpc", Decoders.Of(typeof(GossipRpcReader), nameof(GossipRpcReader.TryRead)), ReadRpc, Rpcs)
        {
            Encode = rpc => GossipRpcWriter.Encode((GossipRpc)rpc),
            IsCanonical = false,
            MemoryMax = static length => (32 * 1024) + (120L * length),
        },
        new FuzzTarget("gossip-message", Decoders.Of(typeof(SignedMessage), nameof(SignedMessage.TryRead)), ReadMessage, Messages)
        {
            Encode = message => ((SignedMessage)message).Encoded.ToArray(),
            IsCanonical = false,
            Weight = 4,
        },
        new FuzzTarget("gossip-router", [], RunRouter, Conversations)
        {
            // A router with its tables, and what each RPC leaves in them.
            MemoryMax = static length => (64 * 1024) + (400L * length),
            Weight = 1,
        },
    ];

    private static PeerId[] Peers { get; } = [.. Enumerable.Range(40, 3).Select(number => IdentityTargets.Identity((byte)number).PeerId)];

    private static GossipRpc? ReadRpc(ReadOnlySpan<byte> input) =>
        GossipRpcReader.TryRead(input.ToArray(), Limits, out GossipRpc? rpc) == GossipFault.None ? rpc : null;

    /// <summary>A message that is read is also inspected and verified; whoever verified it knows its author.</summary>
    private static SignedMessage? ReadMessage(ReadOnlySpan<byte> input)
    {
        if (!SignedMessage.TryRead(input.ToArray(), Limits, out SignedMessage? message))
        {
            return null;
        }

        message.Inspect(Limits);
        GossipFault fault = message.TryVerify(Peers[0], out GossipMessage? verified);
        return fault == GossipFault.None == (verified is not null) && (verified is null || verified.Author == message.Author)
            ? message
            : throw new InvalidDataException($"{fault} comes with a message of {verified?.Author}.");
    }

    /// <summary>Parts of the input, each after a peer's number and a length, are RPCs of three peers; a mark between them is a heartbeat.</summary>
    private static object? RunRouter(ReadOnlySpan<byte> input)
    {
        GossipRouter router = new(IdentityTargets.Peer, new GossipOptions(), Limits, seed: 1, _ => null);
        TimeSpan now = TimeSpan.Zero;
        router.Join(Topic, now);
        foreach (PeerId peer in Peers)
        {
            router.Connected(peer, isOutbound: peer == Peers[0], ip: null);
            router.Reached(peer, GossipVersion.V12, TimeSpan.Zero);
        }

        int rpcs = 0;
        while (!input.IsEmpty)
        {
            now += TimeSpan.FromMilliseconds(100);
            if (input[0] == HeartbeatMark)
            {
                now += TimeSpan.FromSeconds(1);
                router.Heartbeat(now);
                input = input[1..];
            }
            else if (!TryTake(ref input, out PeerId from, out byte[] bytes))
            {
                break;
            }
            else if (GossipRpcReader.TryRead(bytes, Limits, out GossipRpc? rpc) == GossipFault.None)
            {
                Receive(router, from, rpc!, now);
                rpcs++;
            }
            else
            {
                router.Blame(from, GossipFault.RpcMalformed);
            }

            router.TakeEffects();
        }

        return rpcs == 0 ? null : rpcs;
    }

    private static void Receive(GossipRouter router, PeerId from, GossipRpc rpc, TimeSpan now)
    {
        foreach (SignedMessage signed in router.Receive(from, rpc, now))
        {
            GossipFault fault = signed.TryVerify(from, out GossipMessage? message);
            if (message is null)
            {
                router.Refused(signed, from, fault);
            }
            else if (router.Verified(message, now))
            {
                router.Judged(message, message.Data.Length % 2 == 0 ? GossipVerdict.Accept : GossipVerdict.Reject, now);
            }
        }
    }

    private static bool TryTake(ref ReadOnlySpan<byte> input, out PeerId from, out byte[] rpc)
    {
        from = Peers[input[0] % Peers.Length];
        rpc = [];
        if (input.Length < 3 || input.Length - 3 < BinaryPrimitives.ReadUInt16BigEndian(input[1..]))
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(input[1..]);
        rpc = input.Slice(3, length).ToArray();
        input = input[(3 + length)..];
        return true;
    }

    private static SignedMessage Message(byte author, ulong sequence)
    {
        using Libp2pIdentity identity = IdentityTargets.Identity(author);
        return SignedMessage.Sign(identity, Topic, [1, 2, 3, 4], sequence);
    }

    private static IEnumerable<byte[]> Messages() => [Message(40, 7).Encoded.ToArray()];

    private static IEnumerable<byte[]> Rpcs() => Said().Select(GossipRpcWriter.Encode);

    private static GossipRpc[] Said()
    {
        GossipId id = Message(40, 7).Id;
        using Libp2pIdentity other = IdentityTargets.Identity(41);
        ReadOnlyMemory<byte> record = SignedPeerRecord.Sign(other, 9, IdentityTargets.Addresses).Envelope.Encoded;
        return
        [
            new GossipRpc { Subscriptions = [new GossipSubscription(Topic, true), new GossipSubscription("/other", false)] },
            new GossipRpc { Messages = [Message(40, 7), Message(41, 8)] },
            new GossipRpc { Have = [new GossipHave(Topic, [id])], Want = [id], DoNotWant = [id] },
            new GossipRpc { Graft = [Topic], Prune = [new GossipPrune(Topic, [new ExchangedPeer(Peers[1], record)], TimeSpan.FromSeconds(60))] },
        ];
    }

    private static IEnumerable<byte[]> Conversations()
    {
        List<byte> said = [];
        byte peer = 0;
        foreach (byte[] rpc in Rpcs().Concat(Rpcs()))
        {
            byte[] length = new byte[sizeof(ushort)];
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)rpc.Length);
            said.AddRange([(byte)(peer++ % Peers.Length), .. length, .. rpc, HeartbeatMark]);
        }

        yield return [.. said];
    }
}
