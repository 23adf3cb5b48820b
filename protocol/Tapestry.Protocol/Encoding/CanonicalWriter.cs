using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Tapestry.Crypto;

namespace Tapestry.Protocol.Encoding;

/// <summary>Writes the canonical subset of MessagePack: the only bytes that we sign, hash or send for a value.</summary>
/// <param name="output">Takes the bytes; owned by the caller.</param>
/// <remarks>specs/10-wire.md, section 1. What this writes, <see cref="CanonicalReader"/> reads, and nothing else of the same meaning.</remarks>
public readonly struct CanonicalWriter(IBufferWriter<byte> output)
{
    // A type byte and at most eight bytes of value.
    private const int LongestHead = 9;

    /// <summary>Opens an array: the next <paramref name="count"/> values are its elements.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public void WriteArray(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count <= Format.FixArrayMaximum)
        {
            WriteByte((byte)(Format.FixArray | count));
        }
        else if (count <= ushort.MaxValue)
        {
            WriteHead(Format.Array16, (ushort)count);
        }
        else
        {
            WriteHead(Format.Array32, (uint)count);
        }
    }

    /// <summary>Writes an integer in its shortest form.</summary>
    public void WriteInteger(long value)
    {
        if (value >= 0)
        {
            WriteNonNegative((ulong)value);
        }
        else
        {
            WriteNegative(value);
        }
    }

    /// <summary>Writes false or true.</summary>
    public void WriteBoolean(bool value) => WriteByte(value ? Format.True : Format.False);

    /// <summary>Writes a float64.</summary>
    /// <exception cref="ArgumentException"><paramref name="value"/> is not finite, or is -0, which has no canonical form.</exception>
    public void WriteDouble(double value)
    {
        if (!Format.IsCanonical(value))
        {
            throw new ArgumentException($"Only finite numbers other than -0 can be encoded, not {value:R}.", nameof(value));
        }

        Span<byte> span = output.GetSpan(LongestHead);
        span[0] = Format.Float64;
        BinaryPrimitives.WriteDoubleBigEndian(span[1..], value);
        output.Advance(LongestHead);
    }

    /// <summary>Writes bytes.</summary>
    public void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= byte.MaxValue)
        {
            WriteHead(Format.Bin8, (byte)bytes.Length);
        }
        else if (bytes.Length <= ushort.MaxValue)
        {
            WriteHead(Format.Bin16, (ushort)bytes.Length);
        }
        else
        {
            WriteHead(Format.Bin32, (uint)bytes.Length);
        }

        output.Write(bytes);
    }

    /// <summary>Writes text as UTF-8.</summary>
    /// <exception cref="EncoderFallbackException"><paramref name="text"/> holds a lone surrogate.</exception>
    public void WriteString(string text)
    {
        byte[] utf8 = Format.Utf8.GetBytes(text);
        if (utf8.Length <= Format.FixStringMaximum)
        {
            WriteByte((byte)(Format.FixString | utf8.Length));
        }
        else if (utf8.Length <= byte.MaxValue)
        {
            WriteHead(Format.String8, (byte)utf8.Length);
        }
        else if (utf8.Length <= ushort.MaxValue)
        {
            WriteHead(Format.String16, (ushort)utf8.Length);
        }
        else
        {
            WriteHead(Format.String32, (uint)utf8.Length);
        }

        output.Write(utf8);
    }

    /// <summary>Writes a digest as 32 bytes.</summary>
    public void WriteDigest(Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        digest.CopyTo(bytes);
        WriteBinary(bytes);
    }

    /// <summary>Writes a public key as 32 bytes.</summary>
    public void WriteKey(PublicKey key)
    {
        Span<byte> bytes = stackalloc byte[PublicKey.Length];
        key.CopyTo(bytes);
        WriteBinary(bytes);
    }

    /// <summary>Writes a member id: its key.</summary>
    public void WriteMember(MemberId member) => WriteKey(member.Key);

    /// <summary>Writes a signature as 64 bytes.</summary>
    public void WriteSignature(Signature signature)
    {
        Span<byte> bytes = stackalloc byte[Signature.Length];
        signature.CopyTo(bytes);
        WriteBinary(bytes);
    }

    /// <summary>Writes an array of digests.</summary>
    public void WriteDigests(Sequence<Digest> digests)
    {
        WriteArray(digests.Count);
        foreach (Digest digest in digests.AsSpan())
        {
            WriteDigest(digest);
        }
    }

    private void WriteNonNegative(ulong value)
    {
        if (value <= Format.PositiveFixIntMaximum)
        {
            WriteByte((byte)value);
        }
        else if (value <= byte.MaxValue)
        {
            WriteHead(Format.UInt8, (byte)value);
        }
        else if (value <= ushort.MaxValue)
        {
            WriteHead(Format.UInt16, (ushort)value);
        }
        else if (value <= uint.MaxValue)
        {
            WriteHead(Format.UInt32, (uint)value);
        }
        else
        {
            WriteHead(Format.UInt64, value);
        }
    }

    private void WriteNegative(long value)
    {
        // Two's complement, cut to the width of the form.
        if (value >= Format.NegativeFixIntMinimum)
        {
            WriteByte(unchecked((byte)value));
        }
        else if (value >= sbyte.MinValue)
        {
            WriteHead(Format.Int8, unchecked((byte)value));
        }
        else if (value >= short.MinValue)
        {
            WriteHead(Format.Int16, unchecked((ushort)value));
        }
        else if (value >= int.MinValue)
        {
            WriteHead(Format.Int32, unchecked((uint)value));
        }
        else
        {
            WriteHead(Format.Int64, unchecked((ulong)value));
        }
    }

    private void WriteByte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    private void WriteHead(byte type, byte value)
    {
        Span<byte> span = output.GetSpan(LongestHead);
        span[0] = type;
        span[1] = value;
        output.Advance(1 + sizeof(byte));
    }

    private void WriteHead(byte type, ushort value)
    {
        Span<byte> span = output.GetSpan(LongestHead);
        span[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], value);
        output.Advance(1 + sizeof(ushort));
    }

    private void WriteHead(byte type, uint value)
    {
        Span<byte> span = output.GetSpan(LongestHead);
        span[0] = type;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], value);
        output.Advance(1 + sizeof(uint));
    }

    private void WriteHead(byte type, ulong value)
    {
        Span<byte> span = output.GetSpan(LongestHead);
        span[0] = type;
        BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
        output.Advance(1 + sizeof(ulong));
    }
}
