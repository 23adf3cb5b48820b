using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Daemon;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>Our side of the link to one member: a bounded queue that drops the oldest, and a task that keeps a stream open.</summary>
/// <remarks>
/// Messages may be lost; the rules ask again. So nothing is kept over a broken stream but what waits in the queue.
/// specs/50-network.md, section 11.1: how long it rests between attempts, and what wakes it.
/// </remarks>
internal sealed class PeerLink
{
    /// <summary>How long a link rests after its first failure; it doubles with each further one.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    // Who runs another network needs a person to change that.
    private static readonly TimeSpan WrongNetworkPause = TimeSpan.FromMinutes(10);

    private readonly Channel<ByteString> _queue;
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Libp2pHost _host;
    private readonly Member _member;
    private readonly PeerId _peer;
    private readonly PeerExchange _exchange;
    private readonly LinkSettings _settings;
    private readonly Random _jitter;

    /// <summary>A link that is not yet open.</summary>
    /// <param name="host">The libp2p host, whose address book knows where the member is.</param>
    /// <param name="member">The member at the other end.</param>
    /// <param name="exchange">Asked for the other members' addresses as soon as the link is open.</param>
    /// <param name="settings">What all links share.</param>
    public PeerLink(Libp2pHost host, Member member, PeerExchange exchange, LinkSettings settings)
    {
        _host = host;
        _member = member;
        _peer = PeerId.From(member.PeerKey);
        _exchange = exchange;
        _settings = settings;
        _jitter = new Random(HashCode.Combine(host.PeerId, _peer));
        _queue = Channel.CreateBounded<ByteString>(
            new BoundedChannelOptions(settings.QueueMessages) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    }

    private enum End
    {
        Unreachable,
        Lost,
        WrongNetwork,
    }

    /// <summary>Puts a message in the queue.</summary>
    public void Enqueue(ByteString message) => _queue.Writer.TryWrite(message);

    /// <summary>Says that the member has connected, or that an address of it is new: a link that rests tries again.</summary>
    public void Wake() => _news.Writer.TryWrite(true);

    /// <summary>Keeps the link open until <paramref name="stopping"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        TimeSpan pause = FirstPause;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                (End end, string fault, bool wasOpen) = await LiveAsync(stopping);
                pause = wasOpen ? FirstPause : pause;
                await RestAsync(end, fault, wasOpen, pause, stopping);
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, _settings.RedialPauseMax.Ticks));
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception mistake)
            {
                // A link that ended here would be down until the daemon is started anew.
                NetworkLog.Failed(_settings.Logger, $"The link with {_member.Name}", (long)_settings.RedialPauseMax.TotalMilliseconds, mistake);
                await Task.Delay(_settings.RedialPauseMax, _settings.Time, stopping).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }
    }

    /// <summary>Connects, opens a stream, and sends until it breaks.</summary>
    private async Task<(End End, string Fault, bool WasOpen)> LiveAsync(CancellationToken stopping)
    {
        bool wasOpen = false;
        try
        {
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            deadline.CancelAfter(_settings.RequestTimeout);
            await _host.DialAsync(_peer, deadline.Token);
        }
        catch (Libp2pException error)
        {
            return (End.Unreachable, error.Fault.ToString(), wasOpen);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return (End.Unreachable, nameof(Libp2pFault.DeadlinePassed), wasOpen);
        }

        try
        {
            await using Libp2pStream stream = await _host.OpenStreamAsync(_peer, TapestryProtocols.Message, stopping);
            if (await GreetAsync(stream, stopping) is (End end, string refusal))
            {
                return (end, refusal, wasOpen);
            }

            wasOpen = true;
            return (End.Lost, await PumpAsync(stream, stopping), wasOpen);
        }
        catch (Libp2pException error)
        {
            return (End.Lost, error.Fault.ToString(), wasOpen);
        }
    }

    /// <returns>Null when we are of one network.</returns>
    private async Task<(End End, string Fault)?> GreetAsync(Libp2pStream stream, CancellationToken stopping)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        deadline.CancelAfter(_settings.RequestTimeout);
        try
        {
            LengthPrefix.Write(stream.Output, _settings.Greeting.ToArray());
            await stream.Output.FlushAsync(deadline.Token);
            byte[]? answer = await LengthPrefix.ReadAsync(stream.Input, Greeting.Bytes, deadline.Token);
            if (answer is null || !Greeting.TryRead(answer, out Greeting theirs))
            {
                return (End.Lost, "no greeting");
            }

            if (_settings.Greeting.Compare(theirs) is MemberFault fault)
            {
                _settings.RefuseGreeting(_member, fault, theirs);
                return (End.WrongNetwork, fault.ToString());
            }

            return null;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return (End.Lost, nameof(Libp2pFault.DeadlinePassed));
        }
    }

    /// <summary>Sends what is queued until the stream breaks.</summary>
    /// <returns>Why it ended.</returns>
    private async Task<string> PumpAsync(Libp2pStream stream, CancellationToken stopping)
    {
        NetworkLog.Linked(_settings.Logger, _member.Name);
        _settings.Board.LinkOpened(_member.Id);
        Task asked = _exchange.AskAsync(_peer, stopping);
        try
        {
            // Nothing is ever sent back: the end of the incoming side is how a closed link shows while the queue is empty.
            Task closed = WatchAsync(stream, stopping);
            while (true)
            {
                Task<bool> waiting = _queue.Reader.WaitToReadAsync(stopping).AsTask();
                if (await Task.WhenAny(waiting, closed) == closed)
                {
                    return "closed";
                }

                await waiting;
                while (_queue.Reader.TryRead(out ByteString? message))
                {
                    LengthPrefix.Write(stream.Output, message.Span);
                    _settings.Traffic.Sent(message.Length);
                }

                await stream.Output.FlushAsync(stopping);
            }
        }
        finally
        {
            _settings.Board.LinkClosed(_member.Id);
            await asked;
        }
    }

    private static async Task WatchAsync(Libp2pStream stream, CancellationToken stopping)
    {
        try
        {
            await LengthPrefix.ReadAsync(stream.Input, 0, stopping);
        }
        catch (Exception error) when (error is Libp2pException or OperationCanceledException)
        {
            // However the incoming side ended, the link is closed.
        }
    }

    /// <summary>Waits for the next attempt, or for news of the member; half of a pause is random, so that members that were cut off together do not come back together.</summary>
    private async Task RestAsync(End end, string fault, bool wasOpen, TimeSpan pause, CancellationToken stopping)
    {
        TimeSpan rest = Jittered(end == End.WrongNetwork ? WrongNetworkPause : pause);
        if (end == End.Unreachable)
        {
            _exchange.Want();
            TimeSpan restOfAddresses = _host.AddressBook.RestOf(_peer) ?? TimeSpan.Zero;
            rest = rest > restOfAddresses ? rest : restOfAddresses;
        }

        if (wasOpen)
        {
            NetworkLog.LinkLost(_settings.Logger, _member.Name, fault, (long)rest.TotalMilliseconds);
        }
        else
        {
            NetworkLog.Unreachable(_settings.Logger, _member.Name, fault, (long)rest.TotalMilliseconds);
        }

        // A member of another network that connects again may have been given the right genesis; but it does not set our pace.
        TimeSpan atLeast = end == End.Unreachable ? TimeSpan.Zero : end == End.WrongNetwork ? _settings.RedialPauseMax : rest;
        await Task.Delay(atLeast, _settings.Time, stopping);
        if (atLeast < rest)
        {
            await NewsAsync(rest - atLeast, stopping);
        }
    }

    /// <summary>Waits until there is news, at most so long.</summary>
    private async Task NewsAsync(TimeSpan atMost, CancellationToken stopping)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task pause = Task.Delay(atMost, _settings.Time, over.Token);
        Task news = _news.Reader.ReadAsync(over.Token).AsTask();
        await Task.WhenAny(pause, news);
        await over.CancelAsync();
        stopping.ThrowIfCancellationRequested();
    }

    private TimeSpan Jittered(TimeSpan pause) => pause * (0.5 + (0.5 * _jitter.NextDouble()));
}

/// <summary>What all links of a daemon share.</summary>
/// <param name="Greeting">Our network and plan.</param>
/// <param name="QueueMessages">Messages waiting for one peer before the oldest is dropped.</param>
/// <param name="RequestTimeout">How long opening a stream may take.</param>
/// <param name="RedialPauseMax">Longest pause between two attempts.</param>
/// <param name="Board">Where links are shown.</param>
/// <param name="Traffic">Where bytes are counted.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where links are logged.</param>
internal sealed record LinkSettings(
    Greeting Greeting, int QueueMessages, TimeSpan RequestTimeout, TimeSpan RedialPauseMax, StatusBoard Board, Traffic Traffic,
    TimeProvider Time, ILogger Logger)
{
    /// <summary>Counts a stranger, and logs it now and then: new keys cost it nothing.</summary>
    public void RefuseStranger(PeerId peer)
    {
        long times = Board.Count($"strangers: {MemberFault.Stranger}");
        if (StatusBoard.IsToldOf(times))
        {
            NetworkLog.Stranger(Logger, peer.ToString(), times);
        }
    }

    /// <summary>Says that a member runs another network.</summary>
    public void RefuseGreeting(Member member, MemberFault fault, Greeting theirs)
    {
        bool isGenesis = fault == MemberFault.WrongGenesis;
        NetworkLog.WrongGreeting(
            Logger, member.Name, fault, (isGenesis ? theirs.Network : theirs.Plan).ToShortString(),
            (isGenesis ? Greeting.Network : Greeting.Plan).ToShortString());
        Board.Count(member.Id, fault);
    }
}
