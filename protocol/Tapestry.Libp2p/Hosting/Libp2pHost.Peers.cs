using System.Globalization;

namespace Tapestry.Libp2p;

/// <summary>Who is where: the address book, what we announce, and dialling by peer id.</summary>
public sealed partial class Libp2pHost
{
    private readonly Announcer _announcer;
    private readonly PeerDialer _dialer;
    private readonly SharedDials<PeerId> _peerDials = new();

    /// <summary>A peer has told about itself, by identify or by a push, and the address book knows. Must not block or throw.</summary>
    public event Action<PeerConnection, IdentifyMessage>? PeerIdentified;

    /// <summary>Where peers are reached.</summary>
    public AddressBook AddressBook { get; }

    /// <summary>Where we say that we are reached, best first, without our peer id; empty before <see cref="Start"/>.</summary>
    public IReadOnlyList<Multiaddr> AnnouncedAddresses => _announcer.Addresses;

    /// <summary>Where connected peers say that they see us, most of them first. Nothing of it is proved.</summary>
    public IReadOnlyList<ObservedAddress> ObservedAddresses =>
    [
        .. Connections
            .SelectMany(connection => ObservedBy(connection).Select(address => (Address: address, connection.Remote)))
            .Distinct()
            .GroupBy(observed => observed.Address)
            .Select(group => new ObservedAddress(group.Key, group.Count()))
            .OrderByDescending(observed => observed.Peers)
            .ThenBy(observed => observed.Address.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>A connection to a peer: an open one, or a new one to whichever of its known addresses answers first.</summary>
    /// <remarks>Addresses that failed lately rest (<see cref="AddressBook.RestOf"/>) and are not tried. Concurrent calls for one peer share one attempt.</remarks>
    /// <param name="peer">Whom to reach.</param>
    /// <param name="cancelled">Ends the wait.</param>
    /// <exception cref="ArgumentException">The peer is ourselves.</exception>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.Unreachable"/> when no address is known, <see cref="Libp2pFault.BackingOff"/> when all rest, or why the last one failed.</exception>
    public async Task<PeerConnection> DialAsync(PeerId peer, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(peer);
        return peer == PeerId
            ? throw new ArgumentException($"{peer} is our own peer id.", nameof(peer))
            : FindConnection(peer) ?? await _peerDials.DialAsync(peer, abandoned => _dialer.ConnectAsync(peer, abandoned), cancelled);
    }

    /// <summary>Announces addresses beside those that we listen on, in place of what the same source had us announce before.</summary>
    /// <param name="source">Which part of the program knows of them.</param>
    /// <param name="addresses">The addresses, such as those through a relay; none takes them back.</param>
    public void Announce(string source, IReadOnlyList<Multiaddr> addresses)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(addresses);
        _announcer.Add(source, addresses);
    }

    /// <summary>Takes what a peer told about itself, which only the record in it proves.</summary>
    internal void Learn(PeerConnection connection, IdentifyMessage message)
    {
        if (message.Record is SignedPeerRecord record && record.Peer == connection.Remote)
        {
            AddressBook.Accept(record);
        }
        else
        {
            AddressBook.Tell(connection.Remote, message.ListenAddresses);
        }

        PeerIdentified?.Invoke(connection, message);
    }

    internal IdentifyMessage Describe(PeerConnection connection) => new()
    {
        PublicKey = _identity.PublicKey,
        ListenAddresses = AnnouncedAddresses,
        Protocols = [.. _handlers.Keys.Order(StringComparer.Ordinal)],
        ObservedAddress = connection.RemoteAddress,
        AgentVersion = Options.AgentVersion,
        Record = AnnouncedAddresses.Count > 0 ? AddressBook.RecordOf(PeerId) : null,
    };

    /// <summary>What a peer's view of us says about where we are reached: the port that we dialled from is not one to dial.</summary>
    private IEnumerable<Multiaddr> ObservedBy(PeerConnection connection)
    {
        if (!connection.Identified.IsCompletedSuccessfully
            || connection.Identified.Result?.ObservedAddress is not Multiaddr observed
            || !observed.TryGetTcp(out MultiaddrPart host, out _))
        {
            return [];
        }

        return !connection.IsDialer ? [observed.WithoutPeer()] : ListenAddresses
            .Select(address => address.TryGetTcp(out MultiaddrPart own, out ushort port) && own.Protocol == host.Protocol ? port : (ushort)0)
            .Where(port => port > 0)
            .Select(port => Multiaddr.Parse(string.Create(CultureInfo.InvariantCulture, $"/{(host.Protocol == MultiaddrProtocol.Ip4 ? "ip4" : "ip6")}/{host.Value}/tcp/{port}")));
    }
}
