using Tapestry.Libp2p;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>One blob on its way here: the schedule decides, a session with each provider does, and what is verified is shared at once.</summary>
/// <remarks>Sessions come on many threads; the schedule and who is who are under one lock, hashing and writing are not.</remarks>
internal sealed partial class BlobFetch
{
    // How often silence is looked for, and news of chunks told: sooner would cost more messages than it saves time.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.05);

    private readonly Lock _gate = new();
    private readonly BlobSwarm _swarm;
    private readonly long _round;
    private readonly TaskCompletionSource<BlobFetchEnd> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<PeerId, Provider> _providers = [];
    private readonly Dictionary<int, FetchSession> _sessions = [];
    private readonly List<Task> _running = [];
    private BlobAssembly? _assembly;
    private BlobSchedule? _schedule;
    private SharedBlob? _shared;
    private PeerId? _liar;
    private Exception? _failure;
    private TimeSpan _hopeAt;
    private int _sessionNumber;

    public BlobFetch(BlobSwarm swarm, BlobShape shape, long round)
    {
        _swarm = swarm;
        Shape = shape;
        _round = round;
    }

    /// <summary>The blob.</summary>
    public BlobShape Shape { get; }

    /// <summary>How many calls wait for it; the owner of all fetches counts.</summary>
    public int Callers { get; set; }

    /// <summary>Nobody wanted it any more, for a moment at least: who comes now begins anew. The owner of all fetches says so.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>How it ended.</summary>
    public Task<BlobFetchEnd> Completion => _completion.Task;

    // Never disposed: it holds no timer and no registration, and a late Cancel must not throw.
    private CancellationTokenSource Cancelled { get; } = new();

    private SwarmLimits Limits => _swarm.Options.Limits;

    /// <summary>Nobody waits for it any more.</summary>
    public void Cancel() => Cancelled.Cancel();

    /// <summary>Tells those who wait how it ended.</summary>
    public void Complete(Task running)
    {
        if (_failure is not null)
        {
            _completion.TrySetException(_failure);
        }
        else if (running.IsFaulted)
        {
            _completion.TrySetException(running.Exception!.InnerExceptions);
        }
        else
        {
            _completion.TrySetResult(new BlobFetchEnd(running.IsCompletedSuccessfully && _swarm.Blobs.Contains(Shape.Root), _liar));
        }

        // A fault that nobody waits for any more is nobody's.
        _ = _completion.Task.Exception;
    }

    /// <summary>Fetches until it is held, nobody wants it, or nobody has it.</summary>
    public async Task RunAsync()
    {
        if (Shape.ChunkCount < 1)
        {
            return;
        }

        _shared = _swarm.Share(Shape.Root);
        if (_shared.Extent == BlobExtent.Whole && !_swarm.Blobs.Contains(Shape.Root))
        {
            // What was there turned out to be damaged: whoever counted on it starts anew.
            _shared.Lose();
            _swarm.Release(_shared);
            _shared = _swarm.Share(Shape.Root);
        }

        try
        {
            await RunSharedAsync(_shared);
        }
        finally
        {
            _swarm.Release(_shared);
        }
    }

    private async Task RunSharedAsync(SharedBlob shared)
    {
        BlobAssembly assembly = _assembly = _swarm.Blobs.Assemble(Shape, _round);
        if (!shared.TryBecome(assembly, BlobExtent.Part))
        {
            // It has been written here meanwhile.
            assembly.Dispose();
            return;
        }

        _schedule = NewSchedule(assembly);
        bool isHeld = false;
        try
        {
            await FetchAllAsync();
            await EndSessionsAsync();
            if (assembly.MissingCount == 0)
            {
                assembly.Commit();
                shared.Complete();
                isHeld = true;
            }
        }
        finally
        {
            await EndSessionsAsync();
            if (!isHeld)
            {
                shared.Lose();
            }

            // Uploads may still read from it; the last user of what is shared closes it.
            assembly.End();
        }
    }

    private BlobSchedule NewSchedule(BlobAssembly assembly)
    {
        // Another order for each of those who fetch the same blob.
        int seed = HashCode.Combine(_swarm.Host.PeerId, Shape.Root);
        BlobSchedule schedule = new(Shape, seed, Limits, _swarm.Downloads.NewShare());
        for (int page = HashPages.Top; page < Shape.PageCount; page++)
        {
            if (assembly.HasPage(page))
            {
                schedule.HoldPage(page);
            }
        }

        for (int chunk = 0; chunk < Shape.ChunkCount; chunk++)
        {
            if (assembly.Has(chunk))
            {
                schedule.Hold(chunk);
            }
        }

        if (schedule.MissingCount == 0)
        {
            _done.TrySetResult();
        }

        return schedule;
    }

    private async Task FetchAllAsync()
    {
        _hopeAt = _swarm.Now;
        while (!_done.Task.IsCompleted && _failure is null && !Cancelled.IsCancellationRequested)
        {
            _shared!.TellGained();
            lock (_gate)
            {
                if (!TickOnce(_swarm.Now))
                {
                    return;
                }
            }

            await Task.WhenAny(_done.Task, Task.Delay(Tick, _swarm.Options.Time, Cancelled.Token));
        }

        Cancelled.Token.ThrowIfCancellationRequested();
    }
}
