using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p;

/// <summary>Who may take our time before it is known who it is: sockets by address, in their handshake and after it.</summary>
/// <remarks>Costs a stranger one accepted socket and a look into a table. May be used from any thread.</remarks>
internal sealed class CallerGate(ResourceLimits limits, TimeProvider time)
{
    // Addresses are forgotten as soon as nothing of them is left; above this many they are looked through for such.
    private const int ForgetAbove = 4096;
    private const int SubnetBytes = 8;

    private readonly Lock _sync = new();
    private readonly Dictionary<IPAddress, Address> _addresses = [];
    private int _pending;

    /// <summary>Of how many addresses something is remembered.</summary>
    internal int KnownAddresses
    {
        get
        {
            lock (_sync)
            {
                return _addresses.Count;
            }
        }
    }

    /// <summary>Counts a socket that was accepted from an address.</summary>
    /// <param name="from">The address.</param>
    /// <param name="call">What to tell of its further way; null when it is refused.</param>
    /// <returns>Null, or why it is refused.</returns>
    internal Libp2pException? TryEnter(IPAddress from, out Call? call)
    {
        call = null;
        lock (_sync)
        {
            if (_pending >= limits.PendingHandshakes)
            {
                return Over($"{_pending} callers are in their handshake", nameof(ResourceLimits.PendingHandshakes));
            }

            IPAddress key = KeyOf(from);
            Address address = Find(key);
            if (address.Pending >= limits.PendingHandshakesPerAddress)
            {
                return Over($"{address.Pending} callers from {from} are in their handshake", nameof(ResourceLimits.PendingHandshakesPerAddress));
            }

            if (address.Pending + address.Open >= limits.ConnectionsPerAddress)
            {
                return Over($"{address.Open} connections from {from} are open", nameof(ResourceLimits.ConnectionsPerAddress));
            }

            if (address.Tokens < 1)
            {
                return new Libp2pException(
                    Libp2pFault.RateLimit, $"{from} calls faster than {limits.AcceptedPerAddressPerSecond} times a second, which {nameof(ResourceLimits.AcceptedPerAddressPerSecond)} allows.");
            }

            address.Tokens--;
            address.Pending++;
            _pending++;
            call = new Call(this, key);
            return null;
        }
    }

    private static Libp2pException Over(string what, string limit) =>
        new(Libp2pFault.ResourceLimit, $"{what}, the most that {limit} allows.");

    /// <summary>Of IPv6 the network: whoever has one address of it has them all.</summary>
    internal static IPAddress KeyOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(SubnetBytes).Clear();
        return new IPAddress(bytes);
    }

    private Address Find(IPAddress key)
    {
        long now = time.GetTimestamp();
        if (!_addresses.TryGetValue(key, out Address? address))
        {
            if (_addresses.Count >= ForgetAbove)
            {
                Forget(now);
            }

            address = new Address { Tokens = limits.ConnectionsPerAddress, RefilledAt = now };
            _addresses.Add(key, address);
        }

        Refill(address, now);
        return address;
    }

    private void Refill(Address address, long now)
    {
        double earned = time.GetElapsedTime(address.RefilledAt, now).TotalSeconds * limits.AcceptedPerAddressPerSecond;
        address.Tokens = Math.Min(limits.ConnectionsPerAddress, address.Tokens + earned);
        address.RefilledAt = now;
    }

    private void Forget(long now)
    {
        foreach ((IPAddress key, Address address) in _addresses)
        {
            Refill(address, now);
            if (address.Pending + address.Open == 0 && address.Tokens >= limits.ConnectionsPerAddress)
            {
                _addresses.Remove(key);
            }
        }
    }

    /// <summary>One accepted socket, from its handshake to its end.</summary>
    internal sealed class Call(CallerGate gate, IPAddress key) : IDisposable
    {
        private bool _isOpen;
        private bool _isOver;

        /// <summary>The handshake has succeeded.</summary>
        internal void Open()
        {
            lock (gate._sync)
            {
                _isOpen = true;
                gate._pending--;
                gate._addresses[key].Pending--;
                gate._addresses[key].Open++;
            }
        }

        /// <summary>The socket is closed.</summary>
        public void Dispose()
        {
            lock (gate._sync)
            {
                if (_isOver)
                {
                    return;
                }

                _isOver = true;
                if (_isOpen)
                {
                    gate._addresses[key].Open--;
                    return;
                }

                gate._pending--;
                gate._addresses[key].Pending--;
            }
        }
    }

    private sealed class Address
    {
        internal int Pending { get; set; }

        internal int Open { get; set; }

        internal double Tokens { get; set; }

        internal long RefilledAt { get; set; }
    }
}
