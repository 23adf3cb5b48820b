namespace Tapestry.Libp2p;

/// <summary>Connects to a peer through a relay: asks the relay for a stream to it, and secures that stream end to end.</summary>
/// <remarks>libp2p/specs, relay/circuit-v2.md, "Connection Initiation".</remarks>
internal static class CircuitDialer
{
    /// <summary>Connects.</summary>
    /// <param name="host">Who dials.</param>
    /// <param name="address">Through exactly one relay, ending in the peer.</param>
    /// <param name="cancelled">The deadline of the whole: to the relay, through it, and of the handshake.</param>
    /// <exception cref="Libp2pException">Why there is no connection.</exception>
    internal static async Task<PeerConnection> DialAsync(Libp2pHost host, Multiaddr address, CancellationToken cancelled)
    {
        if (!address.TryGetRelay(out Multiaddr? relay) || relay.Peer == address.Peer || relay.Peer == host.PeerId)
        {
            throw new Libp2pException(
                Libp2pFault.Unreachable, $"Cannot dial {address}: expected /…/p2p/RELAY/p2p-circuit/p2p/PEER, through one relay that is neither the peer nor us.");
        }

        PeerConnection toRelay = await host.DialAsync(relay, cancelled);
        Libp2pStream stream = await toRelay.OpenStreamAsync(CircuitRelay.HopId, cancelled);
        try
        {
            HopMessage request = new() { Type = HopMessageType.Connect, Peer = address.Peer };
            HopMessage answer = await RelayStream.AskAsync(stream, request, cancelled);
            return await host.UpgradeAsync(stream.AsStream(host.Options.Time), address, isDialer: true, answer.Limit, cancelled);
        }
        catch
        {
            stream.Reset();
            throw;
        }
    }
}
