using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Unicode;
using Tapestry.Crypto;

namespace Tapestry.Protocol.Encoding;

/// <summary>Reads one element of a sequence.</summary>
/// <typeparam name="T">The element.</typeparam>
public delegate bool ItemReader<T>(ref CanonicalReader reader, [MaybeNullWhen(false)] out T item);

/// <summary>Reads the canonical subset of MessagePack from hostile bytes.</summary>
/// <param name="bytes">The bytes; they must outlive the reader.</param>
/// <remarks>
/// specs/10-wire.md, section 1. Every method returns false on anything but the one canonical form within the caller's bounds;
/// after a false the position means nothing and the value must be given up. Nothing is allocated before its length is checked
/// against both the bound and the bytes that are left. Typed reads do not recurse, so depth is bounded by the caller's code.
/// </remarks>
public ref struct CanonicalReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Whether every byte has been read; whoever reads a whole value must check it.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Opens an array of exactly <paramref name="count"/> elements.</summary>
    public bool TryReadArray(int count) => TryReadArray(count, count, out _);

    /// <summary>Opens an array whose count lies in a range and in the bytes that are left.</summary>
    public bool TryReadArray(int minimum, int maximum, out int count)
    {
        count = 0;
        if (!TryReadByte(out byte type))
        {
            return false;
        }

        uint length;
        switch (type)
        {
            case >= Format.FixArray and <= Format.FixArray + Format.FixArrayMaximum:
                length = (uint)(type - Format.FixArray);
                break;
            case Format.Array16 when TryReadUInt16(out ushort value) && value > Format.FixArrayMaximum:
                length = value;
                break;
            case Format.Array32 when TryReadUInt32(out uint value) && value > ushort.MaxValue:
                length = value;
                break;
            default:
                return false;
        }

        // Every element takes at least a byte.
        return length <= _rest.Length && IsWithin(length, minimum, maximum, out count);
    }

    /// <summary>Reads an integer of a range.</summary>
    public bool TryReadInteger(long minimum, long maximum, out long value) =>
        TryReadAnyInteger(out value) && value >= minimum && value <= maximum;

    /// <summary>Reads an integer of a range of 32 bits.</summary>
    public bool TryReadInteger(int minimum, int maximum, out int value)
    {
        bool read = TryReadInteger((long)minimum, maximum, out long wide);
        value = read ? (int)wide : 0;
        return read;
    }

    /// <summary>Reads false or true.</summary>
    public bool TryReadBoolean(out bool value)
    {
        bool read = TryReadByte(out byte type);
        value = type == Format.True;
        return read && type is Format.False or Format.True;
    }

    /// <summary>Reads a finite float64 that is not -0.</summary>
    public bool TryReadDouble(out double value)
    {
        value = 0;
        if (!TryReadByte(out byte type) || type != Format.Float64 || !TryReadUInt64(out ulong bits))
        {
            return false;
        }

        value = BitConverter.UInt64BitsToDouble(bits);
        return Format.IsCanonical(value);
    }

    /// <summary>Reads bytes whose count lies in a range. The span lies in the input: nothing is copied.</summary>
    public bool TryReadBinary(int minimum, int maximum, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!TryReadByte(out byte type))
        {
            return false;
        }

        uint length;
        switch (type)
        {
            case Format.Bin8 when TryReadByte(out byte value):
                length = value;
                break;
            case Format.Bin16 when TryReadUInt16(out ushort value) && value > byte.MaxValue:
                length = value;
                break;
            case Format.Bin32 when TryReadUInt32(out uint value) && value > ushort.MaxValue:
                length = value;
                break;
            default:
                return false;
        }

        return IsWithin(length, minimum, maximum, out int count) && TryTake(count, out bytes);
    }

    /// <summary>Reads text whose UTF-8 bytes lie in a range of counts.</summary>
    public bool TryReadString(int minimumBytes, int maximumBytes, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!TryReadByte(out byte type))
        {
            return false;
        }

        uint length;
        switch (type)
        {
            case >= Format.FixString and <= Format.FixString + Format.FixStringMaximum:
                length = (uint)(type - Format.FixString);
                break;
            case Format.String8 when TryReadByte(out byte value) && value > Format.FixStringMaximum:
                length = value;
                break;
            case Format.String16 when TryReadUInt16(out ushort value) && value > byte.MaxValue:
                length = value;
                break;
            case Format.String32 when TryReadUInt32(out uint value) && value > ushort.MaxValue:
                length = value;
                break;
            default:
                return false;
        }

        if (!IsWithin(length, minimumBytes, maximumBytes, out int count) || !TryTake(count, out ReadOnlySpan<byte> utf8)
            || !Utf8.IsValid(utf8))
        {
            return false;
        }

        text = Format.Utf8.GetString(utf8);
        return true;
    }

    /// <summary>Reads exactly this text: the name that opens an encoding.</summary>
    public bool TryReadLiteral(string text) =>
        TryReadString(1, byte.MaxValue, out string? read) && string.Equals(read, text, StringComparison.Ordinal);

    /// <summary>Reads 32 bytes as a digest.</summary>
    public bool TryReadDigest(out Digest digest)
    {
        bool read = TryReadBinary(Digest.Length, Digest.Length, out ReadOnlySpan<byte> bytes);
        digest = read ? new Digest(bytes) : default;
        return read;
    }

    /// <summary>Reads 32 bytes as a public key.</summary>
    public bool TryReadKey(out PublicKey key)
    {
        bool read = TryReadDigest(out Digest bytes);
        key = read ? new PublicKey(bytes.ToArray()) : default;
        return read;
    }

    /// <summary>Reads a member id: its key.</summary>
    public bool TryReadMember(out MemberId member)
    {
        bool read = TryReadKey(out PublicKey key);
        member = new MemberId(key);
        return read;
    }

    /// <summary>Reads 64 bytes as a signature.</summary>
    public bool TryReadSignature(out Signature signature)
    {
        bool read = TryReadBinary(Signature.Length, Signature.Length, out ReadOnlySpan<byte> bytes);
        signature = read ? new Signature(bytes) : default;
        return read;
    }

    /// <summary>Reads an array whose count lies in a range; allocated only after both the bound and the bytes left allow it.</summary>
    public bool TryReadSequence<T>(int minimum, int maximum, ItemReader<T> readItem, [NotNullWhen(true)] out Sequence<T>? items)
    {
        items = null;
        if (!TryReadArray(minimum, maximum, out int count))
        {
            return false;
        }

        T[] array = new T[count];
        for (int index = 0; index < count; index++)
        {
            if (!readItem(ref this, out T? item))
            {
                return false;
            }

            array[index] = item;
        }

        items = new Sequence<T>(array);
        return true;
    }

    /// <summary>Reads an array of digests whose count lies in a range.</summary>
    public bool TryReadDigests(int minimum, int maximum, [NotNullWhen(true)] out Sequence<Digest>? digests) =>
        TryReadSequence(minimum, maximum, static (ref CanonicalReader reader, out Digest item) => reader.TryReadDigest(out item), out digests);

    /// <summary>Passes over values of any type, each in its canonical form.</summary>
    /// <param name="count">How many values.</param>
    /// <param name="depth">How many arrays may lie in each other.</param>
    public bool TrySkip(int count, int depth = 8)
    {
        for (int index = 0; index < count; index++)
        {
            if (!TrySkipOne(depth))
            {
                return false;
            }
        }

        return true;
    }

    private bool TrySkipOne(int depth)
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        return _rest[0] switch
        {
            (>= Format.FixArray and <= Format.FixArray + Format.FixArrayMaximum) or Format.Array16 or Format.Array32 =>
                depth > 0 && TryReadArray(0, int.MaxValue, out int count) && TrySkip(count, depth - 1),
            (>= Format.FixString and <= Format.FixString + Format.FixStringMaximum) or Format.String8 or Format.String16 or Format.String32 =>
                TryReadString(0, int.MaxValue, out _),
            Format.Bin8 or Format.Bin16 or Format.Bin32 => TryReadBinary(0, int.MaxValue, out _),
            Format.False or Format.True => TryReadBoolean(out _),
            Format.Float64 => TryReadDouble(out _),
            _ => TryReadAnyInteger(out _),
        };
    }

    private static bool IsWithin(uint length, int minimum, int maximum, out int count)
    {
        bool within = length >= minimum && length <= maximum;
        count = within ? (int)length : 0;
        return within;
    }

    private bool TryReadAnyInteger(out long value)
    {
        value = 0;
        if (!TryReadByte(out byte type))
        {
            return false;
        }

        // Each longer form is refused where a shorter one would do.
        switch (type)
        {
            case <= Format.PositiveFixIntMaximum:
                value = type;
                return true;
            case >= unchecked((byte)Format.NegativeFixIntMinimum):
                value = unchecked((sbyte)type);
                return true;
            case Format.UInt8 when TryReadByte(out byte read):
                value = read;
                return value > Format.PositiveFixIntMaximum;
            case Format.UInt16 when TryReadUInt16(out ushort read):
                value = read;
                return value > byte.MaxValue;
            case Format.UInt32 when TryReadUInt32(out uint read):
                value = read;
                return value > ushort.MaxValue;
            case Format.UInt64 when TryReadUInt64(out ulong read) && read <= long.MaxValue:
                value = (long)read;
                return value > uint.MaxValue;
            case Format.Int8 when TryReadByte(out byte read):
                value = unchecked((sbyte)read);
                return value < Format.NegativeFixIntMinimum;
            case Format.Int16 when TryReadUInt16(out ushort read):
                value = unchecked((short)read);
                return value < sbyte.MinValue;
            case Format.Int32 when TryReadUInt32(out uint read):
                value = unchecked((int)read);
                return value < short.MinValue;
            case Format.Int64 when TryReadUInt64(out ulong read):
                value = unchecked((long)read);
                return value < int.MinValue;
            default:
                return false;
        }
    }

    private bool TryTake(int count, out ReadOnlySpan<byte> bytes)
    {
        if (count > _rest.Length)
        {
            bytes = default;
            return false;
        }

        bytes = _rest[..count];
        _rest = _rest[count..];
        return true;
    }

    private bool TryReadByte(out byte value)
    {
        bool read = TryTake(sizeof(byte), out ReadOnlySpan<byte> bytes);
        value = read ? bytes[0] : (byte)0;
        return read;
    }

    private bool TryReadUInt16(out ushort value)
    {
        bool read = TryTake(sizeof(ushort), out ReadOnlySpan<byte> bytes);
        value = read ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;
        return read;
    }

    private bool TryReadUInt32(out uint value)
    {
        bool read = TryTake(sizeof(uint), out ReadOnlySpan<byte> bytes);
        value = read ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
        return read;
    }

    private bool TryReadUInt64(out ulong value)
    {
        bool read = TryTake(sizeof(ulong), out ReadOnlySpan<byte> bytes);
        value = read ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;
        return read;
    }
}
