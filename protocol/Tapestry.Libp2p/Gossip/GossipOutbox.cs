using System.Threading.Channels;

namespace Tapestry.Libp2p.Gossip;

/// <summary>What waits to be sent to one peer: control before messages, both bounded.</summary>
internal sealed class GossipOutbox(GossipLimits limits)
{
    // Several small RPCs share a flush; a large one has its own.
    private const int FlushBytes = 64 * 1024;

    private readonly Lock _sync = new();
    private readonly Queue<GossipRpc> _control = new();
    private readonly Queue<GossipRpc> _data = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long _dataBytes;

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

    /// <summary>Adds an RPC.</summary>
    /// <returns>False when it was dropped: there is no room.</returns>
    internal bool TryAdd(GossipRpc rpc)
    {
        lock (_sync)
        {
            if (!rpc.IsData)
            {
                if (_control.Count >= limits.QueueControlPerPeer)
                {
                    return false;
                }

                _control.Enqueue(rpc);
            }
            else if (IsRoomy(1))
            {
                _data.Enqueue(rpc);
                _dataBytes += LengthOf(rpc);
            }
            else
            {
                return false;
            }
        }

        return _wake.Writer.TryWrite(true);
    }

    /// <summary>Drops everything: the stream that it was for has ended.</summary>
    internal void Clear()
    {
        lock (_sync)
        {
            _control.Clear();
            _data.Clear();
            _dataBytes = 0;
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
            int written = 0;
            bool madeRoom = false;
            while (written < FlushBytes && TryTake(out GossipRpc? rpc, ref madeRoom))
            {
                written += GossipRpcWriter.Write(stream.Output, rpc!);
            }

            if (written == 0)
            {
                await _wake.Reader.ReadAsync(cancelled);
                continue;
            }

            await stream.Output.FlushAsync(cancelled);
            Sent(written);
            if (madeRoom)
            {
                RoomMade();
            }
        }
    }

    // With this many parts of the bounds free.
    private bool IsRoomy(int parts) =>
        _dataBytes <= limits.QueueBytesPerPeer - (limits.QueueBytesPerPeer / 4 * (parts - 1)) - 1 &&
        _data.Count < limits.QueueMessagesPerPeer - (limits.QueueMessagesPerPeer / 4 * (parts - 1));

    private bool TryTake(out GossipRpc? rpc, ref bool madeRoom)
    {
        lock (_sync)
        {
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
