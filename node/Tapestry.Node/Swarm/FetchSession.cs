using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Threading.Channels;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Network;

namespace Tapestry.Node.Swarm;

/// <summary>Our question to one provider: says what the schedule orders, hands on what comes.</summary>
/// <param name="fetch">Whose question.</param>
/// <param name="swarm">The host and the limits.</param>
/// <param name="peer">The provider.</param>
/// <param name="number">Its number in the schedule.</param>
internal sealed class FetchSession(BlobFetch fetch, BlobSwarm swarm, PeerId peer, int number)
{
    // A chunk up to here is checked and written from the stream's own buffers: half of a stream's first window.
    private const int InPlaceBytesMax = 128 * 1024;

    private readonly Channel<BlobRequest> _outbox = Channel.CreateUnbounded<BlobRequest>(new UnboundedChannelOptions { SingleReader = true });
    private BlobFault _endedWith;

    /// <summary>The provider.</summary>
    public PeerId Peer { get; } = peer;

    /// <summary>Its number in the schedule.</summary>
    public int Number { get; } = number;

    /// <summary>How much it says to have; null before it says anything.</summary>
    public BlobExtent? Extent { get; set; }

    /// <summary>How many chunks it has told of, one by one.</summary>
    public long ChunksTold { get; set; }

    // Never disposed: it holds no timer and no registration, and a late end must not throw.
    private CancellationTokenSource Ended { get; } = new();

    /// <summary>Queues a request; the schedule bounds how many there can be.</summary>
    public void Say(BlobRequest request) => _outbox.Writer.TryWrite(request);

    /// <summary>Ends the session, for a reason.</summary>
    public void End(BlobFault fault)
    {
        _endedWith = fault;
        Ended.Cancel();
    }

    /// <summary>Asks and reads until the fetch has ended or the provider is wrong or gone.</summary>
    /// <returns>What the provider did wrong.</returns>
    public async Task<BlobFault> RunAsync(CancellationToken cancelled)
    {
        await Task.Yield();
        if (swarm.Host.FindConnection(Peer) is not PeerConnection connection)
        {
            return BlobFault.Unreachable;
        }

        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancelled, Ended.Token);
        try
        {
            await using Libp2pStream stream = await connection.OpenStreamAsync(
                TapestryProtocols.Blob, output => Write(output, BlobRequest.Ask(fetch.Shape.Root)), over.Token);
            Task writing = WriteAsync(stream.Output, over.Token);
            try
            {
                return await ReadAsync(stream.Input, over.Token);
            }
            finally
            {
                // Disposal resets the stream: what is still on its way is dropped unread.
                await over.CancelAsync();
                await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            return _endedWith;
        }
        catch (Libp2pException error)
        {
            return error.Fault switch
            {
                Libp2pFault.StreamReset => BlobFault.Refused,
                Libp2pFault.TooLarge or Libp2pFault.Malformed => BlobFault.Malformed,
                _ => BlobFault.Disconnected,
            };
        }
    }

    private async Task WriteAsync(PipeWriter output, CancellationToken over)
    {
        while (await _outbox.Reader.WaitToReadAsync(over))
        {
            while (_outbox.Reader.TryRead(out BlobRequest request))
            {
                Write(output, request);
            }

            await output.FlushAsync(over);
        }
    }

    private void Write(PipeWriter output, BlobRequest request)
    {
        Span<byte> bytes = stackalloc byte[BlobRequest.BytesMax];
        bytes = bytes[..request.Write(bytes)];
        LengthPrefix.Write(output, bytes);
        swarm.Traffic.Sent(bytes.Length);
    }

    private async Task<BlobFault> ReadAsync(PipeReader input, CancellationToken over)
    {
        int bytesMax = BlobAnswer.BytesMax(fetch.Shape);
        while (await LengthPrefix.ReadLengthAsync(input, bytesMax, over) is int length)
        {
            if (length == 0)
            {
                return BlobFault.Malformed;
            }

            ReadResult read = await input.ReadAtLeastAsync(Math.Min(length, BlobAnswer.ChunkHeadBytes), over);
            bool isChunk = !read.Buffer.IsEmpty && read.Buffer.FirstSpan[0] == BlobAnswer.ChunkKind;
            input.AdvanceTo(read.Buffer.Start);
            BlobFault fault = isChunk ? await TakeChunkAsync(input, length, over) : await TakeAnswerAsync(input, length, over);
            if (fault != BlobFault.None)
            {
                return fault;
            }
        }

        return BlobFault.Refused;
    }

    private async ValueTask<BlobFault> TakeAnswerAsync(PipeReader input, int length, CancellationToken over)
    {
        byte[] frame = new byte[length];
        await LengthPrefix.ReadExactlyAsync(input, frame, over);
        swarm.Traffic.Received(length);
        return !BlobAnswer.TryRead(frame, out BlobAnswer? answer) ? BlobFault.Malformed : answer switch
        {
            BlobAnswer.Head head => fetch.TakeHead(this, head),
            BlobAnswer.Have have => fetch.TakeHave(this, have),
            BlobAnswer.Hashes hashes => fetch.TakeHashes(this, hashes),
            _ => BlobFault.Malformed,
        };
    }

    private async ValueTask<BlobFault> TakeChunkAsync(PipeReader input, int length, CancellationToken over)
    {
        if (length <= BlobAnswer.ChunkHeadBytes)
        {
            return BlobFault.Malformed;
        }

        if (length > InPlaceBytesMax)
        {
            return await TakeLargeChunkAsync(input, length, over);
        }

        ReadResult read = await input.ReadAtLeastAsync(length, over);
        if (read.Buffer.Length < length)
        {
            input.AdvanceTo(read.Buffer.End);
            return BlobFault.Refused;
        }

        swarm.Traffic.Received(length);
        ReadOnlySequence<byte> frame = read.Buffer.Slice(0, length);
        try
        {
            return Take(frame);
        }
        finally
        {
            input.AdvanceTo(frame.End);
        }
    }

    /// <summary>A chunk that the window of a slow stream would not hold is gathered outside of it.</summary>
    private async ValueTask<BlobFault> TakeLargeChunkAsync(PipeReader input, int length, CancellationToken over)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            for (int filled = 0; filled < length;)
            {
                int part = Math.Min(SwarmLimits.PartBytes, length - filled);
                await LengthPrefix.ReadExactlyAsync(input, buffer.AsMemory(filled, part), over);
                filled += part;
                fetch.TakePart(this);
                swarm.Traffic.Received(part);
            }

            return Take(new ReadOnlySequence<byte>(buffer, 0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private BlobFault Take(in ReadOnlySequence<byte> frame)
    {
        Span<byte> head = stackalloc byte[BlobAnswer.ChunkHeadBytes];
        frame.Slice(0, head.Length).CopyTo(head);
        swarm.Traffic.ReceivedBlob(frame.Length - head.Length);
        return fetch.TakeChunk(this, BinaryPrimitives.ReadInt32BigEndian(head[1..]), frame.Slice(head.Length));
    }
}
