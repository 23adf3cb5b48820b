using System.IO.Pipelines;
using System.Threading.Channels;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Daemon;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>One question of a peer: tells it what there is of the blob, and sends what it asks for, in order.</summary>
/// <param name="stream">The stream, after its question.</param>
/// <param name="shared">The blob.</param>
/// <param name="turns">When chunks may go.</param>
/// <param name="limits">Bounds.</param>
/// <param name="traffic">Where bytes are counted.</param>
internal sealed class UploadSession(Libp2pStream stream, SharedBlob shared, UploadTurns turns, SwarmLimits limits, Traffic traffic)
{
    // What is written of a chunk before we wait for room: a turn of the muxer.
    private const int PieceBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Queue<int> _queue = new();
    private readonly HashSet<int> _wanted = [];
    private readonly List<int> _gained = [];
    private readonly HashSet<int> _pagesAsked = [];
    private bool _isHeadDue = true;
    private BlobExtent? _saidExtent;

    /// <summary>The blob has grown to a part or the whole.</summary>
    public void Extended()
    {
        lock (_gate)
        {
            _isHeadDue = true;
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>There are more chunks.</summary>
    public void Gained(IReadOnlyList<int> chunks)
    {
        lock (_gate)
        {
            _gained.AddRange(chunks);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>There is nothing to send any more.</summary>
    public void Abandon() => stream.Reset();

    /// <summary>Serves until the peer wants no more.</summary>
    /// <returns>What the peer did wrong; then the stream has been reset.</returns>
    public async Task<BlobFault> RunAsync(CancellationToken ended)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(ended);
        Task<BlobFault> writing = WriteAsync(over.Token);
        Task<BlobFault> reading = ReadAsync(over.Token);
        try
        {
            Task<BlobFault> first = await Task.WhenAny(reading, writing);
            BlobFault fault = await first;
            if (first == reading && fault == BlobFault.None)
            {
                await stream.CompleteWriteAsync(ended);
            }
            else
            {
                stream.Reset();
            }

            return fault;
        }
        finally
        {
            await over.CancelAsync();
            await ((Task)Task.WhenAll(reading, writing)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<BlobFault> ReadAsync(CancellationToken over)
    {
        while (true)
        {
            byte[]? frame;
            try
            {
                frame = await LengthPrefix.ReadAsync(stream.Input, BlobRequest.BytesMax, over);
            }
            catch (Libp2pException error) when (error.Fault is Libp2pFault.TooLarge or Libp2pFault.Malformed)
            {
                return BlobFault.Malformed;
            }

            if (frame is null)
            {
                return BlobFault.None;
            }

            traffic.Received(frame.Length);
            BlobFault fault = BlobRequest.TryRead(frame, out BlobRequest request) ? Take(request) : BlobFault.Malformed;
            if (fault != BlobFault.None)
            {
                return fault;
            }

            _wake.Writer.TryWrite(true);
        }
    }

    private BlobFault Take(BlobRequest request)
    {
        IChunkSource? source = shared.Source;
        if (source is null && request.Kind is BlobRequestKind.Hashes or BlobRequestKind.Chunks)
        {
            // It was here when the peer was told so.
            return BlobFault.Refused;
        }

        lock (_gate)
        {
            switch (request.Kind)
            {
                // A page is answered once on a stream: a few bytes of request must not buy thousands of answer again and again.
                case BlobRequestKind.Hashes when IsPage(source!, request.First) && _pagesAsked.Add(request.First):
                    if (!HasRoomFor(1))
                    {
                        return BlobFault.TooManyRequests;
                    }

                    _queue.Enqueue(~(request.First + 1));
                    break;
                case BlobRequestKind.Chunks when request.First + request.Count <= source!.Shape.ChunkCount:
                    if (!HasRoomFor(request.Count))
                    {
                        return BlobFault.TooManyRequests;
                    }

                    for (int chunk = request.First; chunk < request.First + request.Count; chunk++)
                    {
                        if (!source.Has(chunk))
                        {
                            return BlobFault.Malformed;
                        }

                        _wanted.Add(chunk);
                        _queue.Enqueue(chunk);
                    }

                    break;
                case BlobRequestKind.Cancel:
                    _wanted.RemoveWhere(chunk => chunk >= request.First && chunk < request.First + request.Count);
                    break;
                default:
                    return BlobFault.Malformed;
            }

            return BlobFault.None;
        }
    }

    private bool HasRoomFor(int count)
    {
        if (_queue.Count + count > limits.RequestsPerQuestion)
        {
            // What was cancelled does not count.
            int[] wanted = [.. _queue.Where(item => item < 0 || _wanted.Contains(item)).Distinct()];
            _queue.Clear();
            Array.ForEach(wanted, _queue.Enqueue);
        }

        return _queue.Count + count <= limits.RequestsPerQuestion;
    }

    private static bool IsPage(IChunkSource source, int page) => page < source.Shape.PageCount && !source.Hashes(page).IsEmpty;

    private async Task<BlobFault> WriteAsync(CancellationToken over)
    {
        // The caller goes on to read, whatever this does before its first wait.
        await Task.Yield();
        while (true)
        {
            WriteNews();
            if (TryTake(out int item))
            {
                BlobFault fault = item < 0 ? await SendHashesAsync(~item - 1, over) : await SendChunkAsync(item, over);
                if (fault != BlobFault.None)
                {
                    return fault;
                }
            }
            else
            {
                if (stream.Output.UnflushedBytes > 0 && !await TryFlushAsync(over))
                {
                    return BlobFault.Stalled;
                }

                await _wake.Reader.ReadAsync(over);
            }
        }
    }

    /// <summary>What the peer should know before it asks for more: how much there is, and which chunks are new.</summary>
    private void WriteNews()
    {
        bool isHeadDue;
        int[] gained;
        lock (_gate)
        {
            isHeadDue = _isHeadDue;
            _isHeadDue = false;
            gained = [.. _gained];
            _gained.Clear();
        }

        if (isHeadDue && Head() is BlobAnswer.Head head && (_saidExtent is not BlobExtent said || head.Extent > said))
        {
            // It may have grown again between the news and this look: that is said once.
            _saidExtent = head.Extent;
            Write(head);
        }

        if (_saidExtent == BlobExtent.Part)
        {
            foreach (int[] some in gained.Chunk(BlobAnswer.HavesMax))
            {
                Write(new BlobAnswer.Have(some));
            }
        }
    }

    private BlobAnswer.Head Head()
    {
        BlobExtent extent = shared.Extent;
        IChunkSource? source = shared.Source;
        if (extent == BlobExtent.Nothing || source is null)
        {
            return new BlobAnswer.Head(BlobExtent.Nothing, 0, 0, default);
        }

        byte[] held = extent == BlobExtent.Whole ? [] : new byte[(source.Shape.ChunkCount + 7) / 8];
        for (int chunk = 0; extent == BlobExtent.Part && chunk < source.Shape.ChunkCount; chunk++)
        {
            if (source.Has(chunk))
            {
                held[chunk / 8] |= (byte)(1 << (chunk % 8));
            }
        }

        return new BlobAnswer.Head(extent, source.Shape.Length, source.Shape.ChunkBytes, held);
    }

    /// <returns>As for a chunk.</returns>
    private async ValueTask<BlobFault> SendHashesAsync(int page, CancellationToken over)
    {
        if (shared.Source is not IChunkSource source)
        {
            return BlobFault.Refused;
        }

        Digest[] hashes = source.Hashes(page).ToArray();
        await turns.BeginAsync(stream.Remote, hashes.Length * Digest.Length, over);
        try
        {
            Write(new BlobAnswer.Hashes(page, hashes));
            return await TryFlushAsync(over) ? BlobFault.None : BlobFault.Stalled;
        }
        finally
        {
            turns.End(stream.Remote);
        }
    }

    private void Write(BlobAnswer answer)
    {
        byte[] bytes = answer.ToArray();
        LengthPrefix.Write(stream.Output, bytes);
        traffic.Sent(bytes.Length);
    }

    /// <returns>Stalled when the peer takes nothing; Refused, by us, when the blob is gone or damaged.</returns>
    private async ValueTask<BlobFault> SendChunkAsync(int chunk, CancellationToken over)
    {
        if (shared.Source is not IChunkSource source)
        {
            return BlobFault.Refused;
        }

        int length = source.Shape.ChunkLength(chunk);
        await turns.BeginAsync(stream.Remote, length, over);
        try
        {
            lock (_gate)
            {
                if (!_wanted.Remove(chunk))
                {
                    return BlobFault.None;
                }
            }

            if (!source.IsIntact(chunk))
            {
                shared.Lose();
                return BlobFault.Refused;
            }

            WriteChunkHead(stream.Output, chunk, length);
            traffic.SentBlob(length);
            return await SendPiecesAsync(source, chunk, length, over);
        }
        finally
        {
            turns.End(stream.Remote);
        }
    }

    private async ValueTask<BlobFault> SendPiecesAsync(IChunkSource source, int chunk, int length, CancellationToken over)
    {
        for (int start = 0; start < length; start += PieceBytes)
        {
            if (!source.TryCopyTo(chunk, start..Math.Min(start + PieceBytes, length), stream.Output))
            {
                shared.Lose();
                return BlobFault.Refused;
            }

            if (!await TryFlushAsync(over))
            {
                return BlobFault.Stalled;
            }
        }

        return BlobFault.None;
    }

    private static void WriteChunkHead(PipeWriter output, int chunk, int length)
    {
        output.Advance(Varint.Write(output.GetSpan(Varint.MaximumLength), (ulong)(BlobAnswer.ChunkHeadBytes + length)));
        Span<byte> head = output.GetSpan(BlobAnswer.ChunkHeadBytes);
        head[0] = BlobAnswer.ChunkKind;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head[1..], chunk);
        output.Advance(BlobAnswer.ChunkHeadBytes);
    }

    private async ValueTask<bool> TryFlushAsync(CancellationToken over)
    {
        ValueTask<FlushResult> flush = stream.Output.FlushAsync(over);
        if (flush.IsCompletedSuccessfully)
        {
            return !flush.Result.IsCompleted;
        }

        try
        {
            // Twice the asker's patience: it sees every part of a chunk that comes, and we only that the window opens.
            return !(await flush.AsTask().WaitAsync(2 * limits.Patience, over)).IsCompleted;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private bool TryTake(out int item)
    {
        lock (_gate)
        {
            while (_queue.TryDequeue(out item))
            {
                if (item < 0 || _wanted.Contains(item))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
