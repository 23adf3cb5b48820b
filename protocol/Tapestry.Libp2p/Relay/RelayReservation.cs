namespace Tapestry.Libp2p;

/// <summary>A relay's promise to carry connections to us, while we stay connected to it.</summary>
/// <param name="Relay">The relay.</param>
/// <param name="Expires">When the promise ends, by the relay's clock; it is refreshed before.</param>
/// <param name="Addresses">Where we are reached through it: <c>/…/p2p/RELAY/p2p-circuit/p2p/US</c>.</param>
/// <param name="Limit">What each connection may be; null for no limit.</param>
/// <param name="Voucher">The relay's signed word, checked; null where it gave none.</param>
public sealed record RelayReservation(
    PeerId Relay, DateTimeOffset Expires, IReadOnlyList<Multiaddr> Addresses, ConnectionLimit? Limit, RelayVoucher? Voucher);
