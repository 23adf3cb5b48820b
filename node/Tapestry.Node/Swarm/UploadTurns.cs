using Tapestry.Libp2p;

namespace Tapestry.Node.Swarm;

/// <summary>Whose chunk is sent next: peers take turns, one chunk each, however many streams each has; within the upload limit.</summary>
/// <remarks>A peer that takes its time holds up only itself: its next turn comes when its last chunk has left.</remarks>
/// <param name="uploads">The upload limit.</param>
/// <param name="time">The clock.</param>
internal sealed class UploadTurns(TokenBucket uploads, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerId, PeerLine> _peers = [];
    private readonly Queue<PeerLine> _ready = new();
    private readonly long _start = time.GetTimestamp();
    private bool _isWaiting;

    /// <summary>Waits for a turn to send so many bytes; <see cref="End"/> must follow.</summary>
    public async ValueTask BeginAsync(PeerId peer, int bytes, CancellationToken cancelled)
    {
        Turn turn = new(bytes);
        lock (_gate)
        {
            if (!_peers.TryGetValue(peer, out PeerLine? line))
            {
                _peers.Add(peer, line = new PeerLine());
            }

            line.Waiting.Enqueue(turn);
            MakeReady(line);
            Grant();
        }

        try
        {
            await turn.Granted.Task.WaitAsync(cancelled);
        }
        catch (OperationCanceledException)
        {
            // If it is granted all the same, the grant gives itself back.
            if (!turn.Granted.TrySetCanceled(CancellationToken.None))
            {
                End(peer);
            }

            throw;
        }
    }

    /// <summary>The turn of a peer is over.</summary>
    public void End(PeerId peer)
    {
        lock (_gate)
        {
            PeerLine line = _peers[peer];
            line.IsBusy = false;
            MakeReady(line);
            if (!line.IsBusy && line.Waiting.Count == 0)
            {
                _peers.Remove(peer);
            }

            Grant();
        }
    }

    private void MakeReady(PeerLine line)
    {
        while (line.Waiting.TryPeek(out Turn? turn) && turn.Granted.Task.IsCompleted)
        {
            line.Waiting.Dequeue();
        }

        if (!line.IsBusy && !line.IsReady && line.Waiting.Count > 0)
        {
            line.IsReady = true;
            _ready.Enqueue(line);
        }
    }

    private void Grant()
    {
        while (!_isWaiting && _ready.TryPeek(out PeerLine? line))
        {
            if (!line.Waiting.TryPeek(out Turn? turn))
            {
                _ready.Dequeue();
                line.IsReady = false;
                continue;
            }

            TimeSpan wait = turn.Granted.Task.IsCompleted ? TimeSpan.Zero : uploads.Wait(turn.Bytes, time.GetElapsedTime(_start));
            if (wait > TimeSpan.Zero)
            {
                _isWaiting = true;
                _ = GrantLaterAsync(wait);
                return;
            }

            line.Waiting.Dequeue();
            if (turn.Granted.TrySetResult())
            {
                _ready.Dequeue();
                line.IsReady = false;
                line.IsBusy = true;
            }
        }
    }

    private async Task GrantLaterAsync(TimeSpan wait)
    {
        await Task.Delay(wait, time);
        lock (_gate)
        {
            _isWaiting = false;
            Grant();
        }
    }

    private sealed class PeerLine
    {
        public Queue<Turn> Waiting { get; } = new();

        public bool IsReady { get; set; }

        public bool IsBusy { get; set; }
    }

    private sealed class Turn(int bytes)
    {
        public int Bytes { get; } = bytes;

        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
