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
    private readonly LinkSettings _settings;
    private readonly Autonat _autonat;
    private readonly CircuitRelay _relay;

    /// <summary>Answers members that want to know how they are reached, or to be reached through us; and reserves while others cannot dial us.</summary>
    public MemberRelay(Libp2pHost host, Genesis genesis, Neighbours neighbours, Reach reach, LinkSettings settings)
    {
        _settings = settings;

        // So many that one of them is honest.
        int needed = ((genesis.Members.Count - 1) / 3) + 1;
        _autonat = new Autonat(host, new AutonatOptions { AnswersNeeded = needed, Asks = reach == Reach.Auto });
        bool IsMember(PeerId peer) => neighbours.TryGetMember(peer, out _);
        _relay = new CircuitRelay(host, new CircuitRelayOptions
        {
            Use = reach switch
            {
                Reach.Direct => RelayUse.Never,
                Reach.Relayed => RelayUse.Always,
                _ => RelayUse.WhenPrivate,
            },
            Autonat = _autonat,
            AsksConnectedPeers = true,
            Serves = true,
            MayReserve = IsMember,
            IsUnlimited = IsMember,
        });
        _relay.ReservationsChanged += OnReservationsChanged;
        _relay.RelayFailed += OnRelayFailed;
        _relay.RequestRefused += (peer, status) => OnRequestRefused(neighbours, peer, status);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        await _autonat.DisposeAsync();
    }

    private void OnReservationsChanged()
    {
        IReadOnlyList<RelayReservation> held = _relay.Reservations;
        if (held.Count > 0)
        {
            NetworkLog.ReachedThrough(_settings.Logger, string.Join(", ", held.Select(reservation => reservation.Relay)));
        }
    }

    private void OnRequestRefused(Neighbours neighbours, PeerId peer, RelayStatus status)
    {
        if (neighbours.TryGetMember(peer, out Member? member))
        {
            _settings.Board.Count(member.Id, status);
        }
    }

    private void OnRelayFailed(Multiaddr relay, Libp2pException refusal) =>
        NetworkLog.NotReachedThrough(_settings.Logger, relay.Peer!.ToString(), refusal.Fault.ToString());
}
