namespace Tapestry.Libp2p.Gossip;

/// <summary>What the application thinks of a message.</summary>
public enum GossipVerdict : byte
{
    /// <summary>The message was taken: it is forwarded, and whoever sent it first is credited.</summary>
    Accept,

    /// <summary>The message breaks the application's rules: it is dropped, and everybody who sent it is scored for it.</summary>
    Reject,

    /// <summary>The message is of no use, which is nobody's fault: it is dropped.</summary>
    Ignore,
}

/// <summary>Judges a message whose signature holds, before it goes on to anybody; accepting it is also taking it.</summary>
/// <param name="message">The message; its data stays valid.</param>
/// <param name="cancelled">Cancelled when the service stops.</param>
/// <remarks>Called once for every id, at the same time for several messages; should be quick, because the sender's stream is not read meanwhile beyond <see cref="GossipLimits.ValidationsPerPeer"/>.</remarks>
public delegate ValueTask<GossipVerdict> GossipValidator(GossipMessage message, CancellationToken cancelled);
