using System.IO.Pipelines;
using System.Net;

namespace Tapestry.Libp2p;

/// <summary>An open connection of a <see cref="Libp2pHost"/>: who is at the other end, and streams to it.</summary>
public sealed class PeerConnection
{
    private readonly Libp2pHost _host;
    private readonly Lock _updating = new();
    private readonly TaskCompletionSource<IdentifyMessage?> _identified = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _keepers;
    private long _keptUntilTicks;

    internal PeerConnection(Libp2pHost host, UpgradedConnection upgraded, ConnectionOrigin origin, CancellationToken ended)
    {
        _host = host;
        Muxed = upgraded.Muxed;
        SecurityProtocol = upgraded.Security.Id;
        UsedEarlyMuxer = upgraded.UsedEarlyMuxer;
        RemoteAddress = origin.RemoteAddress;
        RemoteIp = origin.RemoteIp;
        IsDialer = origin.IsDialer;
        Limit = origin.Limit;
        OpenedAt = host.Options.Time.GetUtcNow();
        Ended = ended;
        Identified = _identified.Task;
    }

    /// <summary>The peer at the other end, proved.</summary>
    public PeerId Remote => Muxed.Remote;

    /// <summary>The address of the socket at the other end, of an inbound connection not one to dial; where a relay is between, its address and <c>/p2p-circuit</c>.</summary>
    public Multiaddr RemoteAddress { get; }

    /// <summary>Whether we dialled.</summary>
    public bool IsDialer { get; }

    /// <summary>How the connection is secured: <c>/noise</c> or <c>/tls/1.0.0</c>.</summary>
    public string SecurityProtocol { get; }

    /// <summary>Whether the secure handshake agreed on the muxer too, which saves a round trip.</summary>
    public bool UsedEarlyMuxer { get; }

    /// <summary>Whether a relay is between: it sees only ciphertext, and we do not see where the peer is.</summary>
    public bool IsRelayed => RemoteAddress.IsCircuit;

    /// <summary>What the relay allows this connection; null when it sets no limit, or there is no relay.</summary>
    public ConnectionLimit? Limit { get; }

    /// <summary>When the connection was ready for streams.</summary>
    public DateTimeOffset OpenedAt { get; }

    /// <summary>What the peer tells about itself; null when it does not, or not in time. Never faults.</summary>
    public Task<IdentifyMessage?> Identified { get; private set; }

    /// <summary>Ends once with the connection; never faults.</summary>
    public Task<Libp2pFault> Completion => Muxed.Completion;

    /// <summary>Cancelled when the connection has ended.</summary>
    public CancellationToken Ended { get; }

    /// <summary>The IP address at the other end of the socket, though it was dialled by a name; null where there is no socket.</summary>
    internal IPAddress? RemoteIp { get; }

    internal MuxedConnection Muxed { get; }

    internal bool IsOpen => !Muxed.Completion.IsCompleted && !Muxed.IsLeaving;

    /// <summary>Another connection to the same peer stays; this one goes once nothing uses it.</summary>
    internal bool IsSurplus { get; set; }

    /// <summary>Somebody here wants it to stay open.</summary>
    internal bool IsKept => Volatile.Read(ref _keepers) > 0 || Volatile.Read(ref _keptUntilTicks) > _host.Options.Time.GetUtcNow().UtcTicks;

    /// <summary>Opens a stream and agrees on its protocol.</summary>
    /// <exception cref="Libp2pException">The connection ended, a limit or the deadline was reached, or the peer does not speak the protocol.</exception>
    public Task<Libp2pStream> OpenStreamAsync(string protocolId, CancellationToken cancelled) => OpenStreamAsync([protocolId], cancelled);

    /// <summary>Opens a stream and agrees on the first of several protocols that the peer speaks; <see cref="Libp2pStream.Protocol"/> says which.</summary>
    /// <param name="protocolIds">What to propose, the best first; each that the peer refuses costs a round trip.</param>
    /// <param name="cancelled">Ends the attempt; it also ends at <see cref="Libp2pHostOptions.NegotiationDeadline"/>.</param>
    /// <exception cref="Libp2pException">The connection ended, a limit or the deadline was reached, or the peer speaks none of the protocols.</exception>
    public Task<Libp2pStream> OpenStreamAsync(IReadOnlyList<string> protocolIds, CancellationToken cancelled) =>
        InTimeAsync(
            string.Join(" or ", protocolIds),
            async (stream, late) => stream.Protocol = await MultistreamSelect.ProposeAsync(stream, protocolIds, late),
            cancelled);

    /// <summary>Opens a stream and agrees on its protocol; what is said first leaves with the proposal, which saves a round trip.</summary>
    /// <remarks>
    /// For protocols that the peer is known to speak. Another one of ours says that it does not; a foreign one may take what is
    /// said first for a second proposal and reset the stream.
    /// </remarks>
    /// <param name="protocolId">The protocol.</param>
    /// <param name="writeFirst">Writes what the protocol says first and does not flush; more than some 64 KiB may not fit in the stream's first window.</param>
    /// <param name="cancelled">Ends the attempt; it also ends at <see cref="Libp2pHostOptions.NegotiationDeadline"/>.</param>
    /// <exception cref="Libp2pException">As <see cref="OpenStreamAsync(string, CancellationToken)"/>.</exception>
    public Task<Libp2pStream> OpenStreamAsync(string protocolId, Action<PipeWriter> writeFirst, CancellationToken cancelled) =>
        InTimeAsync(protocolId, (stream, late) => AgreeAsync(stream, protocolId, writeFirst, late), cancelled);

    /// <summary>As <see cref="OpenStreamAsync(string, Action{PipeWriter}, CancellationToken)"/>, for callers that bring the deadline.</summary>
    internal Task<Libp2pStream> OpenStreamUntilAsync(string protocolId, Action<PipeWriter> writeFirst, CancellationToken late) =>
        OpenAsync((stream, until) => AgreeAsync(stream, protocolId, writeFirst, until), late);

    /// <summary>Keeps the connection open though nothing happens on it, until the result is disposed. The peer may close it all the same.</summary>
    public IDisposable Keep() => new Keeper(this);

    /// <summary>The same, until a time.</summary>
    public void KeepUntil(DateTimeOffset time) => Volatile.Write(ref _keptUntilTicks, time.UtcTicks);

    /// <summary>Says goodbye and takes no more streams of either side; ends when the open ones have, or at the deadline with all of them.</summary>
    public Task LeaveAsync(CancellationToken deadline) => Muxed.LeaveAsync(deadline);

    /// <summary>Says goodbye and closes the connection with all its streams.</summary>
    public ValueTask CloseAsync() => Muxed.CloseAsync();

    /// <summary>Asks the peer about itself; once, when the connection is open.</summary>
    internal async Task IdentifyAsync()
    {
        IdentifyMessage? told = null;
        try
        {
            told = await IdentifyProtocol.AskAsync(this, _host);
        }
        finally
        {
            // Also after a mistake of ours: nobody may wait for it for ever.
            _identified.SetResult(told);
        }
    }

    /// <summary>Takes what the peer pushed, once it is <see cref="Identified"/>: of two pushes at once the second builds on the first.</summary>
    internal void Update(IdentifyMessage pushed)
    {
        lock (_updating)
        {
            IdentifyMessage updated = Identified.Result is IdentifyMessage known ? known.Updated(pushed) : pushed;
            Identified = Task.FromResult<IdentifyMessage?>(updated);
            _host.Learn(this, updated);
        }
    }

    private static async Task AgreeAsync(Libp2pStream stream, string protocolId, Action<PipeWriter> writeFirst, CancellationToken late)
    {
        await MultistreamSelect.ProposeAsync(stream, protocolId, writeFirst, late);
        stream.Protocol = protocolId;
    }

    private async Task<Libp2pStream> InTimeAsync(string protocols, Func<Libp2pStream, CancellationToken, Task> agree, CancellationToken cancelled)
    {
        using Deadline deadline = new(_host.Options.NegotiationDeadline, _host.Options.Time, cancelled);
        try
        {
            return await OpenAsync(agree, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error($"Agreeing on {protocols} with {Remote}");
        }
    }

    private async Task<Libp2pStream> OpenAsync(Func<Libp2pStream, CancellationToken, Task> agree, CancellationToken late)
    {
        Libp2pStream stream = await Muxed.OpenStreamAsync(late);
        try
        {
            await agree(stream, late);
            return stream;
        }
        catch
        {
            stream.Reset();
            throw;
        }
    }

    private sealed class Keeper : IDisposable
    {
        private readonly PeerConnection _connection;
        private int _released;

        internal Keeper(PeerConnection connection)
        {
            _connection = connection;
            Interlocked.Increment(ref connection._keepers);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                Interlocked.Decrement(ref _connection._keepers);
            }
        }
    }
}

/// <summary>How a connection came to be.</summary>
/// <param name="RemoteAddress">As <see cref="PeerConnection.RemoteAddress"/>.</param>
/// <param name="RemoteIp">As <see cref="PeerConnection.RemoteIp"/>.</param>
/// <param name="IsDialer">Whether we dialled.</param>
/// <param name="Limit">What a relay allows.</param>
internal sealed record ConnectionOrigin(Multiaddr RemoteAddress, IPAddress? RemoteIp, bool IsDialer, ConnectionLimit? Limit);
