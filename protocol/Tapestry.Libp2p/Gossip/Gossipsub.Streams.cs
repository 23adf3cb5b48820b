using System.Net;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p.Gossip;

/// <summary>A stream each way to every peer that gossips.</summary>
public sealed partial class Gossipsub
{
    // Up to here an RPC is read into one buffer of its length; longer ones grow as they come.
    private const int DirectBytes = 128 * 1024;

    private void OnOpened(PeerConnection connection)
    {
        if (_stopRequested == 0 && LinkOf(connection) is GossipLink link)
        {
            StartOpening(link);
        }
    }

    private void OnClosed(PeerConnection connection, Libp2pFault fault)
    {
        GossipLink? closed = null;
        lock (_sync)
        {
            if (_host.FindConnection(connection.Remote) is PeerConnection other)
            {
                if (_router.Knows(connection.Remote))
                {
                    _router.Connected(connection.Remote, other.IsDialer, IpOf(other));
                }
            }
            else if (_links.TryRemove(connection.Remote, out closed))
            {
                _router.Disconnected(connection.Remote, Now);
            }
        }

        closed?.ResetOutbound();
    }

    /// <summary>The link to the peer of a connection; null when the connection has ended.</summary>
    /// <remarks>The host forgets a connection before it says so: under one lock, either we see that here, or <see cref="OnClosed"/> removes what we add.</remarks>
    private GossipLink? LinkOf(PeerConnection connection)
    {
        lock (_sync)
        {
            return _host.FindConnection(connection.Remote) is null
                ? null
                : _links.GetOrAdd(connection.Remote, added => new GossipLink(added, _limits, new ReopenDelays(new Random()), () => Now, MadeRoom, CountSent));
        }
    }

    /// <summary>Whether a link is still the one to its peer, and not of an earlier connection.</summary>
    private bool IsCurrent(GossipLink link) => _links.TryGetValue(link.Peer, out GossipLink? current) && current == link;

    private void StartOpening(GossipLink link)
    {
        if (link.TryStartOpening())
        {
            _tasks.Start(() => KeepOpenAsync(link));
        }
    }

    /// <summary>Keeps a stream to a peer open as long as it is connected and speaks gossipsub.</summary>
    private async Task KeepOpenAsync(GossipLink link)
    {
        try
        {
            while (IsCurrent(link) && _host.FindConnection(link.Peer) is PeerConnection connection)
            {
                if (!await TrySendAsync(link, connection) || link.Delays.Next(Now) is not TimeSpan delay)
                {
                    link.EndOpening();
                    return;
                }

                await Task.Delay(delay, _host.Options.Time, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }

        link.EndOpening();
        if (IsCurrent(link) && _host.FindConnection(link.Peer) is not null)
        {
            // A connection came between the look and the end; whoever announced it saw us still at work.
            StartOpening(link);
        }
    }

    /// <summary>Opens a stream and sends on it until it ends; false when the peer does not gossip.</summary>
    private async Task<bool> TrySendAsync(GossipLink link, PeerConnection connection)
    {
        Libp2pStream? stream = null;
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        try
        {
            stream = await connection.OpenStreamAsync(ProtocolIds, ended.Token);
            link.SetOutbound(stream);
            GossipVersion version = GossipVersion.V12 - (byte)Array.IndexOf(ProtocolIds, stream.Protocol);
            Enter(link, version);
            await Task.WhenAll(WatchAsync(stream, ended), link.Outbox.RunAsync(stream, ended.Token));
        }
        catch (Libp2pException refusal) when (stream is null && refusal.Fault == Libp2pFault.ProtocolNotSupported)
        {
            return false;
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The stream or the connection has ended, or we stop.
        }

        link.SetOutbound(null);
        if (stream is not null && _stopping.IsCancellationRequested)
        {
            await EndAsync(link, stream);
        }

        Leave(link);
        if (stream is not null)
        {
            await stream.DisposeAsync();
        }

        return true;
    }

    /// <summary>What was published before we stop is still heard, unless the peer takes too long.</summary>
    private static async Task EndAsync(GossipLink link, Libp2pStream stream)
    {
        using CancellationTokenSource late = new(EndingTime);
        try
        {
            await link.Outbox.EndAsync(stream, late.Token);

            // The peer ends the stream once it has read it all; a connection that ended before would take from it what it has not read.
            await StreamEnd.WaitAsync(stream.Input, late.Token);
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The peer has gone, or does not read.
        }
    }

    /// <summary>Notices the end of a stream on which nothing ever comes.</summary>
    private static async Task WatchAsync(Libp2pStream stream, CancellationTokenSource ended)
    {
        try
        {
            await StreamEnd.WaitAsync(stream.Input, ended.Token);
        }
        catch
        {
            await ended.CancelAsync();
            throw;
        }
    }

    /// <summary>Reads what a peer says, until its stream ends.</summary>
    private async Task ReadAsync(Libp2pStream stream, PeerConnection connection, CancellationToken connectionEnded)
    {
        if (_stopRequested == 1)
        {
            stream.Reset();
            return;
        }

        if (LinkOf(connection) is not GossipLink link)
        {
            return;
        }

        link.TakeInbound(stream);
        Enter(link, GossipVersion.None);
        StartOpening(link);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(connectionEnded, _stopping.Token);
        try
        {
            while (await ReadRpcAsync(stream, ended.Token) is byte[] bytes)
            {
                if (!await TryTakeAsync(link, bytes))
                {
                    stream.Reset();
                    return;
                }
            }
        }
        catch (Libp2pException broken) when (broken.Fault is Libp2pFault.TooLarge or Libp2pFault.Malformed)
        {
            GossipFault fault = broken.Fault == Libp2pFault.TooLarge ? GossipFault.RpcTooLarge : GossipFault.RpcMalformed;
            Step((router, peer, _) => router.Blame(peer, fault), link.Peer);
            throw;
        }
    }

    private async ValueTask<byte[]?> ReadRpcAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        int? length = await LengthPrefix.ReadLengthAsync(stream.Input, _limits.RpcBytes, cancelled);
        if (length is null)
        {
            return null;
        }

        byte[] rpc = GC.AllocateUninitializedArray<byte>(Math.Min(length.Value, DirectBytes));
        int filled = 0;
        while (true)
        {
            await LengthPrefix.ReadExactlyAsync(stream.Input, rpc.AsMemory(filled), cancelled);
            filled = rpc.Length;
            if (filled == length)
            {
                return rpc;
            }

            Array.Resize(ref rpc, (int)Math.Min(2L * filled, length.Value));
        }
    }

    private async ValueTask<bool> TryTakeAsync(GossipLink link, byte[] bytes)
    {
        Interlocked.Add(ref _receivedBytes, bytes.Length);
        GossipFault fault = GossipRpcReader.TryRead(bytes, _limits, out GossipRpc? rpc);
        IReadOnlyList<SignedMessage> fresh = [];
        List<GossipEffect> later;
        lock (_sync)
        {
            if (rpc is null)
            {
                _router.Blame(link.Peer, fault);
            }
            else
            {
                fresh = _router.Receive(link.Peer, rpc, Now);
            }

            later = Deliver();
        }

        Report(later);
        foreach (SignedMessage message in fresh)
        {
            await CheckAsync(link, message);
        }

        return rpc is not null;
    }

    /// <summary>Checks the signature of a message and asks the application; waits only while too much of the peer's is being judged.</summary>
    /// <remarks>Also after the peer has gone: copies from others were left out for this one.</remarks>
    private async ValueTask CheckAsync(GossipLink link, SignedMessage signed)
    {
        GossipFault fault = signed.TryVerify(link.Peer, _authorKeys, out GossipMessage? message);
        bool isNew = false;
        List<GossipEffect> later;
        lock (_sync)
        {
            if (message is null)
            {
                _router.Refused(signed, link.Peer, fault);
            }
            else
            {
                isNew = _router.Verified(message, Now);
            }

            later = Deliver();
        }

        Report(later);
        if (!isNew || !_validators.TryGetValue(signed.Topic, out GossipValidator? validate))
        {
            return;
        }

        await link.StartJudgingAsync(_stopping.Token);
        ValueTask<GossipVerdict> verdict = AskAsync(validate, message!);
        if (verdict.IsCompletedSuccessfully)
        {
            Finish(link, message!, verdict.Result);
        }
        else
        {
            _tasks.Start(async () => Finish(link, message!, await verdict));
        }
    }

    private async ValueTask<GossipVerdict> AskAsync(GossipValidator validate, GossipMessage message)
    {
        try
        {
            return await validate(message, _stopping.Token);
        }
        catch (Exception end) when (end is not OperationCanceledException || !_stopping.IsCancellationRequested)
        {
            ValidatorFailed?.Invoke(message.Topic, end);
            return GossipVerdict.Ignore;
        }
        catch (OperationCanceledException)
        {
            return GossipVerdict.Ignore;
        }
    }

    private void Finish(GossipLink link, GossipMessage message, GossipVerdict verdict)
    {
        link.EndJudging();
        Step(static (router, judged, now) => router.Judged(judged.message, judged.verdict, now), (message, verdict));
    }

    /// <summary>The peer gossips, and with a version, can be sent to.</summary>
    private void Enter(GossipLink link, GossipVersion version)
    {
        List<GossipEffect> later;
        lock (_sync)
        {
            if (!IsCurrent(link) || _host.FindConnection(link.Peer) is not PeerConnection connection)
            {
                return;
            }

            _router.Connected(link.Peer, connection.IsDialer, IpOf(connection));
            if (version != GossipVersion.None)
            {
                _router.Reached(link.Peer, version, Now);
            }

            later = Deliver();
        }

        Report(later);
    }

    // The address of a relay is nobody's, and any number of peers may be at loopback.
    private static string? IpOf(PeerConnection connection) => connection.IsRelayed ? null : connection.RemoteAddress.Parts
        .Where(static part => part.Protocol is MultiaddrProtocol.Ip4 or MultiaddrProtocol.Ip6)
        .Select(static part => part.Value)
        .FirstOrDefault(static value => !IPAddress.IsLoopback(IPAddress.Parse(value)));

    /// <summary>The peer cannot be sent to any more.</summary>
    private void Leave(GossipLink link)
    {
        lock (_sync)
        {
            if (IsCurrent(link))
            {
                _router.Lost(link.Peer);
            }
        }

        link.Outbox.Clear();
    }

    private async Task BeatAsync()
    {
        using PeriodicTimer timer = new(_options.Parameters.HeartbeatInterval, _host.Options.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                Step(static (router, _, now) => router.Heartbeat(now), 0);
                MadeRoom();
            }
        }
        catch (OperationCanceledException)
        {
            // We stop.
        }
    }
}
