using System.Buffers;
using System.IO.Pipelines;

namespace Tapestry.Libp2p.Wire;

/// <summary>Messages preceded by their length as a varint, as most libp2p protocols send them.</summary>
/// <remarks>
/// Bytes are taken out of the pipe as they come, so that a message may be larger than the window of its stream;
/// a length is compared with its bound before anything is allocated for it, and memory grows with the bytes that arrive,
/// so that announcing a long message costs a peer as much as sending one.
/// </remarks>
public static class LengthPrefix
{
    // Of a long message, what is allocated before its first byte, and what is written at a time.
    internal const int PartLength = 64 * 1024;

    /// <summary>Reads one message.</summary>
    /// <param name="input">Where from; bytes after the message stay in it.</param>
    /// <param name="maximumLength">The most bytes that are accepted, without the prefix.</param>
    /// <param name="cancelled">Ends the wait; the input is then in the middle of a message.</param>
    /// <returns>The message, or null when the input ended before its first byte.</returns>
    /// <exception cref="Libp2pException">Too large, a malformed length, or an end in the middle.</exception>
    public static async ValueTask<byte[]?> ReadAsync(PipeReader input, int maximumLength, CancellationToken cancelled)
    {
        int? length = await ReadLengthAsync(input, maximumLength, cancelled);
        if (length is null)
        {
            return null;
        }

        byte[] message = new byte[Math.Min(length.Value, PartLength)];
        int filled = 0;
        while (true)
        {
            await ReadExactlyAsync(input, message.AsMemory(filled), cancelled);
            filled = message.Length;
            if (filled == length)
            {
                return message;
            }

            Array.Resize(ref message, (int)Math.Min(2L * filled, length.Value));
        }
    }

    /// <summary>Reads the length of the next message; the message itself is then the caller's to read.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public static async ValueTask<int?> ReadLengthAsync(PipeReader input, int maximumLength, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(input);
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancelled);
            ReadOnlySequence<byte> buffer = result.Buffer;
            OperationStatus status = Varint.TryRead(buffer, out ulong length, out int prefix);
            bool isRead = status == OperationStatus.Done && length <= (ulong)maximumLength;
            input.AdvanceTo(isRead ? buffer.GetPosition(prefix) : buffer.Start, isRead ? buffer.GetPosition(prefix) : buffer.End);
            if (isRead)
            {
                return (int)length;
            }

            if (status != OperationStatus.NeedMoreData)
            {
                throw status == OperationStatus.Done
                    ? new Libp2pException(Libp2pFault.TooLarge, $"The remote announced a message of {length} bytes; at most {maximumLength} are read.")
                    : new Libp2pException(Libp2pFault.Malformed, "The remote sent a length that is not a varint of shortest form.");
            }

            if (result.IsCompleted)
            {
                return buffer.IsEmpty ? null : throw EndedInside();
            }
        }
    }

    /// <summary>Fills <paramref name="destination"/>.</summary>
    /// <exception cref="Libp2pException">The input ended before.</exception>
    public static async ValueTask ReadExactlyAsync(PipeReader input, Memory<byte> destination, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(input);
        while (!destination.IsEmpty)
        {
            ReadResult result = await input.ReadAsync(cancelled);
            int taken = (int)Math.Min(result.Buffer.Length, destination.Length);
            ReadOnlySequence<byte> part = result.Buffer.Slice(0, taken);
            part.CopyTo(destination.Span);
            input.AdvanceTo(part.End);
            destination = destination[taken..];
            if (result.IsCompleted && !destination.IsEmpty && taken == result.Buffer.Length)
            {
                throw EndedInside();
            }
        }
    }

    /// <summary>Writes one message whole, without sending: for short ones, so that several leave in one flush.</summary>
    public static void Write(PipeWriter output, ReadOnlySpan<byte> message)
    {
        ArgumentNullException.ThrowIfNull(output);
        output.Advance(Varint.Write(output.GetSpan(Varint.MaximumLength), (ulong)message.Length));
        output.Write(message);
    }

    /// <summary>Writes and sends one message, at the pace of the remote.</summary>
    /// <exception cref="Libp2pException">The stream or its connection has ended.</exception>
    public static async ValueTask WriteAsync(PipeWriter output, ReadOnlyMemory<byte> message, CancellationToken cancelled)
    {
        ReadOnlyMemory<byte> rest = WriteStart(output, message);
        await output.FlushAsync(cancelled);
        await WriteRestAsync(output, rest, cancelled);
    }

    /// <summary>Writes the length and the first part of a message, without sending.</summary>
    /// <returns>What is left for <see cref="WriteRestAsync"/>; nothing, of a short message.</returns>
    internal static ReadOnlyMemory<byte> WriteStart(PipeWriter output, ReadOnlyMemory<byte> message)
    {
        ArgumentNullException.ThrowIfNull(output);
        output.Advance(Varint.Write(output.GetSpan(Varint.MaximumLength), (ulong)message.Length));
        ReadOnlyMemory<byte> part = message[..Math.Min(message.Length, PartLength)];
        output.Write(part.Span);
        return message[part.Length..];
    }

    /// <summary>Writes and sends the rest of a message in parts, so that it does not pile up between us and a slow remote.</summary>
    internal static async ValueTask WriteRestAsync(PipeWriter output, ReadOnlyMemory<byte> rest, CancellationToken cancelled)
    {
        while (!rest.IsEmpty)
        {
            ReadOnlyMemory<byte> part = rest[..Math.Min(rest.Length, PartLength)];
            await output.WriteAsync(part, cancelled);
            rest = rest[part.Length..];
        }
    }

    private static Libp2pException EndedInside() => new(Libp2pFault.ConnectionLost, "The remote ended the stream inside a message.");
}
