using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Moves a chunk from a file into a pipe's own memory.</summary>
internal static class ChunkCopy
{
    /// <summary>Writes a range of a file to a pipe, without flushing.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where the chunk begins.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="output">Where to.</param>
    /// <param name="expected">Its leaf hash, to be checked on the way; null when it has been.</param>
    /// <returns>False when the file ends before, or the hash is another.</returns>
    public static bool TryCopy(SafeFileHandle file, long offset, int length, PipeWriter output, Digest? expected)
    {
        using Sha256? hash = expected is null ? null : MerkleTree.StartLeaf();
        while (length > 0)
        {
            Span<byte> room = output.GetSpan();
            room = room[..Math.Min(room.Length, length)];
            int read = RandomAccess.Read(file, room, offset);
            if (read == 0)
            {
                return false;
            }

            hash?.Append(room[..read]);
            output.Advance(read);
            offset += read;
            length -= read;
        }

        return hash is null || hash.FinishAndReset() == expected;
    }
}
