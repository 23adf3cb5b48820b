using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Tapestry.Protocol.Tests;

/// <summary>Canonical bytes as a tree that a foreign library can be asked about; a parser that shares no code with ours.</summary>
/// <remarks>The form is described in tests/foreign/js/msgpack.mjs.</remarks>
internal static class MessagePackTree
{
    internal static JsonNode Of(ReadOnlySpan<byte> bytes)
    {
        JsonNode tree = Read(ref bytes);
        return bytes.IsEmpty ? tree : throw new InvalidOperationException("Bytes are left over.");
    }

    internal static JsonObject Integer(long value) => new() { ["i"] = value.ToString(CultureInfo.InvariantCulture) };

    internal static JsonObject Float(double value) => new() { ["f"] = value.ToString("R", CultureInfo.InvariantCulture) };

    internal static JsonObject Text(string value) => new() { ["s"] = value };

    internal static JsonObject Binary(ReadOnlySpan<byte> value) => new() { ["h"] = Convert.ToHexStringLower(value) };

    internal static JsonObject Boolean(bool value) => new() { ["b"] = value };

    private static JsonNode Read(ref ReadOnlySpan<byte> bytes)
    {
        byte type = Take(ref bytes, 1)[0];
        return type switch
        {
            <= 0x7f => Integer(type),
            <= 0x9f and >= 0x90 => Array(ref bytes, type & 15),
            <= 0xbf and >= 0xa0 => Text(Utf8(Take(ref bytes, type & 31))),
            0xc2 or 0xc3 => Boolean(type == 0xc3),
            0xc4 => Binary(Take(ref bytes, (int)Number(ref bytes, 1))),
            0xc5 => Binary(Take(ref bytes, (int)Number(ref bytes, 2))),
            0xcb => Float(BinaryPrimitives.ReadDoubleBigEndian(Take(ref bytes, 8))),
            >= 0xcc and <= 0xcf => Integer((long)Number(ref bytes, 1 << (type - 0xcc))),
            0xd0 => Integer(unchecked((sbyte)Number(ref bytes, 1))),
            0xd1 => Integer(unchecked((short)Number(ref bytes, 2))),
            0xd2 => Integer(unchecked((int)Number(ref bytes, 4))),
            0xd3 => Integer(unchecked((long)Number(ref bytes, 8))),
            0xd9 => Text(Utf8(Take(ref bytes, (int)Number(ref bytes, 1)))),
            0xdc => Array(ref bytes, (int)Number(ref bytes, 2)),
            >= 0xe0 => Integer(unchecked((sbyte)type)),
            _ => throw new InvalidOperationException($"Type byte {type:x2} is not expected."),
        };
    }

    private static JsonArray Array(ref ReadOnlySpan<byte> bytes, int count)
    {
        JsonArray array = [];
        for (int index = 0; index < count; index++)
        {
            array.Add(Read(ref bytes));
        }

        return array;
    }

    private static ulong Number(ref ReadOnlySpan<byte> bytes, int length)
    {
        ulong number = 0;
        foreach (byte value in Take(ref bytes, length))
        {
            number = (number << 8) | value;
        }

        return number;
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> bytes, int count)
    {
        ReadOnlySpan<byte> taken = bytes[..count];
        bytes = bytes[count..];
        return taken;
    }

    private static string Utf8(ReadOnlySpan<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes);
}
