using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Tapestry.Training.Text;

/// <summary>Finds the first byte of a file that is not UTF-8.</summary>
internal static class Utf8Check
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>The offset of the first sequence that is not well-formed UTF-8, or -1.</summary>
    internal static long FirstInvalid(MappedFile file)
    {
        long offset = 0;
        while (offset < file.Length)
        {
            int length = (int)Math.Min(ChunkBytes, file.Length - offset);
            ReadOnlySpan<byte> chunk = file.Slice(offset, length);
            bool last = offset + length == file.Length;
            int whole = last ? length : length - UnfinishedTail(chunk);
            if (!Utf8.IsValid(chunk[..whole]))
            {
                return offset + FirstInvalid(chunk[..whole]);
            }

            offset += whole;
        }

        return -1;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out int consumed) == OperationStatus.Done)
        {
            at += consumed;
        }

        return at;
    }

    // Bytes at the end that may be the start of a character continued in the next chunk: at most three.
    private static int UnfinishedTail(ReadOnlySpan<byte> bytes)
    {
        for (int back = 1; back <= 3 && back < bytes.Length; back++)
        {
            byte value = bytes[^back];
            if ((value & 0xC0) != 0x80)
            {
                return value >= 0xC0 ? back : 0;
            }
        }

        return 0;
    }
}
