using System.Diagnostics.CodeAnalysis;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>What a <see cref="StopMessage"/> is.</summary>
public enum StopMessageType : byte
{
    /// <summary>The relay has a connection for us.</summary>
    Connect = 0,

    /// <summary>Our answer.</summary>
    Status = 1,
}

/// <summary>What a relay and the peer that reserved there say to each other, on a stream of <see cref="CircuitRelay.StopId"/>.</summary>
/// <remarks>libp2p/specs, relay/circuit-v2.md, "Stop Protocol".</remarks>
public sealed record StopMessage
{
    /// <summary>The most bytes that are read: as for <see cref="HopMessage"/>.</summary>
    public const int MaximumLength = HopMessage.MaximumLength;

    private const int TypeField = 1;
    private const int PeerField = 2;
    private const int LimitField = 3;
    private const int StatusField = 4;

    /// <summary>What it is.</summary>
    public required StopMessageType Type { get; init; }

    /// <summary>Of a connect: who wants the connection.</summary>
    public PeerId? Peer { get; init; }

    /// <summary>Of a connect: the limit of the connection; null when there is none.</summary>
    public ConnectionLimit? Limit { get; init; }

    /// <summary>Of an answer: whether we take it.</summary>
    public RelayStatus Status { get; init; }

    /// <summary>Reads a message; unknown fields are passed over.</summary>
    /// <returns>False when the bytes are no message, the type is absent or unknown, or a part is malformed.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out StopMessage? message)
    {
        message = null;
        ulong? type = null;
        PeerId? peer = null;
        ConnectionLimit? limit = null;
        ulong status = 0;
        bool isSound = bytes.Length <= MaximumLength;
        ProtobufReader reader = new(bytes);
        while (isSound && reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case TypeField:
                    type = reader.ReadUInt64();
                    break;
                case PeerField:
                    isSound = RelayParts.TryReadPeer(reader.ReadBytes(MaximumLength), out peer);
                    break;
                case LimitField:
                    isSound = RelayParts.TryReadLimit(reader.ReadBytes(MaximumLength), out limit);
                    break;
                case StatusField:
                    status = reader.ReadUInt64();
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        if (!isSound || reader.Malformed || type is null or > (ulong)StopMessageType.Status || status > ushort.MaxValue)
        {
            return false;
        }

        message = new StopMessage { Type = (StopMessageType)type, Peer = peer, Limit = limit, Status = (RelayStatus)status };
        return true;
    }

    /// <summary>The message, in a new array.</summary>
    public byte[] ToArray()
    {
        ProtobufWriter writer = new();
        writer.WriteUInt64(TypeField, (ulong)Type);
        RelayParts.WritePeer(writer, PeerField, Peer);
        RelayParts.WriteLimit(writer, LimitField, Limit);
        if (Status != RelayStatus.Unused)
        {
            writer.WriteUInt64(StatusField, (ulong)Status);
        }

        return writer.ToArray();
    }

    /// <summary>Our answer to a relay.</summary>
    internal static StopMessage Answer(RelayStatus status) => new() { Type = StopMessageType.Status, Status = status };
}
