using System.Diagnostics.CodeAnalysis;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>What a <see cref="HopMessage"/> is.</summary>
public enum HopMessageType : byte
{
    /// <summary>Asks the relay to carry connections to the sender.</summary>
    Reserve = 0,

    /// <summary>Asks the relay for a connection to a peer.</summary>
    Connect = 1,

    /// <summary>The relay's answer to either.</summary>
    Status = 2,
}

/// <summary>What a peer and a relay say to each other, on a stream of <see cref="CircuitRelay.HopId"/>.</summary>
/// <remarks>libp2p/specs, relay/circuit-v2.md. Addresses of the wanted peer are passed over: we relay to peers that have a connection to us.</remarks>
public sealed record HopMessage
{
    /// <summary>The most bytes that are read: the bound of go-libp2p, and some four times a full message.</summary>
    public const int MaximumLength = 4096;

    private const int TypeField = 1;
    private const int PeerField = 2;
    private const int ReservationField = 3;
    private const int LimitField = 4;
    private const int StatusField = 5;

    /// <summary>What it is.</summary>
    public required HopMessageType Type { get; init; }

    /// <summary>Of a connect: the peer that is wanted.</summary>
    public PeerId? Peer { get; init; }

    /// <summary>Of the answer to a reserve: what was reserved.</summary>
    public ReservationMessage? Reservation { get; init; }

    /// <summary>Of an answer: the limit of each connection; null when there is none.</summary>
    public ConnectionLimit? Limit { get; init; }

    /// <summary>Of an answer: how it went.</summary>
    public RelayStatus Status { get; init; }

    /// <summary>Reads a message; unknown fields are passed over.</summary>
    /// <returns>False when the bytes are no message, the type is absent or unknown, or a part is malformed.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out HopMessage? message)
    {
        message = null;
        ulong? type = null;
        PeerId? peer = null;
        ReservationMessage? reservation = null;
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
                case ReservationField:
                    isSound = ReservationMessage.TryRead(reader.ReadBytes(MaximumLength), out reservation);
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

        if (!isSound || reader.Malformed || type is null or > (ulong)HopMessageType.Status || status > ushort.MaxValue)
        {
            return false;
        }

        message = new HopMessage
        {
            Type = (HopMessageType)type,
            Peer = peer,
            Reservation = reservation,
            Limit = limit,
            Status = (RelayStatus)status,
        };
        return true;
    }

    /// <summary>The message, in a new array.</summary>
    public byte[] ToArray()
    {
        ProtobufWriter writer = new();
        writer.WriteUInt64(TypeField, (ulong)Type);
        RelayParts.WritePeer(writer, PeerField, Peer);
        if (Reservation is not null)
        {
            writer.WriteBytes(ReservationField, Reservation.ToArray());
        }

        RelayParts.WriteLimit(writer, LimitField, Limit);
        if (Status != RelayStatus.Unused)
        {
            writer.WriteUInt64(StatusField, (ulong)Status);
        }

        return writer.ToArray();
    }

    /// <summary>A relay's refusal.</summary>
    internal static HopMessage Refusal(RelayStatus status) => new() { Type = HopMessageType.Status, Status = status };
}
