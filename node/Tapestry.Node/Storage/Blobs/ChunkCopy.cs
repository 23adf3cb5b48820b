using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>Moves a range of a file into a pipe's own memory.</summary>
internal static class ChunkCopy
{
    /// <summary>Writes a range of a file to a pipe, without flushing.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where the range begins.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="output">Where to.</param>
    /// <returns>False when the file ends before.</returns>
    public static bool TryCopy(SafeFileHandle file, long offset, int length, PipeWriter output)
    {
        while (length > 0)
        {
            Span<byte> room = output.GetSpan();
            room = room[..Math.Min(room.Length, length)];
            int read = RandomAccess.Read(file, room, offset);
            if (read == 0)
            {
                return false;
            }

            output.Advance(read);
            offset += read;
            length -= read;
        }

        return true;
    }
}
