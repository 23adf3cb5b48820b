namespace Tapestry.Libp2p;

/// <summary>How many streams each peer has open with us, over all its connections and of each protocol.</summary>
/// <remarks>May be used from any thread.</remarks>
internal sealed class StreamQuota(ResourceLimits limits)
{
    private readonly Lock _sync = new();
    private readonly Dictionary<PeerId, Dictionary<string, int>> _open = [];

    // What a stream counts under before its protocol is agreed on, and as part of all after that.
    private const string All = "";

    /// <summary>Counts a stream that the peer opened; null, or why it is refused.</summary>
    internal Libp2pException? TryEnter(PeerId peer) =>
        TryAdd(peer, All, limits.StreamsPerPeer) ? null : Over($"{peer} has {limits.StreamsPerPeer} streams open", nameof(ResourceLimits.StreamsPerPeer));

    /// <summary>Counts a stream for its protocol too; null, or why it is refused.</summary>
    internal Libp2pException? TryEnter(PeerId peer, string protocolId) =>
        TryAdd(peer, protocolId, limits.StreamsPerProtocol)
            ? null
            : Over($"{peer} has {limits.StreamsPerProtocol} streams open for {protocolId}", nameof(ResourceLimits.StreamsPerProtocol));

    /// <summary>A stream that had entered has ended.</summary>
    /// <param name="peer">Whose it was.</param>
    /// <param name="protocolId">The protocol for which it had entered; null when for none.</param>
    internal void Leave(PeerId peer, string? protocolId)
    {
        lock (_sync)
        {
            Dictionary<string, int> counts = _open[peer];
            if (protocolId is not null && --counts[protocolId] == 0)
            {
                counts.Remove(protocolId);
            }

            if (--counts[All] == 0)
            {
                _open.Remove(peer);
            }
        }
    }

    private bool TryAdd(PeerId peer, string key, int most)
    {
        lock (_sync)
        {
            if (!_open.TryGetValue(peer, out Dictionary<string, int>? counts))
            {
                counts = new Dictionary<string, int>(StringComparer.Ordinal);
                _open.Add(peer, counts);
            }

            int count = counts.GetValueOrDefault(key);
            if (count >= most)
            {
                return false;
            }

            counts[key] = count + 1;
            return true;
        }
    }

    private static Libp2pException Over(string what, string limit) =>
        new(Libp2pFault.ResourceLimit, $"{what}, the most that {limit} allows.");
}
