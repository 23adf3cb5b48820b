using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>A frame of whoever asks: which blob, once and first; then hashes and chunks, and what is not wanted any more.</summary>
/// <param name="Kind">What it asks.</param>
/// <param name="Root">The blob, of a question; else zero.</param>
/// <param name="First">The first chunk, or the page of hashes, -1 for the list of page roots.</param>
/// <param name="Count">Chunks from there on, at least 1; 1 for a page.</param>
/// <remarks>specs/50-network.md, section 11.3.</remarks>
internal readonly record struct BlobRequest(BlobRequestKind Kind, Digest Root, int First, int Count)
{
    /// <summary>Bytes of the longest request.</summary>
    public const int BytesMax = 1 + Digest.Length;

    private const int PageBytes = 1 + sizeof(int);
    private const int RangeBytes = 1 + (2 * sizeof(int));

    /// <summary>The question for a blob.</summary>
    public static BlobRequest Ask(Digest root) => new(BlobRequestKind.Ask, root, 0, 1);

    /// <summary>What a schedule's order says.</summary>
    public static BlobRequest From(SwarmOrder order) => new((BlobRequestKind)order.Kind, default, order.First, order.Count);

    /// <summary>Reads a request.</summary>
    /// <returns>False for another length, an unknown kind, and numbers that no blob has.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out BlobRequest request)
    {
        request = default;
        BlobRequestKind kind = bytes.IsEmpty ? default : (BlobRequestKind)bytes[0];
        switch (kind)
        {
            case BlobRequestKind.Ask when bytes.Length == BytesMax:
                request = Ask(new Digest(bytes[1..]));
                return true;
            case BlobRequestKind.Hashes when bytes.Length == PageBytes:
                request = new BlobRequest(kind, default, BinaryPrimitives.ReadInt32BigEndian(bytes[1..]), 1);
                return request.First is >= HashPages.Top and < BlobTrailer.ChunksMax;
            case BlobRequestKind.Chunks or BlobRequestKind.Cancel when bytes.Length == RangeBytes:
                request = new BlobRequest(
                    kind, default, BinaryPrimitives.ReadInt32BigEndian(bytes[1..]), BinaryPrimitives.ReadInt32BigEndian(bytes[(1 + sizeof(int))..]));
                return request.First >= 0 && request.Count >= 1 && (long)request.First + request.Count <= BlobTrailer.ChunksMax;
            default:
                return false;
        }
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[BytesMax];
        return bytes[..Write(bytes)];
    }

    /// <summary>Writes the bytes on the wire.</summary>
    /// <param name="destination">At least <see cref="BytesMax"/> bytes.</param>
    /// <returns>How many were written.</returns>
    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)Kind;
        switch (Kind)
        {
            case BlobRequestKind.Ask:
                Root.CopyTo(destination[1..]);
                return BytesMax;
            case BlobRequestKind.Hashes:
                BinaryPrimitives.WriteInt32BigEndian(destination[1..], First);
                return PageBytes;
            default:
                BinaryPrimitives.WriteInt32BigEndian(destination[1..], First);
                BinaryPrimitives.WriteInt32BigEndian(destination[(1 + sizeof(int))..], Count);
                return RangeBytes;
        }
    }
}

/// <summary>The kinds of <see cref="BlobRequest"/>, as on the wire; the others are <see cref="SwarmOrderKind"/>'s.</summary>
internal enum BlobRequestKind : byte
{
    /// <summary>A page of hashes.</summary>
    Hashes = SwarmOrderKind.Hashes,

    /// <summary>A range of chunks.</summary>
    Chunks = SwarmOrderKind.Chunks,

    /// <summary>A range of chunks that were asked for is not wanted any more.</summary>
    Cancel = SwarmOrderKind.Cancel,

    /// <summary>Which blob this stream is about.</summary>
    Ask = 4,
}
