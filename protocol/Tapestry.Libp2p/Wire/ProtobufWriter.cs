using System.Buffers;

namespace Tapestry.Libp2p.Wire;

/// <summary>Writes the fields of one Protocol Buffers message; callers write them in ascending order, which makes the bytes deterministic.</summary>
public sealed class ProtobufWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>The message so far; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>Writes a varint field.</summary>
    public void WriteUInt64(int field, ulong value)
    {
        WriteVarint((ulong)field << 3);
        WriteVarint(value);
    }

    /// <summary>Writes a length-delimited field.</summary>
    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        WriteVarint(((ulong)field << 3) | 2);
        WriteVarint((ulong)value.Length);
        _buffer.Write(value);
    }

    /// <summary>Writes a UTF-8 text field.</summary>
    public void WriteText(int field, string value) => WriteBytes(field, System.Text.Encoding.UTF8.GetBytes(value));

    /// <summary>The message, in a new array.</summary>
    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    private void WriteVarint(ulong value)
    {
        int length = Varint.Write(_buffer.GetSpan(10), value);
        _buffer.Advance(length);
    }
}
