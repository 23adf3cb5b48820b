namespace Tapestry.Node.Swarm;

/// <summary>What a session reads, and what is wrong with it.</summary>
internal sealed partial class BlobFetch
{
    /// <summary>A provider says how much it has.</summary>
    internal BlobFault TakeHead(FetchSession session, BlobAnswer.Head head)
    {
        if (head.Extent != BlobExtent.Nothing && (head.Length != Shape.Length || head.ChunkBytes != Shape.ChunkBytes))
        {
            return BlobFault.WrongLength;
        }

        bool grows = session.Extent is not BlobExtent before || head.Extent > before;
        int heldBytes = head.Extent == BlobExtent.Part ? (Shape.ChunkCount + 7) / 8 : 0;
        if (!grows || head.Held.Length != heldBytes)
        {
            return BlobFault.Malformed;
        }

        lock (_gate)
        {
            session.Extent = head.Extent;
            if (head.Extent == BlobExtent.Whole)
            {
                _schedule!.OfferAll(session.Number);
            }

            for (int chunk = 0; heldBytes > 0 && chunk < Shape.ChunkCount; chunk++)
            {
                if ((head.Held.Span[chunk / 8] & (1 << (chunk % 8))) != 0)
                {
                    _schedule!.Offer(session.Number, chunk);
                }
            }

            Advance();
            return BlobFault.None;
        }
    }

    /// <summary>A provider has more chunks.</summary>
    internal BlobFault TakeHave(FetchSession session, BlobAnswer.Have have)
    {
        // Once in the first bitmap, perhaps, and once as news.
        session.ChunksTold += have.Chunks.Length;
        if (session.Extent != BlobExtent.Part || session.ChunksTold > 2L * Shape.ChunkCount || have.Chunks.Any(chunk => chunk < 0 || chunk >= Shape.ChunkCount))
        {
            return BlobFault.Malformed;
        }

        lock (_gate)
        {
            foreach (int chunk in have.Chunks)
            {
                _schedule!.Offer(session.Number, chunk);
            }

            // Chunks come from others all the time, and each is an occasion to ask; only who has nothing to do is not kept waiting.
            if (_schedule!.IsIdle(session.Number))
            {
                Advance();
            }

            return BlobFault.None;
        }
    }

    /// <summary>Hashes have come.</summary>
    internal BlobFault TakeHashes(FetchSession session, BlobAnswer.Hashes hashes)
    {
        int bytes = hashes.Values.Length * Crypto.Digest.Length;
        Arrival arrival;
        lock (_gate)
        {
            arrival = _schedule!.ArrivePage(session.Number, hashes.Page, bytes, _swarm.Now);
        }

        if (arrival != Arrival.Wanted)
        {
            return arrival == Arrival.Late ? BlobFault.None : BlobFault.Unsolicited;
        }

        if (!_assembly!.TryAcceptHashes(hashes.Page, hashes.Values))
        {
            return BlobFault.WrongHashes;
        }

        lock (_gate)
        {
            _schedule.HoldPage(hashes.Page);
            return BlobFault.None;
        }
    }

    /// <summary>A part of a chunk has come.</summary>
    internal void TakePart(FetchSession session)
    {
        lock (_gate)
        {
            _schedule!.ArrivePart(session.Number, _swarm.Now);
        }
    }

    /// <summary>A chunk has come.</summary>
    internal BlobFault TakeChunk(FetchSession session, int chunk, in System.Buffers.ReadOnlySequence<byte> bytes)
    {
        Arrival arrival;
        lock (_gate)
        {
            arrival = _schedule!.Arrive(session.Number, chunk, (int)bytes.Length, _swarm.Now);
        }

        if (arrival != Arrival.Wanted)
        {
            return arrival == Arrival.Late ? BlobFault.None : BlobFault.Unsolicited;
        }

        if (!_assembly!.TryAccept(chunk, bytes))
        {
            return BlobFault.WrongChunk;
        }

        _shared!.Gain(chunk);
        lock (_gate)
        {
            _schedule.Hold(chunk, session.Number);
            if (_schedule.MissingCount == 0)
            {
                _done.TrySetResult();
            }

            Advance();
            return BlobFault.None;
        }
    }
}
