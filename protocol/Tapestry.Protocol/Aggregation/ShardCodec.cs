using System.Runtime.InteropServices;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Aggregation;

/// <summary>Chunks of shards and aggregates as bytes, and back.</summary>
/// <remarks>
/// specs/30-rounds.md, section 12. A chunk of n values is, in FP32, 4n bytes, little-endian; in MXINT8 the scale bytes of its
/// ceil(n / 32) blocks, then its n element bytes. Every decoded value is an FP32 number, exactly.
/// </remarks>
public static class ShardCodec
{
    /// <summary>Bytes of a chunk, or of a whole shard of whole chunks but for the last.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The codec is none of ours.</exception>
    public static int Bytes(Codec codec, int elements) => codec switch
    {
        Codec.Fp32 => elements * sizeof(float),
        Codec.MxInt8 => MxInt8.Blocks(elements) + elements,
        _ => throw new ArgumentOutOfRangeException(nameof(codec), codec, "No such codec."),
    };

    /// <summary>Encodes one chunk.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="values">At most a chunk of values, or a part of one that starts at a multiple of 32.</param>
    /// <param name="chunk">Exactly <see cref="Bytes"/> long; written in full.</param>
    /// <returns>False when a value is not finite; the chunk then means nothing.</returns>
    public static bool TryEncode(Codec codec, ReadOnlySpan<float> values, Span<byte> chunk)
    {
        RequireLength(codec, values.Length, chunk.Length);
        if (codec == Codec.MxInt8)
        {
            int scales = MxInt8.Blocks(values.Length);
            return MxInt8.TryEncode(values, chunk[..scales], chunk[scales..]);
        }

        MemoryMarshal.AsBytes(values).CopyTo(chunk);
        return Elementwise.AreFinite(values);
    }

    /// <summary>Decodes one chunk and checks it: every value finite, no reserved code.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="chunk">Exactly <see cref="Bytes"/> long.</param>
    /// <param name="values">Written in full.</param>
    /// <returns>False when the chunk breaks the codec's rules; the values then mean nothing.</returns>
    public static bool TryDecode(Codec codec, ReadOnlySpan<byte> chunk, Span<float> values)
    {
        RequireLength(codec, values.Length, chunk.Length);
        if (codec == Codec.MxInt8)
        {
            int scales = MxInt8.Blocks(values.Length);
            return MxInt8.TryDecode(chunk[..scales], chunk[scales..], values);
        }

        chunk.CopyTo(MemoryMarshal.AsBytes(values));
        return Elementwise.AreFinite(values);
    }

    /// <summary>Decodes a part of a chunk.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="chunk">The whole chunk.</param>
    /// <param name="elements">Values of the whole chunk.</param>
    /// <param name="start">The part's first value, a multiple of 32.</param>
    /// <param name="values">Receives the part.</param>
    internal static bool TryDecodePart(Codec codec, ReadOnlySpan<byte> chunk, int elements, int start, Span<float> values)
    {
        RequireLength(codec, elements, chunk.Length);
        if (codec == Codec.MxInt8)
        {
            int scales = MxInt8.Blocks(elements);
            return MxInt8.TryDecode(
                chunk.Slice(start / MxInt8.BlockElements, MxInt8.Blocks(values.Length)), chunk.Slice(scales + start, values.Length), values);
        }

        chunk.Slice(start * sizeof(float), values.Length * sizeof(float)).CopyTo(MemoryMarshal.AsBytes(values));
        return Elementwise.AreFinite(values);
    }

    private static void RequireLength(Codec codec, int elements, int bytes)
    {
        if (bytes != Bytes(codec, elements))
        {
            throw new ArgumentException($"{elements} values in {codec} take {Bytes(codec, elements)} bytes, not {bytes}.");
        }
    }
}
