namespace Tapestry.Libp2p.Gossip;

/// <summary>Every way in which a gossiping peer can be wrong. Never thrown: it is counted, reported and scored.</summary>
/// <remarks>specs/50-network.md, "Gossip", lists what each costs the peer: P4 counts invalid messages of a topic, P7 misbehaviour.</remarks>
public enum GossipFault : byte
{
    /// <summary>No fault.</summary>
    None = 0,

    /// <summary>An RPC is longer than <see cref="GossipLimits.RpcBytes"/>. P7, and its stream is reset.</summary>
    RpcTooLarge,

    /// <summary>Bytes that are no RPC, or more entries than <see cref="GossipLimits.EntriesPerRpc"/>. P7, and its stream is reset.</summary>
    RpcMalformed,

    /// <summary>A message carries more data than <see cref="GossipLimits.MessageDataBytes"/>. P4.</summary>
    MessageTooLarge,

    /// <summary>A message without signature, author or sequence number. P4.</summary>
    SignatureMissing,

    /// <summary>The signature does not verify. P4.</summary>
    SignatureInvalid,

    /// <summary>The author is not a peer id. P4.</summary>
    AuthorMalformed,

    /// <summary>The key is not the author's, or is missing where the author's id does not contain it. P4.</summary>
    KeyMismatch,

    /// <summary>A sequence number that is not eight bytes. P4.</summary>
    SequenceLength,

    /// <summary>A message that claims to be ours came from somebody else. P4.</summary>
    SelfOrigin,

    /// <summary>The application rejected the message. P4, for everybody who sent it.</summary>
    Rejected,

    /// <summary>The peer sent the same message again unasked, or one of its own so old that we have forgotten it. A tenth of P7, so that only a habit counts.</summary>
    Replayed,

    /// <summary>A message of a topic that we have not been subscribed to for a while. A tenth of P7.</summary>
    UnwantedTopic,

    /// <summary>More subscriptions than <see cref="GossipLimits.TopicsPerPeer"/>; the surplus is ignored. P7.</summary>
    TooManyTopics,

    /// <summary>More IHAVE in a heartbeat than allowed; ignored. P7.</summary>
    IhaveFlood,

    /// <summary>More IWANT in a heartbeat, or for one message, than allowed; not answered. P7.</summary>
    IwantFlood,

    /// <summary>More IDONTWANT in a heartbeat than allowed; ignored. A tenth of P7 a heartbeat.</summary>
    IdontwantFlood,

    /// <summary>A GRAFT for a topic that we are not in; ignored. A tenth of P7.</summary>
    GraftUnknownTopic,

    /// <summary>A GRAFT before the back-off has passed; answered with PRUNE. P7.</summary>
    GraftInBackoff,

    /// <summary>A GRAFT right after a PRUNE; counts beside <see cref="GraftInBackoff"/>. P7.</summary>
    GraftFlood,

    /// <summary>A message that the peer advertised and we asked for did not come from anybody in time. P7.</summary>
    BrokenPromise,

    /// <summary>A signed peer record in a PRUNE that is not one, or of another peer. P7.</summary>
    PeerRecordInvalid,

    /// <summary>The peer has not read for <see cref="GossipLimits.NotReadingTime"/> and its control queue is full. P7, and the stream to it is reset.</summary>
    NotReading,

    /// <summary>The peer says more of its own in a heartbeat than twice <see cref="GossipParameters.MessagesPerAuthor"/>; the surplus is not heard. P7 a heartbeat.</summary>
    AuthorFlood,
}
