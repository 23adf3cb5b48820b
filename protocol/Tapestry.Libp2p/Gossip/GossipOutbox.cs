using System.Threading.Channels;

namespace Tapestry.Libp2p.Gossip;

/// <summary>What became of an RPC for a peer.</summary>
internal enum OutboxFate : byte
{
    /// <summary>It waits to be sent.</summary>
    Queued,

    /// <summary>There is no room, and it can be done without.</summary>
    Dropped,

    /// <summary>There is no room, and without it the peer's picture of us would be wrong: its stream is to be begun anew. Said once a stream.</summary>
    OutOfStep,

    /// <summary>There is no room because the peer does not read. Said once a stream.</summary>
    NotReading,
}

/// <summary>What waits to be sent to one peer: IDONTWANT, then other control, then messages, each bounded.</summary>
/// <param name="limits">The bounds.</param>
/// <param name="now">The time, which never goes back.</param>
internal sealed class GossipOutbox(GossipLimits limits, Func<TimeSpan> now)
{
    // Several small RPCs share a flush; a large one has its own.
    private const int FlushBytes = 64 * 1024;

    // go-libp2p-pubsub hears no more of one RPC.
    private const int DoNotWantIdsPerRpc = 10;

    private readonly Lock _sync = new();
    private readonly Queue<GossipId> _doNotWant = new();
    private readonly Queue<GossipRpc> _control = new();
    private readonly Queue<GossipRpc> _data = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long _dataBytes;
    private TimeSpan? _flushingSince;
    private bool _isGivenUp;

    /// <summary>Called after messages were sent, when there is room again. Must not block.</summary>
    internal required Action RoomMade { get; init; }

    /// <summary>Called with the bytes that were sent. Must not block.</summary>
    internal required Action<int> Sent { get; init; }

    /// <summary>Whether a message that is added now is kept.</summary>
    internal bool HasRoom
    {
        get
        {
            lock (_sync)
            {
                return IsRoomy(1);
            }
        }
    }

    /// <summary>Adds an RPC: of messages, of IDONTWANT, or of anything else.</summary>
    internal OutboxFate Add(GossipRpc rpc)
    {
        OutboxFate fate;
        lock (_sync)
        {
            fate = _isGivenUp ? OutboxFate.Dropped
                : rpc.DoNotWant.Count > 0 ? AddDoNotWant(rpc.DoNotWant)
                : rpc.IsData ? AddData(rpc)
                : AddControl(rpc);
            _isGivenUp |= fate is OutboxFate.OutOfStep or OutboxFate.NotReading;
        }

        _wake.Writer.TryWrite(true);
        return fate;
    }

    /// <summary>Drops everything: the stream that it was for has ended.</summary>
    internal void Clear()
    {
        lock (_sync)
        {
            _doNotWant.Clear();
            _control.Clear();
            _data.Clear();
            _dataBytes = 0;
            _flushingSince = null;
            _isGivenUp = false;
        }

        RoomMade();
    }

    /// <summary>Sends what is added until the stream ends or <paramref name="cancelled"/>.</summary>
    /// <exception cref="IOException">The stream has ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    internal async Task RunAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        while (true)
        {
            if (!await TrySendAsync(stream, cancelled))
            {
                await _wake.Reader.ReadAsync(cancelled);
            }
        }
    }

    /// <summary>Sends what waits, and that no more comes; what a cancelled <see cref="RunAsync"/> had written goes first.</summary>
    /// <exception cref="IOException">The stream has ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    internal async Task EndAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        do
        {
            await stream.Output.FlushAsync(cancelled);
        }
        while (await TrySendAsync(stream, cancelled));

        await stream.CompleteWriteAsync(cancelled);
    }

    /// <summary>What was taken waits since then for the peer to read, or no longer.</summary>
    internal void Flushing(TimeSpan? since)
    {
        lock (_sync)
        {
            _flushingSince = since;
        }
    }

    /// <summary>Writes and flushes some of what waits; false when nothing does.</summary>
    private async ValueTask<bool> TrySendAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        int written = 0;
        bool madeRoom = false;
        while (written < FlushBytes && TryTake(out GossipRpc? rpc, ref madeRoom))
        {
            written += GossipRpcWriter.Write(stream.Output, rpc!);
        }

        if (written == 0)
        {
            return false;
        }

        Flushing(now());
        await stream.Output.FlushAsync(cancelled);
        Flushing(null);
        Sent(written);
        if (madeRoom)
        {
            RoomMade();
        }

        return true;
    }

    private OutboxFate AddDoNotWant(IReadOnlyList<GossipId> ids)
    {
        foreach (GossipId id in ids)
        {
            if (_doNotWant.Count >= limits.QueueDoNotWantIdsPerPeer)
            {
                return OutboxFate.Dropped;
            }

            _doNotWant.Enqueue(id);
        }

        return OutboxFate.Queued;
    }

    private OutboxFate AddData(GossipRpc rpc)
    {
        if (!IsRoomy(1))
        {
            return OutboxFate.Dropped;
        }

        _data.Enqueue(rpc);
        _dataBytes += LengthOf(rpc);
        return OutboxFate.Queued;
    }

    private OutboxFate AddControl(GossipRpc rpc)
    {
        if (_control.Count >= limits.QueueControlPerPeer)
        {
            return _flushingSince + limits.NotReadingTime <= now() ? OutboxFate.NotReading
                : rpc.IsDispensable ? OutboxFate.Dropped
                : OutboxFate.OutOfStep;
        }

        _control.Enqueue(rpc);
        return OutboxFate.Queued;
    }

    private List<GossipId> TakeDoNotWant()
    {
        List<GossipId> ids = [];
        while (ids.Count < DoNotWantIdsPerRpc && _doNotWant.TryDequeue(out GossipId id))
        {
            ids.Add(id);
        }

        return ids;
    }

    // With this many parts of the bounds free.
    private bool IsRoomy(int parts) =>
        _dataBytes <= limits.QueueBytesPerPeer - (limits.QueueBytesPerPeer / 4 * (parts - 1)) - 1 &&
        _data.Count < limits.QueueMessagesPerPeer - (limits.QueueMessagesPerPeer / 4 * (parts - 1));

    /// <summary>Takes what is to be sent next.</summary>
    internal bool TryTake(out GossipRpc? rpc, ref bool madeRoom)
    {
        lock (_sync)
        {
            if (_doNotWant.Count > 0)
            {
                rpc = new GossipRpc { DoNotWant = TakeDoNotWant() };
                return true;
            }

            if (_control.TryDequeue(out rpc))
            {
                return true;
            }

            if (!_data.TryDequeue(out rpc))
            {
                return false;
            }

            // Whoever waits is woken once a quarter is free, not for every message.
            bool wasRoomy = IsRoomy(2);
            _dataBytes -= LengthOf(rpc);
            madeRoom |= !wasRoomy && IsRoomy(2);
            return true;
        }
    }

    private static int LengthOf(GossipRpc rpc)
    {
        int length = 0;
        foreach (SignedMessage message in rpc.Messages)
        {
            length += message.Encoded.Length;
        }

        return length;
    }
}
