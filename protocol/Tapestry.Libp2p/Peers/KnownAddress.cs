namespace Tapestry.Libp2p;

/// <summary>How an address came to be known, most reliable first.</summary>
public enum AddressSource : byte
{
    /// <summary>A person gave it (<see cref="AddressBook.Pin"/>); it is never forgotten.</summary>
    Given = 0,

    /// <summary>It stands in a record that the peer signed.</summary>
    Record,

    /// <summary>The peer told it over its own connection, unsigned, so it is not passed on.</summary>
    Told,
}

/// <summary>An address of a peer, and what came of dialling it.</summary>
/// <param name="Address">Where the peer may be reached, without its <c>/p2p/</c>.</param>
/// <param name="Source">How the address came to be known.</param>
/// <param name="LastReached">Whether the last dial that reached the peer went there.</param>
/// <param name="Failures">Dials of this address that failed since it last succeeded.</param>
/// <param name="Rest">How long it is left alone from now on; zero when it may be dialled.</param>
public sealed record KnownAddress(Multiaddr Address, AddressSource Source, bool LastReached, int Failures, TimeSpan Rest);
