using System.Collections.Concurrent;
using System.Threading.Channels;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Finds out whether others can dial us, by asking them to, and does the same for them.</summary>
/// <remarks>
/// libp2p/specs, autonat/autonat-v1.md. What one peer says is not proved, so several must say the same. Lives as long as its
/// host; all members may be called from any thread.
/// </remarks>
public sealed class Autonat : IAsyncDisposable
{
    /// <summary>The protocol.</summary>
    public const string Id = "/libp2p/autonat/1.0.0";

    // Between two looks at who could be asked: new peers wake us, so this only serves the interval of each.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    // Each may take the time of all its dials to answer, and one that never does must not hold up the rest.
    private const int AskedAtOnce = 8;

    private readonly Libp2pHost _host;
    private readonly AutonatOptions _options;
    private readonly Lock _sync = new();
    private readonly ReachabilityAnswers _answers;
    private readonly ConcurrentDictionary<PeerId, DateTimeOffset> _askedAt = new();
    private readonly RunningTasks _tasks = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _asking = new(AskedAtOnce);
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private int _stopRequested;

    /// <summary>Starts to answer and to ask on a host.</summary>
    public Autonat(Libp2pHost host, AutonatOptions options)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        _host = host;
        _options = options;
        _answers = new ReachabilityAnswers(options.AnswersNeeded, options.AskInterval * 2);
        if (options.Serves)
        {
            _ = new AutonatServer(host, options);
        }

        if (options.Asks)
        {
            host.ConnectionOpened += OnConnectionOpened;
            _tasks.Start(AskAllAsync);
        }
    }

    /// <summary><see cref="Reachability"/> has changed to this. Must not block or throw.</summary>
    public event Action<Reachability>? Changed;

    /// <summary>Whether others can dial us, as far as we know.</summary>
    public Reachability Reachability
    {
        get
        {
            lock (_sync)
            {
                return _answers.Reachability;
            }
        }
    }

    /// <summary>Asks one connected peer to dial us at the addresses where we listen, and counts its answer.</summary>
    /// <returns>What it says.</returns>
    /// <exception cref="Libp2pException">No connection, not spoken, no proper answer, or not in time.</exception>
    public async Task<AutonatMessage.Response> AskAsync(PeerId peer, CancellationToken cancelled)
    {
        PeerConnection connection = _host.RequireConnection(peer);
        _askedAt[peer] = _host.Options.Time.GetUtcNow();
        IReadOnlyList<Multiaddr> addresses = await CandidatesAsync(connection, cancelled);

        // The peer may try every address for as long as we would.
        using Deadline deadline = new(_host.Options.Limits.Autonat.DialDeadline + _host.Options.NegotiationDeadline, _host.Options.Time, cancelled);
        try
        {
            await using Libp2pStream stream = await connection.OpenStreamAsync(Id, deadline.Token);
            await LengthPrefix.WriteAsync(stream.Output, new AutonatMessage.Dial(_host.PeerId, addresses).ToArray(), deadline.Token);
            byte[]? bytes = await LengthPrefix.ReadAsync(stream.Input, AutonatMessage.MaximumLength, deadline.Token);
            await stream.CompleteWriteAsync(deadline.Token);
            if (bytes is null || !AutonatMessage.TryRead(bytes, out AutonatMessage? message) || message is not AutonatMessage.Response response)
            {
                throw new Libp2pException(Libp2pFault.Malformed, $"{peer} answered the request to dial us with other than a response.");
            }

            Count(peer, response.Status);
            return response;
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error($"Being dialled by {peer}");
        }
    }

    /// <summary>Asks nobody any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopRequested, 1) == 1)
        {
            return;
        }

        _host.ConnectionOpened -= OnConnectionOpened;
        await _stopping.CancelAsync();
        await _tasks.DrainAsync();
        _stopping.Dispose();
        _asking.Dispose();
    }

    /// <summary>Where we might be dialled: where we say that we are, and the same ports at the address that others see us come from.</summary>
    private async Task<IReadOnlyList<Multiaddr>> CandidatesAsync(PeerConnection connection, CancellationToken cancelled)
    {
        // What the peer sees counts most, as that is all that it will dial.
        await connection.Identified.WaitAsync(cancelled);
        return
        [
            .. _host.AnnouncedAddresses.Concat(_host.ObservedAddresses.Select(observed => observed.Address))
                .Where(address => !address.IsCircuit)
                .Distinct()
                .Take(AutonatMessage.MaximumAddresses),
        ];
    }

    private void Count(PeerId peer, AutonatStatus status)
    {
        if (status is not (AutonatStatus.Ok or AutonatStatus.DialError))
        {
            // It did not try.
            return;
        }

        Reachability before;
        Reachability after;
        lock (_sync)
        {
            before = _answers.Reachability;
            _answers.Add(peer, status == AutonatStatus.Ok, _host.Options.Time.GetUtcNow());
            after = _answers.Reachability;
        }

        if (after != before)
        {
            Changed?.Invoke(after);
        }
    }

    private void OnConnectionOpened(PeerConnection connection) =>
        connection.Identified.ContinueWith(_ => _wake.Writer.TryWrite(true), TaskScheduler.Default);

    private async Task AskAllAsync()
    {
        try
        {
            while (true)
            {
                ForgetOld();
                foreach (PeerId peer in _host.Connections.Where(IsToAsk).Select(connection => connection.Remote).Distinct())
                {
                    _askedAt[peer] = _host.Options.Time.GetUtcNow();
                    _tasks.Start(() => TryAskAsync(peer));
                }

                using Deadline look = new(LookInterval, _host.Options.Time, _stopping.Token);
                try
                {
                    await _wake.Reader.ReadAsync(look.Token);
                }
                catch (OperationCanceledException) when (look.Passed)
                {
                    // Time to look again.
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // We stop.
        }
    }

    // A peer that comes back is not asked again at once: js-libp2p closes the connection of whoever asks it.
    private void ForgetOld()
    {
        DateTimeOffset last = _host.Options.Time.GetUtcNow() - _options.AskInterval;
        foreach (PeerId peer in _askedAt.Where(asked => asked.Value <= last).Select(asked => asked.Key))
        {
            _askedAt.TryRemove(peer, out _);
        }
    }

    private bool IsToAsk(PeerConnection connection) =>
        !connection.IsRelayed
        && connection.Identified.IsCompletedSuccessfully
        && connection.Identified.Result?.Protocols.Contains(Id) == true
        && !_askedAt.ContainsKey(connection.Remote);

    private async Task TryAskAsync(PeerId peer)
    {
        try
        {
            await _asking.WaitAsync(_stopping.Token);
            try
            {
                await AskAsync(peer, _stopping.Token);
            }
            finally
            {
                _asking.Release();
            }
        }
        catch (Exception end) when (end is Libp2pException or OperationCanceledException)
        {
            // No answer is no voice; the peer is asked again after the interval. Or we stop.
        }
    }
}
