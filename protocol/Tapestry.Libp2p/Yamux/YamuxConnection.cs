using System.IO.Pipelines;
using System.Threading.Channels;

namespace Tapestry.Libp2p.Yamux;

/// <summary>Many streams over one channel, by yamux: <c>/yamux/1.0.0</c>.</summary>
/// <remarks>
/// Two tasks move bytes: one reads the channel and never waits for an application, one writes to it and gives the streams
/// turns. The rules are in <see cref="YamuxSession"/>, called under one lock that is never held across bytes or a wait.
/// </remarks>
public sealed partial class YamuxConnection : MuxedConnection
{
    /// <summary>The name by which yamux is negotiated.</summary>
    public const string ProtocolId = "/yamux/1.0.0";

    private readonly IDuplexPipe _channel;
    private readonly YamuxLimits _limits;
    private readonly TimeProvider _time;
    private readonly long _startTicks;
    private readonly YamuxSession _session;
    private readonly Lock _sync = new();
    private readonly SemaphoreSlim _openPermits;
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _dropped;
    private readonly Channel<YamuxStream> _accepted =
        Channel.CreateUnbounded<YamuxStream>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Dictionary<uint, TaskCompletionSource<TimeSpan?>> _pings = [];
    private long _unsent;
    private bool _writerIsIdle;
    private volatile int _silentTicks;
    private volatile bool _isEnding;
    private Libp2pException? _reason;

    private YamuxConnection(IDuplexPipe channel, PeerId remote, bool isDialler, YamuxLimits limits, TimeProvider time, WindowBudget windows)
        : base(remote)
    {
        _channel = channel;
        _limits = limits;
        _time = time;
        _startTicks = time.GetTimestamp();
        _session = new YamuxSession(isDialler, limits, windows);
        _openPermits = new SemaphoreSlim(Math.Min(YamuxLimits.OpenedUnheardMax, limits.UnacknowledgedMax));
        _dropped = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        Completion = RunAsync();
    }

    /// <inheritdoc/>
    public override Task<Libp2pFault> Completion { get; }

    /// <summary>What ended the session, in the words of yamux; None while it lives and after an orderly end.</summary>
    public YamuxFault Fault { get; private set; }

    /// <summary>The last measured round trip, which includes what waits in between; null before the first.</summary>
    public TimeSpan? RoundTrip
    {
        get
        {
            lock (_sync)
            {
                return _session.RoundTrip;
            }
        }
    }

    /// <inheritdoc/>
    public override bool IsLeaving
    {
        get
        {
            lock (_sync)
            {
                return _session.RemoteIsLeaving || _session.WeAreLeaving;
            }
        }
    }

    /// <inheritdoc/>
    public override int StreamCount
    {
        get
        {
            lock (_sync)
            {
                return _session.StreamCount;
            }
        }
    }

    /// <inheritdoc/>
    public override long StreamsOpened
    {
        get
        {
            lock (_sync)
            {
                return _session.StreamsOpened;
            }
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_startTicks);

    /// <summary>Starts a session on a channel that both sides have agreed to use for yamux.</summary>
    /// <param name="channel">The secure channel; owned from now on, completed at the end, and disposed if it can be.</param>
    /// <param name="remote">The peer that the channel has proved.</param>
    /// <param name="isDialler">True on the side that dialled: it opens odd streams.</param>
    /// <param name="limits">What the session may hold.</param>
    /// <param name="time">Measures round trips and the time for a goodbye.</param>
    public static YamuxConnection Start(
        IDuplexPipe channel, PeerId remote, bool isDialler, YamuxLimits limits, TimeProvider time) =>
        Start(channel, remote, isDialler, limits, time, new WindowBudget(long.MaxValue));

    /// <summary>The same, with windows that count in the budget of a host.</summary>
    internal static YamuxConnection Start(
        IDuplexPipe channel, PeerId remote, bool isDialler, YamuxLimits limits, TimeProvider time, WindowBudget windows)
    {
        ArgumentNullException.ThrowIfNull(channel);
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(time);
        return new YamuxConnection(channel, remote, isDialler, limits, time, windows);
    }

    /// <inheritdoc/>
    public override async ValueTask<Libp2pStream> OpenStreamAsync(CancellationToken cancelled)
    {
        await WaitForPermitAsync(cancelled);
        lock (_sync)
        {
            if (!_isEnding && _session.Open() is YamuxStreamState state)
            {
                // The writer is not woken: the SYN goes out with the first use of the stream.
                return state.Stream = new YamuxStream(this, state);
            }
        }

        _openPermits.Release();
        throw _reason ?? (_session.RemoteIsLeaving
            ? new Libp2pException(Libp2pFault.ConnectionLost, $"{Remote} is leaving and takes no more streams; dial it again.")
            : _session.WeAreLeaving
            ? new Libp2pException(Libp2pFault.ClosedLocally, $"The connection to {Remote} is being closed and takes no more streams.")
            : new Libp2pException(Libp2pFault.ResourceLimit, $"{StreamCount} streams to {Remote} are open, or the windows of all streams are used up; close some."));
    }

    /// <inheritdoc/>
    public override async ValueTask<Libp2pStream?> AcceptStreamAsync(CancellationToken cancelled)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancelled))
        {
            if (_accepted.Reader.TryRead(out YamuxStream? stream))
            {
                lock (_sync)
                {
                    _session.Accepted();
                }

                return stream;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public override async ValueTask<TimeSpan> PingAsync(CancellationToken cancelled)
    {
        TaskCompletionSource<TimeSpan?> waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_sync)
        {
            if (_isEnding)
            {
                throw Lost();
            }

            _pings.Add(_session.Ping(Now), waiter);
            WakeIfWork();
        }

        return await waiter.Task.WaitAsync(cancelled) ?? throw Lost();
    }

    /// <inheritdoc/>
    public override async ValueTask CloseAsync()
    {
        End(YamuxFault.None, Libp2pFault.ClosedLocally);
        await Completion;
    }

    /// <inheritdoc/>
    public override async Task LeaveAsync(CancellationToken deadline)
    {
        lock (_sync)
        {
            _session.Leave();
            WakeIfWork();
        }

        using (deadline.Register(() => _ = CloseAsync().AsTask()))
        {
            EndIfLeft();
            await Completion;
        }
    }

    /// <summary>Ends a stream at our side; false if it had ended.</summary>
    internal bool ResetByUs(YamuxStream stream)
    {
        lock (_sync)
        {
            if (!_session.Reset(stream.State))
            {
                return false;
            }

            WakeIfWork();
        }

        ReleasePermit(stream);
        EndIfLeft();
        return true;
    }

    /// <summary>The application has written to a stream or ended it.</summary>
    internal void OutputReady(YamuxStream stream)
    {
        lock (_sync)
        {
            _session.OutputReady(stream.State);
            WakeIfWork();
        }
    }

    /// <summary>The application has read from a stream.</summary>
    internal void Taken(YamuxStream stream, long bytes)
    {
        lock (_sync)
        {
            _session.Taken(stream.State, bytes, Now);
            WakeIfWork();
        }
    }

    /// <summary>More is waiting to be sent than all streams together may keep.</summary>
    internal bool IsUnsentOver => Volatile.Read(ref _unsent) > _limits.UnsentBytesMax;

    /// <summary>How much waits to be sent on all streams, in bytes.</summary>
    internal long Unsent => Volatile.Read(ref _unsent);

    /// <summary>Counts what waits to be sent.</summary>
    internal void AddUnsent(long bytes) => Interlocked.Add(ref _unsent, bytes);

    /// <summary>Something that was left lying is to be sent now.</summary>
    internal void WakeWriter()
    {
        lock (_sync)
        {
            WakeIfWork();
        }
    }

    private async ValueTask WaitForPermitAsync(CancellationToken cancelled)
    {
        if (_openPermits.Wait(0, CancellationToken.None))
        {
            return;
        }

        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancelled, _ended.Token);
        try
        {
            await _openPermits.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested && !cancelled.IsCancellationRequested)
        {
            throw Lost();
        }
    }

    /// <summary>Ends the session once we have said goodbye and the last stream has gone.</summary>
    private void EndIfLeft()
    {
        bool isLeft;
        lock (_sync)
        {
            isLeft = _session.WeAreLeaving && _session.StreamCount == 0;
        }

        if (isLeft)
        {
            End(YamuxFault.None, Libp2pFault.ClosedLocally);
        }
    }

    private void ReleasePermit(YamuxStream stream)
    {
        if (stream.State.IsOurs && stream.TryReleasePermit())
        {
            _openPermits.Release();
        }
    }

    /// <summary>Under the lock: the writer sleeps only while there is nothing to send.</summary>
    private void WakeIfWork()
    {
        if (_writerIsIdle && _session.HasWork)
        {
            _writerIsIdle = false;
            _wake.Writer.TryWrite(true);
        }
    }

    private Libp2pException Lost() =>
        _reason ?? new Libp2pException(Libp2pFault.ConnectionLost, $"The connection to {Remote} has ended.");
}
