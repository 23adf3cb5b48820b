using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>A frame of whoever is asked, but for chunks, which are never an object: a closed choice.</summary>
/// <remarks>specs/50-network.md, section 11.3. A chunk's frame is <see cref="ChunkKind"/>, its number in four bytes, and its bytes.</remarks>
internal abstract record BlobAnswer
{
    /// <summary>The first byte of a chunk's frame.</summary>
    public const byte ChunkKind = 20;

    /// <summary>Bytes before a chunk's own.</summary>
    public const int ChunkHeadBytes = 1 + sizeof(int);

    /// <summary>The most chunks in one <see cref="Have"/>.</summary>
    public const int HavesMax = 1024;

    private const byte HeadKind = 17;
    private const byte HaveKind = 18;
    private const byte HashesKind = 19;
    private const int HeadBytes = 2 + sizeof(long) + sizeof(int);

    private BlobAnswer()
    {
    }

    /// <summary>How much of the blob the answerer has, and how it is cut there. Said again when the extent has grown.</summary>
    /// <param name="Extent">Nothing, a part or all.</param>
    /// <param name="Length">Bytes of the blob; 0 with nothing.</param>
    /// <param name="ChunkBytes">Bytes of a chunk; 0 with nothing.</param>
    /// <param name="Held">Of a part: bit i of byte i / 8, the lowest first, for chunk i; else empty.</param>
    public sealed record Head(BlobExtent Extent, long Length, int ChunkBytes, ReadOnlyMemory<byte> Held) : BlobAnswer;

    /// <summary>Chunks that the answerer has gained, 1 to 1024.</summary>
    public sealed record Have(int[] Chunks) : BlobAnswer;

    /// <summary>A page of leaf hashes, or the list of page roots.</summary>
    public sealed record Hashes(int Page, Digest[] Values) : BlobAnswer;

    /// <summary>The longest frame of an answerer, of a blob that is cut in this way.</summary>
    public static int BytesMax(BlobShape shape) => Math.Max(
        Math.Max(HeadBytes + ((shape.ChunkCount + 7) / 8), ChunkHeadBytes + (HavesMax * sizeof(int))),
        ChunkHeadBytes + Math.Max(shape.ChunkBytes, Math.Max(shape.PageCount, Math.Min(shape.ChunkCount, HashPages.LeavesPerPage)) * Digest.Length));

    /// <summary>Reads a frame that is no chunk.</summary>
    /// <param name="span">The frame.</param>
    /// <param name="answer">What it says; whether that fits the blob is for the reader to check.</param>
    /// <returns>False when it is none.</returns>
    public static bool TryRead(ReadOnlySpan<byte> span, out BlobAnswer? answer)
    {
        answer = span.IsEmpty ? null : span[0] switch
        {
            HeadKind when span.Length >= HeadBytes && span[1] <= (byte)BlobExtent.Whole => new Head(
                (BlobExtent)span[1], BinaryPrimitives.ReadInt64BigEndian(span[2..]), BinaryPrimitives.ReadInt32BigEndian(span[(2 + sizeof(long))..]),
                span[HeadBytes..].ToArray()),
            HaveKind when (span.Length - 1) % sizeof(int) == 0 && (span.Length - 1) / sizeof(int) is >= 1 and <= HavesMax => new Have(ReadChunks(span[1..])),
            HashesKind when span.Length > ChunkHeadBytes && (span.Length - ChunkHeadBytes) % Digest.Length == 0
                && span.Length <= ChunkHeadBytes + (HashPages.LeavesPerPage * Digest.Length) => new Hashes(
                    BinaryPrimitives.ReadInt32BigEndian(span[1..]), DigestList.Read(span[ChunkHeadBytes..])),
            _ => null,
        };
        return answer is not null;
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] ToArray()
    {
        switch (this)
        {
            case Head head:
                byte[] bytes = new byte[HeadBytes + head.Held.Length];
                bytes[0] = HeadKind;
                bytes[1] = (byte)head.Extent;
                BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(2), head.Length);
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(2 + sizeof(long)), head.ChunkBytes);
                head.Held.CopyTo(bytes.AsMemory(HeadBytes));
                return bytes;
            case Have have:
                bytes = new byte[1 + (have.Chunks.Length * sizeof(int))];
                bytes[0] = HaveKind;
                for (int index = 0; index < have.Chunks.Length; index++)
                {
                    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1 + (index * sizeof(int))), have.Chunks[index]);
                }

                return bytes;
            case Hashes hashes:
                byte[] page = new byte[sizeof(int)];
                BinaryPrimitives.WriteInt32BigEndian(page, hashes.Page);
                return [HashesKind, .. page, .. DigestList.ToArray(hashes.Values)];
            default:
                throw new InvalidOperationException($"{GetType().Name} is no answer.");
        }
    }

    private static int[] ReadChunks(ReadOnlySpan<byte> bytes)
    {
        int[] chunks = new int[bytes.Length / sizeof(int)];
        for (int index = 0; index < chunks.Length; index++)
        {
            chunks[index] = BinaryPrimitives.ReadInt32BigEndian(bytes[(index * sizeof(int))..]);
        }

        return chunks;
    }
}

/// <summary>How much of a blob somebody has; it only grows.</summary>
internal enum BlobExtent : byte
{
    /// <summary>Nothing, and nothing is being fetched.</summary>
    Nothing = 0,

    /// <summary>A part; the rest is being fetched.</summary>
    Part = 1,

    /// <summary>All of it.</summary>
    Whole = 2,
}
