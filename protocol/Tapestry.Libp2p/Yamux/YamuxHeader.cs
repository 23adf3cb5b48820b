using System.Buffers.Binary;

namespace Tapestry.Libp2p.Yamux;

/// <summary>What a yamux frame is for.</summary>
internal enum YamuxFrameType : byte
{
    /// <summary>Bytes of a stream; the only frame with a payload.</summary>
    Data = 0,

    /// <summary>More window for a stream; also carries flags when there are no bytes to send.</summary>
    WindowUpdate = 1,

    /// <summary>A question with SYN, its answer with ACK; the length is the opaque value to echo.</summary>
    Ping = 2,

    /// <summary>No more streams, with the reason in the length.</summary>
    GoAway = 3,
}

/// <summary>What a frame says of its stream, beside its type.</summary>
[Flags]
internal enum YamuxFlags : ushort
{
    None = 0,

    /// <summary>Opens the stream, or asks a ping.</summary>
    Syn = 1,

    /// <summary>Acknowledges the stream, or answers a ping.</summary>
    Ack = 2,

    /// <summary>The sender will send no more data.</summary>
    Fin = 4,

    /// <summary>Both directions end at once.</summary>
    Rst = 8,
}

/// <summary>Why a session is over, as the GoAway frame says it.</summary>
internal enum YamuxGoAway : uint
{
    Normal = 0,
    ProtocolError = 1,
    InternalError = 2,
}

/// <summary>The twelve bytes before every frame: version, type, flags, stream id, length; big endian.</summary>
/// <remarks>Source: the yamux specification, "Framing".</remarks>
internal readonly record struct YamuxHeader(YamuxFrameType Type, YamuxFlags Flags, uint StreamId, uint Length)
{
    /// <summary>How many bytes a header takes.</summary>
    public const int Bytes = 12;

    private const byte Version = 0;
    private const YamuxFlags KnownFlags = YamuxFlags.Syn | YamuxFlags.Ack | YamuxFlags.Fin | YamuxFlags.Rst;

    /// <summary>Reads a header; everything that one header alone can get wrong is found here.</summary>
    /// <param name="source">At least <see cref="Bytes"/> bytes.</param>
    /// <param name="header">The header, also when a fault is returned.</param>
    public static YamuxFault Read(ReadOnlySpan<byte> source, out YamuxHeader header)
    {
        header = new YamuxHeader(
            (YamuxFrameType)source[1],
            (YamuxFlags)BinaryPrimitives.ReadUInt16BigEndian(source[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[8..]));

        return source[0] != Version ? YamuxFault.UnknownVersion : header.Check();
    }

    /// <summary>Writes the header to the first <see cref="Bytes"/> bytes of <paramref name="target"/>.</summary>
    public void Write(Span<byte> target)
    {
        target[0] = Version;
        target[1] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)Flags);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], StreamId);
        BinaryPrimitives.WriteUInt32BigEndian(target[8..], Length);
    }

    /// <summary>Whether the frame has this flag.</summary>
    public bool Has(YamuxFlags flag) => (Flags & flag) != 0;

    private YamuxFault Check()
    {
        if ((Flags & ~KnownFlags) != 0)
        {
            return YamuxFault.UnknownFlags;
        }

        return Type switch
        {
            YamuxFrameType.Data or YamuxFrameType.WindowUpdate =>
                StreamId == 0 ? YamuxFault.WrongStreamId : YamuxFault.None,
            YamuxFrameType.Ping when StreamId != 0 => YamuxFault.WrongStreamId,
            YamuxFrameType.Ping =>
                Flags is YamuxFlags.Syn or YamuxFlags.Ack ? YamuxFault.None : YamuxFault.WrongFlags,
            YamuxFrameType.GoAway when StreamId != 0 => YamuxFault.WrongStreamId,
            YamuxFrameType.GoAway => Flags == YamuxFlags.None ? YamuxFault.None : YamuxFault.WrongFlags,
            _ => YamuxFault.UnknownType,
        };
    }
}
