namespace Tapestry.Libp2p;

/// <summary>The choice of a muxer inside a handshake, which saves a round trip of multistream-select.</summary>
/// <remarks>libp2p/specs, connections/inlined-muxer-negotiation.md.</remarks>
internal static class EarlyMuxer
{
    /// <summary>The first muxer of the dialler's list that the listener's has too; null when one of them names none.</summary>
    /// <exception cref="Libp2pException">Both name muxers and none is common: the handshake fails, as the specification says.</exception>
    internal static string? Choose(IReadOnlyList<string> ofDialer, IReadOnlyList<string> ofListener)
    {
        if (ofDialer.Count == 0 || ofListener.Count == 0)
        {
            return null;
        }

        return ofDialer.FirstOrDefault(ofListener.Contains)
            ?? throw new Libp2pException(Libp2pFault.ProtocolNotSupported, "The remote's handshake names only muxers that we do not speak.");
    }
}
