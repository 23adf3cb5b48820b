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
/// <remarks>Messages may be lost; the rules ask again. So nothing is kept over a broken stream but what waits in the queue.</remarks>
internal sealed class PeerLink
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    private readonly Channel<ByteString> _queue;
    private readonly Libp2pHost _host;
    private readonly Member _member;
    private readonly PeerId _peer;
    private readonly IReadOnlyList<Multiaddr> _addresses;
    private readonly LinkSettings _settings;
    private readonly Random _jitter;

    /// <summary>A link that is not yet open.</summary>
    /// <param name="host">The libp2p host.</param>
    /// <param name="member">The member at the other end.</param>
    /// <param name="addresses">Where to dial it; empty when it has to dial us.</param>
    /// <param name="settings">What all links share.</param>
    public PeerLink(Libp2pHost host, Member member, IReadOnlyList<Multiaddr> addresses, LinkSettings settings)
    {
        _host = host;
        _member = member;
        _peer = PeerId.From(member.PeerKey);
        _addresses = addresses;
        _settings = settings;
        _jitter = new Random(_peer.GetHashCode());
        _queue = Channel.CreateBounded<ByteString>(
            new BoundedChannelOptions(settings.QueueMessages) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    }

    /// <summary>Puts a message in the queue.</summary>
    public void Enqueue(ByteString message) => _queue.Writer.TryWrite(message);

    /// <summary>Keeps the link open until <paramref name="stopping"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        TimeSpan pause = FirstPause;
        while (!stopping.IsCancellationRequested)
        {
            bool wasOpen = false;
            string fault;
            try
            {
                await using Libp2pStream stream = await OpenAsync(stopping);
                wasOpen = true;
                pause = FirstPause;
                fault = await PumpAsync(stream, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Libp2pException error)
            {
                fault = error.Fault.ToString();
            }

            pause = await RestAsync(pause, wasOpen, fault, stopping);
        }
    }

    private async Task<Libp2pStream> OpenAsync(CancellationToken stopping)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        deadline.CancelAfter(_settings.RequestTimeout);
        try
        {
            if (_host.FindConnection(_peer) is null)
            {
                await DialAsync(deadline.Token);
            }

            return await _host.OpenStreamAsync(_peer, TapestryProtocols.Message, deadline.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new Libp2pException(Libp2pFault.DeadlinePassed, "The member did not answer in time.");
        }
    }

    /// <summary>Tries each address; with none, the member has to dial us, and a connection may come any time.</summary>
    private async Task DialAsync(CancellationToken cancelled)
    {
        Libp2pException refusal = new(Libp2pFault.Unreachable, "The peer list has no address of this member.");
        foreach (Multiaddr address in _addresses)
        {
            try
            {
                await _host.DialAsync(address, cancelled);
                return;
            }
            catch (Libp2pException error)
            {
                refusal = error;
            }
        }

        throw refusal;
    }

    /// <summary>Greets, then sends what is queued until the stream breaks.</summary>
    /// <returns>Why it ended.</returns>
    private async Task<string> PumpAsync(Libp2pStream stream, CancellationToken stopping)
    {
        LengthPrefix.Write(stream.Output, _settings.Greeting.ToArray());
        await stream.Output.FlushAsync(stopping);
        byte[]? answer = await LengthPrefix.ReadAsync(stream.Input, Greeting.Bytes, stopping);
        if (answer is null || !Greeting.TryRead(answer, out Greeting theirs))
        {
            return "no greeting";
        }

        if (_settings.Greeting.Compare(theirs) is MemberFault fault)
        {
            _settings.RefuseGreeting(_member, fault, theirs);
            return fault.ToString();
        }

        NetworkLog.Linked(_settings.Logger, _member.Name);
        _settings.Board.LinkOpened(_member.Id);
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

    private async Task<TimeSpan> RestAsync(TimeSpan pause, bool wasOpen, string fault, CancellationToken stopping)
    {
        // Half of the pause is random, so that members that were cut off together do not come back together.
        TimeSpan rest = pause * (0.5 + (0.5 * _jitter.NextDouble()));
        if (wasOpen)
        {
            NetworkLog.LinkLost(_settings.Logger, _member.Name, fault, (long)rest.TotalMilliseconds);
        }
        else
        {
            NetworkLog.Unreachable(_settings.Logger, _member.Name, fault, (long)rest.TotalMilliseconds);
        }

        try
        {
            await Task.Delay(rest, _settings.Time, stopping);
        }
        catch (OperationCanceledException)
        {
            return pause;
        }

        return TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, _settings.RedialPauseMax.Ticks));
    }
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
