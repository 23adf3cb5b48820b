namespace Tapestry.Libp2p;

/// <summary>Answers a stream that a peer opened for a protocol that we announced.</summary>
/// <param name="stream">The stream, negotiated; disposed when the handler ends, and reset when it throws.</param>
/// <param name="connection">The connection that it came in by.</param>
/// <param name="ended">Cancelled when the connection has ended or the host stops.</param>
public delegate Task StreamHandler(Libp2pStream stream, PeerConnection connection, CancellationToken ended);
