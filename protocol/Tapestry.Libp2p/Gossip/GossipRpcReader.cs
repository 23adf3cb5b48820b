using System.Text;
using System.Text.Unicode;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p.Gossip;

/// <summary>Reads RPCs. Messages stay where they are in the buffer; ids and names are copied, each within its bound.</summary>
public static class GossipRpcReader
{
    // A record of a topic name or id needs a tag and a length.
    private const int HeaderLength = 16;

    /// <summary>Reads an RPC; what it returns keeps <paramref name="rpc"/>, which nobody may change afterwards.</summary>
    /// <param name="rpc">The Protocol Buffers message, without its length.</param>
    /// <param name="limits">Its bounds.</param>
    /// <param name="read">The RPC.</param>
    /// <returns>None; <see cref="GossipFault.RpcTooLarge"/>; or <see cref="GossipFault.RpcMalformed"/> when the bytes are no RPC or have too many entries.</returns>
    public static GossipFault TryRead(ReadOnlyMemory<byte> rpc, GossipLimits limits, out GossipRpc? read)
    {
        ArgumentNullException.ThrowIfNull(limits);
        read = null;
        if (rpc.Length > limits.RpcBytes)
        {
            return GossipFault.RpcTooLarge;
        }

        Entries entries = new(limits);
        if (!entries.TryRead(rpc))
        {
            return GossipFault.RpcMalformed;
        }

        read = entries.ToRpc();
        return GossipFault.None;
    }

    /// <summary>What an RPC has said so far, counted.</summary>
    private sealed class Entries(GossipLimits limits)
    {
        private List<GossipSubscription>? _subscriptions;
        private List<SignedMessage>? _messages;
        private List<GossipHave>? _have;
        private List<GossipId>? _want;
        private List<string>? _graft;
        private List<GossipPrune>? _prune;
        private List<GossipId>? _doNotWant;
        private int _count;

        public GossipRpc ToRpc() => new()
        {
            Subscriptions = _subscriptions ?? [],
            Messages = _messages ?? [],
            Have = _have ?? [],
            Want = _want ?? [],
            Graft = _graft ?? [],
            Prune = _prune ?? [],
            DoNotWant = _doNotWant ?? [],
        };

        public bool TryRead(ReadOnlyMemory<byte> rpc)
        {
            ProtobufReader reader = new(rpc.Span);
            bool valid = true;
            while (valid && reader.TryReadTag())
            {
                switch (reader.Field)
                {
                    case 1:
                        valid = Counts() && TryReadSubscription(reader.ReadBytes(limits.TopicBytes + HeaderLength));
                        break;
                    case 2:
                        int length = reader.ReadBytes(limits.RpcBytes).Length;
                        int end = rpc.Length - reader.RestLength;
                        valid = Counts() && !reader.Malformed && TryReadMessage(rpc[(end - length)..end]);
                        break;
                    case 3:
                        valid = TryReadControl(reader.ReadBytes(limits.RpcBytes));
                        break;
                    default:
                        reader.SkipValue();
                        break;
                }
            }

            return valid && !reader.Malformed;
        }

        private bool Counts() => ++_count <= limits.EntriesPerRpc;

        private bool TryReadSubscription(ReadOnlySpan<byte> message)
        {
            bool subscribes = false;
            string? topic = null;
            ProtobufReader reader = new(message);
            while (reader.TryReadTag())
            {
                switch (reader.Field)
                {
                    case 1:
                        subscribes = reader.ReadUInt64() != 0;
                        break;
                    case 2:
                        topic = ReadTopic(ref reader);
                        break;
                    default:
                        reader.SkipValue();
                        break;
                }
            }

            (_subscriptions ??= []).Add(new GossipSubscription(topic ?? "", subscribes));
            return !reader.Malformed && !string.IsNullOrEmpty(topic);
        }

        private bool TryReadMessage(ReadOnlyMemory<byte> encoded)
        {
            if (!SignedMessage.TryRead(encoded, limits, out SignedMessage? message))
            {
                return false;
            }

            (_messages ??= []).Add(message);
            return true;
        }

        private bool TryReadControl(ReadOnlySpan<byte> control)
        {
            ProtobufReader reader = new(control);
            bool valid = true;
            while (valid && reader.TryReadTag())
            {
                if (reader.Field > 5)
                {
                    reader.SkipValue();
                    continue;
                }

                int field = reader.Field;
                ReadOnlySpan<byte> entry = reader.ReadBytes(limits.RpcBytes);
                valid = Counts() && field switch
                {
                    1 => TryReadHave(entry),
                    2 => TryReadIds(entry, _want ??= []),
                    3 => TryReadGraft(entry),
                    4 => TryReadPrune(entry),
                    _ => TryReadIds(entry, _doNotWant ??= []),
                };
            }

            return valid && !reader.Malformed;
        }

        private bool TryReadHave(ReadOnlySpan<byte> entry)
        {
            List<GossipId> ids = [];
            string? topic = null;
            bool valid = true;
            ProtobufReader reader = new(entry);
            while (valid && reader.TryReadTag())
            {
                switch (reader.Field)
                {
                    case 1:
                        topic = ReadTopic(ref reader);
                        break;
                    case 2:
                        valid = TryReadId(ref reader, ids);
                        break;
                    default:
                        reader.SkipValue();
                        break;
                }
            }

            (_have ??= []).Add(new GossipHave(topic ?? "", ids));
            return valid && !reader.Malformed && topic is not null;
        }

        private bool TryReadIds(ReadOnlySpan<byte> entry, List<GossipId> ids)
        {
            bool valid = true;
            ProtobufReader reader = new(entry);
            while (valid && reader.TryReadTag())
            {
                if (reader.Field == 1)
                {
                    valid = TryReadId(ref reader, ids);
                }
                else
                {
                    reader.SkipValue();
                }
            }

            return valid && !reader.Malformed;
        }

        private bool TryReadId(ref ProtobufReader reader, List<GossipId> ids)
        {
            ReadOnlySpan<byte> id = reader.ReadBytes(limits.MessageIdBytes);
            if (reader.Malformed || !Counts())
            {
                return false;
            }

            ids.Add(new GossipId(id));
            return true;
        }

        private bool TryReadGraft(ReadOnlySpan<byte> entry)
        {
            string? topic = null;
            ProtobufReader reader = new(entry);
            while (reader.TryReadTag())
            {
                if (reader.Field == 1)
                {
                    topic = ReadTopic(ref reader);
                }
                else
                {
                    reader.SkipValue();
                }
            }

            (_graft ??= []).Add(topic ?? "");
            return !reader.Malformed && topic is not null;
        }

        private bool TryReadPrune(ReadOnlySpan<byte> entry)
        {
            string? topic = null;
            List<ExchangedPeer> peers = [];
            TimeSpan? backoff = null;
            bool valid = true;
            ProtobufReader reader = new(entry);
            while (valid && reader.TryReadTag())
            {
                switch (reader.Field)
                {
                    case 1:
                        topic = ReadTopic(ref reader);
                        break;
                    case 2:
                        valid = Counts() && TryReadPeer(reader.ReadBytes(limits.PeerRecordBytes + PeerId.MaximumLength + HeaderLength), peers);
                        break;
                    case 3:
                        backoff = TimeSpan.FromSeconds(Math.Min(reader.ReadUInt64(), int.MaxValue));
                        break;
                    default:
                        reader.SkipValue();
                        break;
                }
            }

            (_prune ??= []).Add(new GossipPrune(topic ?? "", peers, backoff));
            return valid && !reader.Malformed && topic is not null;
        }

        // A peer whose id we cannot read is passed over: it is of no use, and not the sender's fault.
        private bool TryReadPeer(ReadOnlySpan<byte> entry, List<ExchangedPeer> peers)
        {
            PeerId? peer = null;
            ReadOnlySpan<byte> signedRecord = default;
            ProtobufReader reader = new(entry);
            while (reader.TryReadTag())
            {
                switch (reader.Field)
                {
                    case 1:
                        _ = PeerId.TryRead(reader.ReadBytes(PeerId.MaximumLength), out peer);
                        break;
                    case 2:
                        signedRecord = reader.ReadBytes(limits.PeerRecordBytes);
                        break;
                    default:
                        reader.SkipValue();
                        break;
                }
            }

            if (!reader.Malformed && peer is not null)
            {
                peers.Add(new ExchangedPeer(peer, signedRecord.ToArray()));
            }

            return !reader.Malformed;
        }

        private string? ReadTopic(ref ProtobufReader reader)
        {
            ReadOnlySpan<byte> name = reader.ReadBytes(limits.TopicBytes);
            return reader.Malformed || !Utf8.IsValid(name) ? null : Encoding.UTF8.GetString(name);
        }
    }
}
