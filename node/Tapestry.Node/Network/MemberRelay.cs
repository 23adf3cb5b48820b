using System.Threading.Channels;
using Tapestry.Libp2p;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>How a member is reached by the others.</summary>
internal enum Reach
{
    /// <summary>As members find out by dialling back: directly, or through others where they cannot.</summary>
    Auto = 0,

    /// <summary>Directly: whoever runs it has seen to that.</summary>
    Direct,

    /// <summary>Through others: whoever runs it knows that nobody can dial it.</summary>
    Relayed,
}

/// <summary>Members that cannot be dialled are reached through those that can: each relays for members, and reserves where it is needed.</summary>
/// <remarks>specs/50-network.md, section 11.7. Where we are reached through others goes into our signed record like any address.</remarks>
internal sealed class MemberRelay : IAsyncDisposable
{
    // One may go away.
    private const int Reservations = 2;

    // When nothing else wakes us: a member that refused is asked again.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    private readonly Libp2pHost _host;
    private readonly Reach _reach;
    private readonly LinkSettings _settings;
    private readonly Autonat _autonat;
    private readonly CircuitRelay _relay;
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Answers members that want to know how they are reached, or to be reached through us.</summary>
    public MemberRelay(Libp2pHost host, Genesis genesis, Neighbours neighbours, Reach reach, LinkSettings settings)
    {
        _host = host;
        _reach = reach;
        _settings = settings;

        // So many that one of them is honest.
        int needed = ((genesis.Members.Count - 1) / 3) + 1;
        _autonat = new Autonat(host, new AutonatOptions { AnswersNeeded = needed, Asks = reach == Reach.Auto });
        bool IsMember(PeerId peer) => neighbours.TryGetMember(peer, out _);
        _relay = new CircuitRelay(host, new CircuitRelayOptions { Use = RelayUse.Never, Serves = true, MayReserve = IsMember, IsUnlimited = IsMember });
        host.ConnectionOpened += _ => Wake();
        _autonat.Changed += _ => Wake();
        _relay.ReservationsChanged += Wake;
    }

    /// <summary>The members that promise to carry connections to us.</summary>
    public IReadOnlyList<PeerId> Relays => [.. _relay.Reservations.Select(reservation => reservation.Relay)];

    /// <summary>Keeps reservations while others cannot dial us.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                if (_reach == Reach.Relayed || _autonat.Reachability == Reachability.Private)
                {
                    await TryReserveAsync(stopping);
                }

                using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                await Task.WhenAny(Task.Delay(LookInterval, _settings.Time, over.Token), _news.Reader.ReadAsync(over.Token).AsTask());
                await over.CancelAsync();
                stopping.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // We stop.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        await _autonat.DisposeAsync();
    }

    private async Task TryReserveAsync(CancellationToken stopping)
    {
        try
        {
            await ReserveAsync(stopping);
        }
        catch (Exception mistake) when (mistake is not OperationCanceledException)
        {
            NetworkLog.Failed(_settings.Logger, "Being reached through others", (long)LookInterval.TotalMilliseconds, mistake);
        }
    }

    /// <summary>Whoever we could dial ourselves, others can dial too.</summary>
    private async Task ReserveAsync(CancellationToken stopping)
    {
        foreach (PeerConnection connection in _host.Connections.Where(connection => connection.IsDialer && !connection.IsRelayed))
        {
            if (_relay.Reservations.Count >= Reservations)
            {
                return;
            }

            if (Relays.Contains(connection.Remote))
            {
                continue;
            }

            try
            {
                await _relay.ReserveAsync(connection.RemoteAddress.WithPeer(connection.Remote), stopping);
                NetworkLog.ReachedThrough(_settings.Logger, connection.Remote.ToString());
            }
            catch (Libp2pException error)
            {
                NetworkLog.NotReachedThrough(_settings.Logger, connection.Remote.ToString(), error.Fault.ToString());
            }
        }
    }

    private void Wake() => _news.Writer.TryWrite(true);
}
