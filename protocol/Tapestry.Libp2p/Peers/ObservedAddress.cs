namespace Tapestry.Libp2p;

/// <summary>Where connected peers say that they see us: what a person would call our address from outside.</summary>
/// <param name="Address">An address to be reached at, if peers are right. Of a connection that we dialled, its host with a port that we listen on.</param>
/// <param name="Peers">How many different peers say so.</param>
public sealed record ObservedAddress(Multiaddr Address, int Peers);
