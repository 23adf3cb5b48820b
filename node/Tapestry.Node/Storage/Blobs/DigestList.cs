using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Digests one after the other, 32 bytes each, as they stand in files and frames.</summary>
internal static class DigestList
{
    /// <summary>Reads whole digests.</summary>
    /// <exception cref="ArgumentException">A digest is cut off.</exception>
    public static Digest[] Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % Digest.Length != 0)
        {
            throw new ArgumentException($"{bytes.Length} bytes are no list of digests.", nameof(bytes));
        }

        Digest[] digests = new Digest[bytes.Length / Digest.Length];
        for (int index = 0; index < digests.Length; index++)
        {
            digests[index] = new Digest(bytes.Slice(index * Digest.Length, Digest.Length));
        }

        return digests;
    }

    /// <summary>The bytes of digests.</summary>
    public static byte[] ToArray(ReadOnlySpan<Digest> digests)
    {
        byte[] bytes = new byte[digests.Length * Digest.Length];
        for (int index = 0; index < digests.Length; index++)
        {
            digests[index].CopyTo(bytes.AsSpan(index * Digest.Length));
        }

        return bytes;
    }
}
