using System.Buffers;
using System.IO.Pipelines;

namespace Tapestry.Libp2p;

/// <summary>How a connection that we carried for others ended.</summary>
public enum CircuitEnd : byte
{
    /// <summary>Both ends had said all.</summary>
    Closed = 0,

    /// <summary>One of the two connections to us was reset or lost.</summary>
    Broken,

    /// <summary>More bytes one way than the limit allows.</summary>
    ByteLimit,

    /// <summary>Open for longer than the limit allows.</summary>
    TimeLimit,
}

/// <summary>Passes bytes between two streams, both ways, within a limit. What passes is ciphertext between the ends.</summary>
internal static class Circuit
{
    // At most this much is taken out of one stream before it is given to the other, so a slow end holds up its counterpart and not us.
    private const int PieceLength = 64 * 1024;

    /// <summary>Passes bytes until both ends have ended, one breaks, or the limit is reached. Then neither stream is open any more.</summary>
    internal static async Task<CircuitEnd> RunAsync(
        Libp2pStream source, Libp2pStream target, ConnectionLimit? limit, TimeProvider time, CancellationToken ended)
    {
        using Deadline deadline = new(limit?.Duration ?? Timeout.InfiniteTimeSpan, time, ended);
        using CancellationTokenSource cut = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
        CircuitEnd[] ends = await CopyBothAsync(source, target, limit?.Bytes ?? long.MaxValue, cut);
        if (ends is [CircuitEnd.Closed, CircuitEnd.Closed])
        {
            return CircuitEnd.Closed;
        }

        source.Reset();
        target.Reset();
        return ends.Contains(CircuitEnd.ByteLimit) ? CircuitEnd.ByteLimit : deadline.Passed ? CircuitEnd.TimeLimit : CircuitEnd.Broken;
    }

    private static async Task<CircuitEnd[]> CopyBothAsync(Libp2pStream source, Libp2pStream target, long bytesMax, CancellationTokenSource cut)
    {
        Task<CircuitEnd[]> copying = Task.WhenAll(CopyAsync(source, target, bytesMax, cut), CopyAsync(target, source, bytesMax, cut));

        // Reads and writes alone do not tell of a reset: nothing is read of an end while the other one takes nothing, and nothing after its end was said.
        if (await Task.WhenAny(copying, source.Aborted, target.Aborted) != copying)
        {
            await cut.CancelAsync();
        }

        return await copying;
    }

    // A direction that does not end in good order cuts the other one.
    private static async Task<CircuitEnd> CopyAsync(Libp2pStream from, Libp2pStream to, long bytesMax, CancellationTokenSource cut)
    {
        CircuitEnd end = await CopyAsync(from, to, bytesMax, cut.Token);
        if (end != CircuitEnd.Closed)
        {
            await cut.CancelAsync();
        }

        return end;
    }

    private static async Task<CircuitEnd> CopyAsync(Libp2pStream from, Libp2pStream to, long bytesLeft, CancellationToken cut)
    {
        try
        {
            while (true)
            {
                ReadResult read = await from.Input.ReadAsync(cut);
                ReadOnlySequence<byte> piece = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, PieceLength));
                bytesLeft -= piece.Length;
                if (bytesLeft < 0)
                {
                    return CircuitEnd.ByteLimit;
                }

                bool isLast = read.IsCompleted && piece.Length == read.Buffer.Length;
                foreach (ReadOnlyMemory<byte> segment in piece)
                {
                    to.Output.Write(segment.Span);
                }

                from.Input.AdvanceTo(piece.End);
                await to.Output.FlushAsync(cut);
                if (isLast)
                {
                    await to.CompleteWriteAsync(cut);
                    return CircuitEnd.Closed;
                }
            }
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException)
        {
            return CircuitEnd.Broken;
        }
    }
}
