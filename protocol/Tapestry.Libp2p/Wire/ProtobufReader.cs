namespace Tapestry.Libp2p.Wire;

/// <summary>Reads the fields of one Protocol Buffers message in the order of the wire, without copying or allocating.</summary>
/// <remarks>
/// protobuf.dev/programming-guides/encoding. Call <see cref="TryReadTag"/> until it answers false, and after each tag either the
/// reader for its type or <see cref="SkipValue"/>. Any error sets <see cref="Malformed"/> and ends the message. Groups are refused.
/// </remarks>
public ref struct ProtobufReader
{
    private const int VarintType = 0;
    private const int Fixed64Type = 1;
    private const int BytesType = 2;
    private const int Fixed32Type = 5;
    private const int MaximumVarintLength = 10;

    private ReadOnlySpan<byte> _rest;
    private int _wireType;

    /// <summary>Reads <paramref name="message"/>, which must outlive the reader and the spans that it returns.</summary>
    public ProtobufReader(ReadOnlySpan<byte> message) => _rest = message;

    /// <summary>The number of the field whose tag was read last.</summary>
    public int Field { get; private set; }

    /// <summary>Whether the bytes are not a message; everything read so far must then be discarded.</summary>
    public bool Malformed { get; private set; }

    /// <summary>How many bytes are left to be read.</summary>
    public readonly int RestLength => _rest.Length;

    /// <summary>Moves to the next field.</summary>
    /// <returns>False at the end, and from the first error on.</returns>
    public bool TryReadTag()
    {
        if (_rest.IsEmpty || Malformed)
        {
            return false;
        }

        ulong tag = ReadVarint();
        Field = (int)Math.Min(tag >> 3, int.MaxValue);
        _wireType = (int)(tag & 7);
        Malformed |= Field is 0 or > 0x1FFF_FFFF;
        return !Malformed;
    }

    /// <summary>The value of a varint field (integers, booleans, enumerations).</summary>
    public ulong ReadUInt64()
    {
        Malformed |= _wireType != VarintType;
        return Malformed ? 0 : ReadVarint();
    }

    /// <summary>The value of a length-delimited field of at most <paramref name="maximumLength"/> bytes; longer ones are malformed.</summary>
    public ReadOnlySpan<byte> ReadBytes(int maximumLength)
    {
        Malformed |= _wireType != BytesType;
        ulong length = Malformed ? 0 : ReadVarint();
        Malformed |= length > (ulong)maximumLength;
        return Malformed ? default : Take(length);
    }

    /// <summary>Passes over the value of a field that the reader does not know.</summary>
    public void SkipValue()
    {
        switch (_wireType)
        {
            case VarintType:
                ReadVarint();
                break;
            case Fixed64Type:
                Take(sizeof(ulong));
                break;
            case BytesType:
                Take(ReadVarint());
                break;
            case Fixed32Type:
                Take(sizeof(uint));
                break;
            default:
                Malformed = true;
                break;
        }
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (Malformed || length > (ulong)_rest.Length)
        {
            Malformed = true;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    // Protocol Buffers allow forms that are not the shortest, up to ten bytes.
    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int index = 0; index < _rest.Length && index < MaximumVarintLength; index++)
        {
            byte group = _rest[index];
            value |= (ulong)(group & 0x7F) << (7 * index);
            if (group < 0x80)
            {
                _rest = _rest[(index + 1)..];
                return value;
            }
        }

        Malformed = true;
        return 0;
    }
}
