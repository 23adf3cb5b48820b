using Tapestry.Protocol.Messages;

namespace Tapestry.Node.Network;

/// <summary>Gossip that is off (<c>network:gossip</c>): nothing is said, and no peer finds anybody here to gossip with.</summary>
internal sealed class NoGossip : IPublisher
{
    /// <summary>Says in the log that it is off, since every round is slower for it.</summary>
    /// <param name="settings">What links share.</param>
    public NoGossip(LinkSettings settings) => NetworkLog.GossipIsOff(settings.Logger);

    /// <inheritdoc/>
    public void Publish(PeerMessage message)
    {
        // The rules say it again, on streams.
    }
}
