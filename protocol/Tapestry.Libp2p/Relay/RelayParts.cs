using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>What several messages of the relay protocols have inside.</summary>
internal static class RelayParts
{
    // The year 9999, where the platform's time ends.
    private const ulong MaximumUnixSeconds = 253_402_300_799;

    private const int PeerIdField = 1;
    private const int DurationField = 1;
    private const int DataField = 2;

    /// <summary>Whether a number says a time, and one that the platform has.</summary>
    internal static bool IsTime(ulong unixSeconds) => unixSeconds is > 0 and <= MaximumUnixSeconds;

    internal static bool TryReadPeer(ReadOnlySpan<byte> bytes, out PeerId? peer)
    {
        peer = null;
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            if (reader.Field != PeerIdField)
            {
                reader.SkipValue();
            }
            else if (!PeerId.TryRead(reader.ReadBytes(PeerId.MaximumLength), out peer))
            {
                return false;
            }
        }

        return !reader.Malformed && peer is not null;
    }

    internal static void WritePeer(ProtobufWriter writer, int field, PeerId? peer)
    {
        if (peer is not null)
        {
            ProtobufWriter inner = new();
            inner.WriteBytes(PeerIdField, peer.Bytes);
            writer.WriteBytes(field, inner.Written);
        }
    }

    /// <summary>Reads a limit; null when neither number limits anything.</summary>
    internal static bool TryReadLimit(ReadOnlySpan<byte> bytes, out ConnectionLimit? limit)
    {
        ulong seconds = 0;
        ulong data = 0;
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case DurationField:
                    seconds = reader.ReadUInt64();
                    break;
                case DataField:
                    data = reader.ReadUInt64();
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        // Zero says "no limit". So does more than 2^63 bytes, in effect.
        TimeSpan? duration = seconds == 0 ? null : TimeSpan.FromSeconds((long)Math.Min(seconds, uint.MaxValue));
        long? count = data is 0 or > long.MaxValue ? null : (long)data;
        limit = duration is null && count is null ? null : new ConnectionLimit(duration, count);
        return !reader.Malformed;
    }

    internal static void WriteLimit(ProtobufWriter writer, int field, ConnectionLimit? limit)
    {
        if (limit is null)
        {
            return;
        }

        ProtobufWriter inner = new();
        if (limit.Duration is TimeSpan duration)
        {
            // A part of a second is a second: 0 would say "no limit".
            inner.WriteUInt64(DurationField, (ulong)Math.Clamp(Math.Ceiling(duration.TotalSeconds), 1, uint.MaxValue));
        }

        if (limit.Bytes is long data)
        {
            inner.WriteUInt64(DataField, (ulong)Math.Max(data, 1));
        }

        writer.WriteBytes(field, inner.Written);
    }
}
