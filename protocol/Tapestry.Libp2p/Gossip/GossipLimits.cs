namespace Tapestry.Libp2p.Gossip;

/// <summary>How much a gossiping peer can make us hold or do. Part of <see cref="ResourceLimits"/>.</summary>
/// <remarks>specs/50-network.md, "Gossip". Bounds that both sides must know (heartbeat budgets) are <see cref="GossipParameters"/>.</remarks>
public sealed record GossipLimits
{
    /// <summary>The most data in one message, in bytes. Default 64 KiB: every byte crosses each mesh link, so what is larger travels on streams.</summary>
    public int MessageDataBytes { get; init; } = 64 * 1024;

    /// <summary>The longest RPC that is read or sent, in bytes. Default 1 MiB: what go-libp2p reads, and room for an IHAVE of 5000 ids.</summary>
    public int RpcBytes { get; init; } = 1024 * 1024;

    /// <summary>Entries in one RPC: subscriptions, messages, control messages and ids together. Default 8192: 5000 ids, which go and js allow, and what may ride along.</summary>
    public int EntriesPerRpc { get; init; } = 8192;

    /// <summary>The longest topic name, in bytes of UTF-8. Default 256: names are paths with a digest or two.</summary>
    public int TopicBytes { get; init; } = 256;

    /// <summary>Subscriptions that are kept of one peer. Default 256; with <see cref="TopicBytes"/>, at most 64 KiB a peer.</summary>
    public int TopicsPerPeer { get; init; } = 256;

    /// <summary>The longest message id, in bytes. Default 128: author and sequence number take 52, a digest 32.</summary>
    public int MessageIdBytes { get; init; } = 128;

    /// <summary>The longest signed peer record in a PRUNE, in bytes. Default 8 KiB: as much as identify may say.</summary>
    public int PeerRecordBytes { get; init; } = 8 * 1024;

    /// <summary>Ids that are remembered as seen. Default 131,072: about 25 MB, and 120 s of 1000 messages a second; floors of sequence numbers stop replays of what was forgotten.</summary>
    public int SeenIds { get; init; } = 128 * 1024;

    /// <summary>Authors whose highest forgotten sequence number, and whose key, are remembered. Default 4096: only authors of verified messages count, and a consortium has tens.</summary>
    public int RememberedAuthors { get; init; } = 4096;

    /// <summary>Peers whose score is kept after they have gone, and back-offs kept in a topic. Default 4096: far above what <see cref="ResourceLimits.Connections"/> lets in during an hour of good behaviour.</summary>
    public int RememberedPeers { get; init; } = 4096;

    /// <summary>Bytes of messages that are kept to answer IWANT. Default 32 MiB: 5 s at 6 MiB/s; beyond it the oldest go first.</summary>
    public long CacheBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Bytes of messages that wait to be sent to one peer. Default 2 MiB: a second of 16 Mbit/s; messages are shared between queues.</summary>
    public int QueueBytesPerPeer { get; init; } = 2 * 1024 * 1024;

    /// <summary>Messages that wait to be sent to one peer. Default 1024.</summary>
    public int QueueMessagesPerPeer { get; init; } = 1024;

    /// <summary>Control RPCs that wait to be sent to one peer, without IDONTWANT. Default 256: one or two a heartbeat are usual.</summary>
    public int QueueControlPerPeer { get; init; } = 256;

    /// <summary>IDONTWANT ids that wait to be sent to one peer. Default 512: those of a heartbeat; without one more, a message comes once too often.</summary>
    public int QueueDoNotWantIdsPerPeer { get; init; } = 512;

    /// <summary>How long nothing of what waits goes out before a full queue of control means that the peer does not read. Default 10 s: links stall for moments.</summary>
    public TimeSpan NotReadingTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Messages of one peer that wait for the application's verdict; then its stream is not read. Default 64.</summary>
    public int ValidationsPerPeer { get; init; } = 64;

    /// <summary>Refuses bounds that our own RPCs would break.</summary>
    /// <exception cref="ArgumentException">The bound, named.</exception>
    internal void Validate(GossipParameters parameters)
    {
        int most = Math.Max(parameters.HaveIdsPerHeartbeat, parameters.ExchangedPeers);
        if (EntriesPerRpc <= most)
        {
            throw new ArgumentException($"Gossip limits: {nameof(EntriesPerRpc)} = {EntriesPerRpc} is above {nameof(GossipParameters.HaveIdsPerHeartbeat)} and {nameof(GossipParameters.ExchangedPeers)}, {most}.");
        }

        // The longest lists that are not split: ids of one topic, and whom a PRUNE recommends.
        long ids = (long)parameters.HaveIdsPerHeartbeat * (MessageIdBytes + 4);
        long peers = (long)parameters.ExchangedPeers * (PeerRecordBytes + PeerId.MaximumLength + 16);
        long needed = Math.Max(ids, peers) + TopicBytes + 32;
        if (RpcBytes < needed)
        {
            throw new ArgumentException($"Gossip limits: {nameof(RpcBytes)} = {RpcBytes} is at least {needed}, for the ids or the recommended peers of one topic.");
        }
    }
}
