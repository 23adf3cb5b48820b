using System.Buffers.Binary;
using Tapestry.Crypto;

namespace Tapestry.Node.Network;

/// <summary>What is asked of a holder of blobs: which one, and from which chunk on.</summary>
/// <param name="Root">The blob's name.</param>
/// <param name="FirstChunk">The first chunk that is wanted, so that another holder can go on where one broke off.</param>
internal readonly record struct BlobQuestion(Digest Root, int FirstChunk)
{
    /// <summary>Bytes of a question.</summary>
    public const int Bytes = Digest.Length + sizeof(int);

    /// <summary>Reads a question.</summary>
    /// <returns>False for another length or a negative chunk.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out BlobQuestion question)
    {
        question = default;
        if (bytes.Length != Bytes)
        {
            return false;
        }

        question = new BlobQuestion(new Digest(bytes[..Digest.Length]), BinaryPrimitives.ReadInt32BigEndian(bytes[Digest.Length..]));
        return question.FirstChunk >= 0;
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[Bytes];
        Root.CopyTo(bytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(Digest.Length), FirstChunk);
        return bytes;
    }
}

/// <summary>The first frame of an answer: the blob's length and the hash of each chunk; their root is the blob's name.</summary>
/// <param name="Length">Bytes of the blob.</param>
/// <param name="LeafHashes">RFC 6962 leaf hashes of its chunks.</param>
internal sealed record BlobHead(long Length, Digest[] LeafHashes)
{
    /// <summary>Bytes of a head of so many chunks.</summary>
    public static int BytesFor(int chunks) => sizeof(long) + (chunks * Digest.Length);

    /// <summary>Reads a head.</summary>
    /// <returns>False when it is not whole hashes after a length.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out BlobHead? head)
    {
        head = null;
        if (bytes.Length < sizeof(long) || (bytes.Length - sizeof(long)) % Digest.Length != 0)
        {
            return false;
        }

        Digest[] hashes = new Digest[(bytes.Length - sizeof(long)) / Digest.Length];
        for (int index = 0; index < hashes.Length; index++)
        {
            hashes[index] = new Digest(bytes.Slice(sizeof(long) + (index * Digest.Length), Digest.Length));
        }

        head = new BlobHead(BinaryPrimitives.ReadInt64BigEndian(bytes), hashes);
        return true;
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[BytesFor(LeafHashes.Length)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Length);
        for (int index = 0; index < LeafHashes.Length; index++)
        {
            LeafHashes[index].CopyTo(bytes.AsSpan(sizeof(long) + (index * Digest.Length)));
        }

        return bytes;
    }
}
