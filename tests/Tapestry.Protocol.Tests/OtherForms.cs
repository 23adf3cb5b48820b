using System.Buffers.Binary;

namespace Tapestry.Protocol.Tests;

/// <summary>Every byte string that a tolerant MessagePack reader takes for the same value, made by changing one form at a time.</summary>
/// <remarks>A plain parser of the forms that the canonical writer uses; it shares no code with it.</remarks>
internal static class OtherForms
{
    internal static IEnumerable<byte[]> Of(byte[] canonical)
    {
        int offset = 0;
        while (offset < canonical.Length)
        {
            (int headLength, int bodyLength, byte[][] heads) = Parse(canonical.AsSpan(offset));
            foreach (byte[] head in heads)
            {
                yield return [.. canonical[..offset], .. head, .. canonical[(offset + headLength)..]];
            }

            offset += headLength + bodyLength;
        }

        yield return [.. canonical, 0];
        yield return [.. canonical, 0xc0];
    }

    private static (int HeadLength, int BodyLength, byte[][] OtherHeads) Parse(ReadOnlySpan<byte> bytes)
    {
        byte type = bytes[0];
        return type switch
        {
            <= 0x7f => (1, 0, Integers(type, 1)),
            <= 0x8f => throw new InvalidOperationException("A map."),
            <= 0x9f => (1, 0, [Head16(0xdc, type & 15), Head32(0xdd, type & 15)]),
            <= 0xbf => (1, type & 31, [[0xd9, (byte)(type & 31)], Head16(0xda, type & 31), Head32(0xdb, type & 31), [0xc4, (byte)(type & 31)]]),
            0xc2 => (1, 0, [[0xc0], [0]]),
            0xc3 => (1, 0, [[1]]),
            0xc4 => (2, bytes[1], [Head16(0xc5, bytes[1]), Head32(0xc6, bytes[1]), [0xd9, bytes[1]]]),
            0xc5 => (3, BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]), [Head32(0xc6, BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]))]),
            0xcb => (9, 0, Floats(BinaryPrimitives.ReadDoubleBigEndian(bytes[1..]))),
            0xcc => (2, 0, Integers(bytes[1], 2)),
            0xcd => (3, 0, Integers(BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]), 3)),
            0xce => (5, 0, Integers(BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]), 5)),
            0xcf => (9, 0, Integers((long)BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]), 9)),
            0xd0 => (2, 0, Integers((sbyte)bytes[1], 2)),
            0xd1 => (3, 0, Integers(BinaryPrimitives.ReadInt16BigEndian(bytes[1..]), 3)),
            0xd2 => (5, 0, Integers(BinaryPrimitives.ReadInt32BigEndian(bytes[1..]), 5)),
            0xd3 => (9, 0, Integers(BinaryPrimitives.ReadInt64BigEndian(bytes[1..]), 9)),
            0xd9 => (2, bytes[1], [Head16(0xda, bytes[1]), Head32(0xdb, bytes[1])]),
            0xdc => (3, 0, [Head32(0xdd, BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]))]),
            >= 0xe0 => (1, 0, Integers(unchecked((sbyte)type), 1)),
            _ => throw new InvalidOperationException($"Type byte {type:x2} is not of the canonical subset."),
        };
    }

    private static byte[][] Integers(long value, int length)
    {
        byte[] wide = new byte[9];
        BinaryPrimitives.WriteInt64BigEndian(wide.AsSpan(1), value);
        List<byte[]> forms = [Float(value)];
        if (value is >= byte.MinValue and <= byte.MaxValue)
        {
            forms.Add([0xcc, wide[8]]);
        }

        if (value is >= sbyte.MinValue and <= sbyte.MaxValue)
        {
            forms.Add([0xd0, wide[8]]);
        }

        if (value is >= ushort.MinValue and <= ushort.MaxValue)
        {
            forms.Add([0xcd, .. wide[7..]]);
        }

        if (value is >= short.MinValue and <= short.MaxValue)
        {
            forms.Add([0xd1, .. wide[7..]]);
        }

        if (value is >= uint.MinValue and <= uint.MaxValue)
        {
            forms.Add([0xce, .. wide[5..]]);
        }

        if (value is >= int.MinValue and <= int.MaxValue)
        {
            forms.Add([0xd2, .. wide[5..]]);
        }

        if (value >= 0)
        {
            forms.Add([0xcf, .. wide[1..]]);
        }

        forms.Add([0xd3, .. wide[1..]]);

        // What is as short as the canonical form, and unsigned for what is not negative, is the canonical form.
        return [.. forms.Where(form => form.Length > length || (form.Length == length && IsSigned(form[0]) == value >= 0) || form[0] == 0xcb)];
    }

    private static byte[][] Floats(double value)
    {
        List<byte[]> forms = [];
        if ((float)value == value)
        {
            byte[] single = new byte[5];
            single[0] = 0xca;
            BinaryPrimitives.WriteSingleBigEndian(single.AsSpan(1), (float)value);
            forms.Add(single);
        }

        if (value == 0)
        {
            forms.Add(Float(-0.0));
        }

        if (Math.Floor(value) == value && Math.Abs(value) < 100)
        {
            forms.Add([unchecked((byte)(sbyte)value)]);
        }

        return [.. forms];
    }

    private static bool IsSigned(byte type) => type is >= 0xd0 and <= 0xd3;

    private static byte[] Float(double value)
    {
        byte[] bytes = new byte[9];
        bytes[0] = 0xcb;
        BinaryPrimitives.WriteDoubleBigEndian(bytes.AsSpan(1), value);
        return bytes;
    }

    private static byte[] Head16(byte type, int length) => [type, (byte)(length >> 8), (byte)(length & 255)];

    private static byte[] Head32(byte type, int length) => [type, 0, 0, (byte)(length >> 8), (byte)(length & 255)];
}
