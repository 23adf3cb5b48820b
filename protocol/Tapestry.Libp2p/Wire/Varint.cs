using System.Buffers;

namespace Tapestry.Libp2p.Wire;

/// <summary>Unsigned varints of the multiformats: little-endian groups of seven bits, shortest form only, at most nine bytes.</summary>
/// <remarks>multiformats/unsigned-varint. Protocol Buffers use the same groups but allow longer forms; see <see cref="ProtobufReader"/>.</remarks>
public static class Varint
{
    /// <summary>The most bytes that a varint may take: values below 2^63.</summary>
    public const int MaximumLength = 9;

    /// <summary>The bytes that <paramref name="value"/> takes.</summary>
    public static int LengthOf(ulong value)
    {
        int length = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            length++;
        }

        return length;
    }

    /// <summary>Writes <paramref name="value"/> and returns how many bytes that took.</summary>
    /// <exception cref="IndexOutOfRangeException"><paramref name="destination"/> is too short.</exception>
    public static int Write(Span<byte> destination, ulong value)
    {
        int length = 0;
        while (value >= 0x80)
        {
            destination[length++] = (byte)((value & 0x7F) | 0x80);
            value >>= 7;
        }

        destination[length++] = (byte)value;
        return length;
    }

    /// <summary>Reads one varint from the start of <paramref name="source"/>.</summary>
    /// <returns><see cref="OperationStatus.NeedMoreData"/> when it goes on past the end; <see cref="OperationStatus.InvalidData"/> when it is too long or not the shortest form.</returns>
    public static OperationStatus TryRead(ReadOnlySpan<byte> source, out ulong value, out int length)
    {
        value = 0;
        length = 0;
        for (int index = 0; index < source.Length; index++)
        {
            byte group = source[index];
            value |= (ulong)(group & 0x7F) << (7 * index);
            if (group < 0x80)
            {
                length = index + 1;
                bool shortest = group != 0 || index == 0;
                return shortest ? OperationStatus.Done : OperationStatus.InvalidData;
            }

            if (index + 1 == MaximumLength)
            {
                return OperationStatus.InvalidData;
            }
        }

        return OperationStatus.NeedMoreData;
    }

    /// <summary>Reads one varint from the start of <paramref name="source"/>, which may lie in several segments.</summary>
    /// <inheritdoc cref="TryRead(ReadOnlySpan{byte}, out ulong, out int)"/>
    public static OperationStatus TryRead(in ReadOnlySequence<byte> source, out ulong value, out int length)
    {
        if (source.IsSingleSegment)
        {
            return TryRead(source.FirstSpan, out value, out length);
        }

        Span<byte> start = stackalloc byte[MaximumLength];
        int count = (int)Math.Min(source.Length, MaximumLength);
        source.Slice(0, count).CopyTo(start);
        return TryRead(start[..count], out value, out length);
    }
}
