using System.Net;

namespace Tapestry.Libp2p;

/// <summary>What a relay has promised and what it carries, within its limits.</summary>
internal sealed class RelayTable(RelayLimits limits, TimeProvider time)
{
    private readonly Lock _sync = new();
    private readonly Dictionary<PeerId, (IPAddress Address, DateTimeOffset Expires)> _reservations = [];
    private readonly Dictionary<PeerId, int> _circuitsOf = [];
    private int _circuits;

    /// <summary>Who has a reservation at this moment.</summary>
    internal IReadOnlyList<PeerId> Reserved()
    {
        lock (_sync)
        {
            DropExpired();
            return [.. _reservations.Keys];
        }
    }

    /// <summary>Makes or refreshes the reservation of a peer.</summary>
    /// <param name="peer">The peer; it has one reservation, however often it asks.</param>
    /// <param name="address">The IP address that it comes from; of IPv6, the network counts.</param>
    /// <param name="expires">When the reservation ends, in whole seconds, as the wire has it.</param>
    /// <returns>False when there are too many, in all or from that address.</returns>
    internal bool TryReserve(PeerId peer, IPAddress address, out DateTimeOffset expires)
    {
        expires = DateTimeOffset.FromUnixTimeSeconds((time.GetUtcNow() + limits.ReservationDuration).ToUnixTimeSeconds());
        lock (_sync)
        {
            DropExpired();
            int others = _reservations.Count(held => held.Key != peer);
            IPAddress key = CallerGate.KeyOf(address);
            int atAddress = _reservations.Count(held => held.Key != peer && held.Value.Address.Equals(key));
            if (others >= limits.Reservations || atAddress >= limits.ReservationsPerAddress)
            {
                return false;
            }

            _reservations[peer] = (key, expires);
            return true;
        }
    }

    internal void Release(PeerId peer)
    {
        lock (_sync)
        {
            _reservations.Remove(peer);
        }
    }

    internal bool HasReservation(PeerId peer)
    {
        lock (_sync)
        {
            return _reservations.TryGetValue(peer, out (IPAddress Address, DateTimeOffset Expires) held) && held.Expires > time.GetUtcNow();
        }
    }

    /// <summary>Counts a connection that we carry; false when there are too many, in all or of one of the two.</summary>
    internal bool TryOpenCircuit(PeerId source, PeerId target)
    {
        lock (_sync)
        {
            if (_circuits >= limits.Circuits
                || _circuitsOf.GetValueOrDefault(source) >= limits.CircuitsPerPeer
                || _circuitsOf.GetValueOrDefault(target) >= limits.CircuitsPerPeer)
            {
                return false;
            }

            _circuits++;
            _circuitsOf[source] = _circuitsOf.GetValueOrDefault(source) + 1;
            _circuitsOf[target] = _circuitsOf.GetValueOrDefault(target) + 1;
            return true;
        }
    }

    internal void CloseCircuit(PeerId source, PeerId target)
    {
        lock (_sync)
        {
            _circuits--;
            Uncount(source);
            Uncount(target);
        }
    }

    private void Uncount(PeerId peer)
    {
        if (--_circuitsOf[peer] == 0)
        {
            _circuitsOf.Remove(peer);
        }
    }

    private void DropExpired()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (PeerId peer in _reservations.Where(held => held.Value.Expires <= now).Select(held => held.Key).ToArray())
        {
            _reservations.Remove(peer);
        }
    }
}
