using System.Buffers;
using System.IO.Pipelines;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

/// <summary>A byte sequence in which every byte's place can be told, so that a byte lost, doubled or moved is found.</summary>
internal static class Numbered
{
    /// <summary>The byte at a place of a sequence.</summary>
    public static byte At(int sequence, long place) => unchecked((byte)((place ^ (place >> 8) ^ (place >> 16)) + sequence));

    /// <summary>Writes the sequence and returns how many bytes were taken before the stream ended, or all.</summary>
    public static async Task WriteAsync(PipeWriter output, int sequence, long bytes, int chunk, CancellationToken late)
    {
        for (long sent = 0; sent < bytes;)
        {
            int length = (int)Math.Min(chunk, bytes - sent);
            Fill(output.GetSpan(length)[..length], sequence, sent);
            output.Advance(length);
            sent += length;
            await output.FlushAsync(late);
        }
    }

    /// <summary>Reads to the end or up to <paramref name="bytesMax"/>, checking each byte.</summary>
    /// <returns>How many bytes came.</returns>
    public static async Task<long> ReadAsync(PipeReader input, int sequence, CancellationToken late, long bytesMax = long.MaxValue)
    {
        long received = 0;
        while (received < bytesMax)
        {
            ReadResult read = await input.ReadAsync(late);
            ReadOnlySequence<byte> taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, bytesMax - received));
            foreach (ReadOnlyMemory<byte> segment in taken)
            {
                Check(segment.Span, sequence, received);
                received += segment.Length;
            }

            input.AdvanceTo(taken.End);
            if (read.IsCompleted && taken.Length == read.Buffer.Length)
            {
                break;
            }
        }

        return received;
    }

    private static void Fill(Span<byte> target, int sequence, long place)
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = At(sequence, place + i);
        }
    }

    private static void Check(ReadOnlySpan<byte> source, int sequence, long place)
    {
        for (int i = 0; i < source.Length; i++)
        {
            if (source[i] != At(sequence, place + i))
            {
                throw new InvalidDataException($"byte {place + i} of sequence {sequence} is {source[i]}, not {At(sequence, place + i)}");
            }
        }
    }
}
