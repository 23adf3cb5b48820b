using System.Buffers;
using System.IO.Pipelines;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p.Gossip;

/// <summary>Writes RPCs, preceded by their length. The only copy of a message is the one into the stream.</summary>
public static class GossipRpcWriter
{
    private const byte MessageTag = (2 << 3) | 2;

    // js-libp2p refuses an RPC with more ids in one IDONTWANT.
    private const int IdsPerDoNotWant = 512;

    /// <summary>Bytes that an RPC of one message takes, without its length.</summary>
    public static int LengthOf(SignedMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return 1 + Varint.LengthOf((ulong)message.Encoded.Length) + message.Encoded.Length;
    }

    /// <summary>Writes an RPC with its length, without sending.</summary>
    /// <returns>How many bytes that were.</returns>
    public static int Write(PipeWriter output, GossipRpc rpc)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(rpc);
        ReadOnlySpan<byte> rest = rpc.IsData ? default : EncodeRest(rpc);
        int length = rest.Length;
        foreach (SignedMessage message in rpc.Messages)
        {
            length += LengthOf(message);
        }

        output.Advance(Varint.Write(output.GetSpan(Varint.MaximumLength), (ulong)length));
        foreach (SignedMessage message in rpc.Messages)
        {
            Span<byte> header = output.GetSpan(1 + Varint.MaximumLength);
            header[0] = MessageTag;
            output.Advance(1 + Varint.Write(header[1..], (ulong)message.Encoded.Length));
            output.Write(message.Encoded.Span);
        }

        output.Write(rest);
        return length;
    }

    /// <summary>An RPC in a new array, without its length.</summary>
    public static byte[] Encode(GossipRpc rpc)
    {
        ArgumentNullException.ThrowIfNull(rpc);
        ProtobufWriter writer = new();
        foreach (SignedMessage message in rpc.Messages)
        {
            writer.WriteBytes(2, message.Encoded.Span);
        }

        return [.. writer.Written, .. EncodeRest(rpc)];
    }

    // Subscriptions and control; js and go take the fields of an RPC in any order.
    private static ReadOnlySpan<byte> EncodeRest(GossipRpc rpc)
    {
        ProtobufWriter writer = new();
        foreach (GossipSubscription subscription in rpc.Subscriptions)
        {
            ProtobufWriter entry = new();
            entry.WriteUInt64(1, subscription.Subscribes ? 1UL : 0);
            entry.WriteText(2, subscription.Topic);
            writer.WriteBytes(1, entry.Written);
        }

        if (rpc.HasControl)
        {
            writer.WriteBytes(3, EncodeControl(rpc));
        }

        return writer.Written;
    }

    private static ReadOnlySpan<byte> EncodeControl(GossipRpc rpc)
    {
        ProtobufWriter control = new();
        foreach (GossipHave have in rpc.Have)
        {
            ProtobufWriter entry = new();
            entry.WriteText(1, have.Topic);
            WriteIds(entry, 2, have.Ids, 0, have.Ids.Count);
            control.WriteBytes(1, entry.Written);
        }

        WriteIdLists(control, 2, rpc.Want, rpc.Want.Count);
        foreach (string topic in rpc.Graft)
        {
            ProtobufWriter entry = new();
            entry.WriteText(1, topic);
            control.WriteBytes(3, entry.Written);
        }

        foreach (GossipPrune prune in rpc.Prune)
        {
            control.WriteBytes(4, EncodePrune(prune));
        }

        WriteIdLists(control, 5, rpc.DoNotWant, IdsPerDoNotWant);
        return control.Written;
    }

    private static ReadOnlySpan<byte> EncodePrune(GossipPrune prune)
    {
        ProtobufWriter entry = new();
        entry.WriteText(1, prune.Topic);
        foreach (ExchangedPeer peer in prune.Peers)
        {
            ProtobufWriter recommended = new();
            recommended.WriteBytes(1, peer.Peer.Bytes);
            if (!peer.SignedRecord.IsEmpty)
            {
                recommended.WriteBytes(2, peer.SignedRecord.Span);
            }

            entry.WriteBytes(2, recommended.Written);
        }

        if (prune.Backoff is TimeSpan backoff)
        {
            entry.WriteUInt64(3, (ulong)Math.Ceiling(backoff.TotalSeconds));
        }

        return entry.Written;
    }

    private static void WriteIdLists(ProtobufWriter control, int field, IReadOnlyList<GossipId> ids, int idsPerList)
    {
        for (int start = 0; start < ids.Count; start += idsPerList)
        {
            ProtobufWriter entry = new();
            WriteIds(entry, 1, ids, start, Math.Min(ids.Count, start + idsPerList));
            control.WriteBytes(field, entry.Written);
        }
    }

    private static void WriteIds(ProtobufWriter entry, int field, IReadOnlyList<GossipId> ids, int start, int end)
    {
        for (int index = start; index < end; index++)
        {
            entry.WriteBytes(field, ids[index].Bytes);
        }
    }
}
