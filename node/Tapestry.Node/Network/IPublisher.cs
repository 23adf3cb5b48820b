using Tapestry.Protocol.Messages;

namespace Tapestry.Node.Network;

/// <summary>Says to everyone what the rules publish. It may reach nobody: the rules say it again, on streams.</summary>
internal interface IPublisher
{
    /// <summary>Says a message to everyone, or drops it; never waits.</summary>
    void Publish(PeerMessage message);
}
