using Tapestry.Libp2p;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>One blob on its way here: the schedule decides, a session with each provider does, and what is verified is shared at once.</summary>
/// <remarks>Sessions come on many threads; the schedule and who is who are under one lock, hashing and writing are not.</remarks>
internal sealed class BlobFetch
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

    /// <summary>Adds those who may be asked.</summary>
    public void Add(IEnumerable<PeerId> providers)
    {
        lock (_gate)
        {
            foreach (PeerId peer in providers)
            {
                if (_providers.Count < Limits.ProvidersPerBlob && peer != _swarm.Host.PeerId)
                {
                    _providers.TryAdd(peer, new Provider());
                }
            }
        }
    }

    /// <summary>A peer has served what is not a blob, this one or another, and is asked for nothing more.</summary>
    public void Drop(PeerId liar)
    {
        lock (_gate)
        {
            _providers.GetValueOrDefault(liar)?.Session?.End(BlobFault.None);
        }
    }

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

    /// <returns>False when nothing can be hoped for.</returns>
    private bool TickOnce(TimeSpan now)
    {
        foreach (int stalled in _schedule!.Stalled(now))
        {
            _sessions.GetValueOrDefault(stalled)?.End(BlobFault.Stalled);
        }

        foreach ((PeerId peer, Provider provider) in _providers)
        {
            if (provider.Session is null && now >= provider.NextAt && !_swarm.IsLiar(peer))
            {
                Begin(peer, provider);
            }
            else if (provider.Session is { Extent: null } session && now - provider.BeganAt > Limits.Patience)
            {
                session.End(BlobFault.Stalled);
            }
        }

        Advance();
        bool isAnyoneLeft = _providers.Values.Any(
            provider => provider.Session is FetchSession session ? session.Extent != BlobExtent.Nothing : provider.MayComeBack);
        if (_schedule.IsAnythingToCome)
        {
            _hopeAt = now;
        }

        return isAnyoneLeft && now - _hopeAt <= Limits.Patience;
    }

    private void Begin(PeerId peer, Provider provider)
    {
        FetchSession session = new(this, _swarm, peer, _sessionNumber++);
        provider.Session = session;
        provider.BeganAt = _swarm.Now;
        _sessions.Add(session.Number, session);
        _schedule!.Join(session.Number);
        _running.Add(RunSessionAsync(session, provider));
    }

    private async Task RunSessionAsync(FetchSession session, Provider provider)
    {
        BlobFault fault;
        try
        {
            fault = await session.RunAsync(Cancelled.Token);
        }
#pragma warning disable CA1031 // A full disk, or a mistake of ours: it ends the fetch and is thrown to those who wait for it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = failure;
            fault = BlobFault.None;
        }

        lock (_gate)
        {
            bool isLie = fault is BlobFault.WrongLength or BlobFault.WrongHashes or BlobFault.WrongChunk;
            _liar = isLie ? session.Peer : _liar;
            _sessions.Remove(session.Number);
            _schedule!.Leave(session.Number);
            provider.Lost(fault, _swarm.Now, Limits);
            Advance();
        }

        if (fault != BlobFault.None)
        {
            _swarm.Report(session.Peer, fault);
        }
    }

    private Task EndSessionsAsync()
    {
        lock (_gate)
        {
            // A copy: a session may end, and leave the table, before its cancellation returns.
            foreach (FetchSession session in _sessions.Values.ToArray())
            {
                session.End(BlobFault.None);
            }

            return Task.WhenAll(_running);
        }
    }

    private void Advance()
    {
        foreach (SwarmOrder order in _schedule!.Advance(_swarm.Now))
        {
            if (_sessions.TryGetValue(order.Provider, out FetchSession? session))
            {
                session.Say(BlobRequest.From(order));
            }
        }
    }

    /// <summary>Somebody who may be asked, connected or not.</summary>
    private sealed class Provider
    {
        private TimeSpan _pause;

        public FetchSession? Session { get; set; }

        public TimeSpan BeganAt { get; set; }

        public TimeSpan NextAt { get; private set; }

        /// <summary>It had something when its connection ended, and has not been heard since.</summary>
        public bool MayComeBack { get; private set; }

        public void Lost(BlobFault fault, TimeSpan now, SwarmLimits limits)
        {
            bool hadSome = Session!.Extent is BlobExtent.Part or BlobExtent.Whole;
            MayComeBack = (fault == BlobFault.Disconnected && hadSome) || (fault == BlobFault.Unreachable && MayComeBack);
            Session = null;
            _pause = _pause == TimeSpan.Zero ? limits.RetryPause : 2 * _pause > limits.Patience ? limits.Patience : 2 * _pause;
            NextAt = now + _pause;
        }
    }
}
