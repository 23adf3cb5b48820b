using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>A peer on the network: listens, dials, keeps connections, and answers and opens streams by protocol id.</summary>
/// <remarks>
/// specs/50-network.md. Identify and ping are answered from the start. Two connections to one peer, as a simultaneous
/// open makes them, both live until the surplus one carries no stream. All members may be called from any thread.
/// </remarks>
public sealed partial class Libp2pHost : IAsyncDisposable
{
    private readonly Libp2pIdentity _identity;
    private readonly ConcurrentDictionary<string, StreamHandler> _handlers = new(StringComparer.Ordinal);
    private readonly ConnectionTable _connections;
    private readonly ConnectionUpgrade _upgrade;
    private readonly RunningTasks _tasks = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Socket> _listeners = [];
    private readonly CallerGate _gate;
    private readonly StreamQuota _streams;
    private readonly ConnectionKeeper _keeper;
    private int _stopRequested;

    /// <summary>A host that does nothing yet.</summary>
    /// <param name="identity">Who we are; stays the caller's.</param>
    /// <param name="options">How to present ourselves and what to allow.</param>
    public Libp2pHost(Libp2pIdentity identity, Libp2pHostOptions options)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(options);
        _identity = identity;
        Options = options;
        _connections = new ConnectionTable(options.Limits);
        _upgrade = new ConnectionUpgrade(identity, options);
        _gate = new CallerGate(options.Limits, options.Time);
        _streams = new StreamQuota(options.Limits);
        _keeper = new ConnectionKeeper(identity.PeerId, _connections, options);
        AddressBook = new AddressBook(identity.PeerId, options.AddressBook, options.Limits.KnownPeers, options.Time);
        Pushes = new PeerRate(options.Limits.PushesPerMinute, int.MaxValue, options.Time);
        _announcer = new Announcer(this, identity);
        _dialer = new PeerDialer(AddressBook, DialAsync, options.AddressBook, options.Time);
        Handle(IdentifyProtocol.Id, (stream, connection, ended) => IdentifyProtocol.AnswerAsync(stream, connection, this, ended));
        Handle(IdentifyProtocol.PushId, (stream, connection, ended) => IdentifyProtocol.ReceivePushAsync(stream, connection, this, ended));
        Handle(PingProtocol.Id, (stream, _, ended) => PingProtocol.AnswerAsync(stream, ended));
        if (options.AnswersPerf)
        {
            Handle(PerfProtocol.Id, (stream, _, ended) => PerfProtocol.AnswerAsync(stream, ended));
        }
    }

    /// <summary>A connection is ready for streams, and no stream of the peer's is answered yet. Must not block or throw.</summary>
    public event Action<PeerConnection>? ConnectionOpened;

    /// <summary>A connection has ended, and why. Called once after <see cref="ConnectionOpened"/>; must not block or throw.</summary>
    public event Action<PeerConnection, Libp2pFault>? ConnectionClosed;

    /// <summary>A connection was not made: the remote's address, and why. For logs; nothing is left to be done. Must not block or throw.</summary>
    public event Action<Multiaddr, Libp2pException>? InboundRefused;

    /// <summary>A stream of a peer's was not served, and why: one too many or too fast, against its protocol, or given up as nothing moved. Must not block or throw.</summary>
    public event Action<PeerConnection, Libp2pException>? StreamRefused;

    /// <summary>A handler, or the keeping of reservations, threw what is no fault of a peer: a mistake of ours. A stream is reset, and the host goes on. Must not block or throw.</summary>
    public event Action<string, PeerId, Exception>? HandlerFailed;

    /// <summary>Our peer id.</summary>
    public PeerId PeerId => _identity.PeerId;

    /// <summary>Where we listen, with the ports that were taken and our peer id; empty before <see cref="Start"/>.</summary>
    public IReadOnlyList<Multiaddr> ListenAddresses { get; private set; } = [];

    /// <summary>The open connections at this moment.</summary>
    public IReadOnlyList<PeerConnection> Connections => _connections.All();

    /// <summary>The options that the host was made with.</summary>
    public Libp2pHostOptions Options { get; }

    /// <summary>How often peers may tell anew what they told about themselves: it costs a signature check, and is told to others.</summary>
    internal PeerRate Pushes { get; }

    /// <summary>Listens on every address of <see cref="Libp2pHostOptions.ListenAddresses"/>, or on none.</summary>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.CannotListen"/>, naming the address.</exception>
    public void Start()
    {
        try
        {
            foreach (Multiaddr address in Options.ListenAddresses)
            {
                _listeners.Add(TcpTransport.Listen(address));
            }
        }
        catch (Libp2pException)
        {
            CloseListeners();
            throw;
        }

        ListenAddresses = [.. _listeners.Select(listener => Multiaddr.From((IPEndPoint)listener.LocalEndPoint!).WithPeer(PeerId))];
        _announcer.Start();
        _tasks.Start(() => _announcer.RefreshAsync(_stopping.Token));
        _tasks.Start(() => _announcer.PushAsync(_stopping.Token));
        _tasks.Start(() => _keeper.RunAsync(_stopping.Token));
        foreach (Socket listener in _listeners)
        {
            _tasks.Start(() => AcceptAsync(listener));
        }
    }

    /// <summary>Answers streams of a protocol; replaces what answered them before.</summary>
    public void Handle(string protocolId, StreamHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        bool isNew = !_handlers.ContainsKey(protocolId);
        _handlers[protocolId] = handler;
        if (isNew)
        {
            _announcer.RequestPush();
        }
    }

    /// <summary>The newest open connection to a peer, or null.</summary>
    public PeerConnection? FindConnection(PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        return _connections.Find(peer);
    }

    /// <summary>Opens a stream on the newest connection to a peer and agrees on its protocol.</summary>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.Unreachable"/> when no connection is open, or as <see cref="PeerConnection.OpenStreamAsync(string, CancellationToken)"/>.</exception>
    public Task<Libp2pStream> OpenStreamAsync(PeerId peer, string protocolId, CancellationToken cancelled) =>
        RequireConnection(peer).OpenStreamAsync(protocolId, cancelled);

    /// <summary>Stops listening, closes every connection, and waits for every handler to end.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopRequested, 1) == 1)
        {
            return;
        }

        CloseListeners();
        _connections.Close();
        await _stopping.CancelAsync();
        foreach (PeerConnection connection in _connections.All())
        {
            await connection.CloseAsync();
        }

        await _tasks.DrainAsync();
        _stopping.Dispose();
        _upgrade.Dispose();
    }

    /// <summary>The same as <see cref="StopAsync"/>.</summary>
    public async ValueTask DisposeAsync() => await StopAsync();

    internal Libp2pIdentity Identity => _identity;

    /// <summary>Tells of a mistake of ours in what we do with a peer by a protocol.</summary>
    internal void TellMistake(string protocol, PeerId peer, Exception mistake) => HandlerFailed?.Invoke(protocol, peer, mistake);

    /// <summary>Tells of a caller that did not become a connection.</summary>
    internal void Refuse(Multiaddr remote, Libp2pException refusal) => InboundRefused?.Invoke(remote, refusal);

    internal PeerConnection RequireConnection(PeerId peer) => FindConnection(peer)
        ?? throw new Libp2pException(Libp2pFault.Unreachable, $"No connection to {peer} is open; dial one of its addresses first.");

    private void CloseListeners()
    {
        foreach (Socket listener in _listeners)
        {
            listener.Dispose();
        }
    }
}
