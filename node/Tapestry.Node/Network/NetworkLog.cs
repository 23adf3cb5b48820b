using Microsoft.Extensions.Logging;

namespace Tapestry.Node.Network;

/// <summary>What the network says. Peers' bytes are never logged.</summary>
internal static partial class NetworkLog
{
    [LoggerMessage(EventId = 2101, Level = LogLevel.Information, Message = "Linked with {Member}")]
    public static partial void Linked(ILogger logger, string member);

    [LoggerMessage(EventId = 2102, Level = LogLevel.Information, Message = "Lost the link with {Member}: {Fault}; trying again in {PauseMs} ms")]
    public static partial void LinkLost(ILogger logger, string member, string fault, long pauseMs);

    [LoggerMessage(EventId = 2103, Level = LogLevel.Debug, Message = "Cannot reach {Member}: {Fault}; trying again in {PauseMs} ms")]
    public static partial void Unreachable(ILogger logger, string member, string fault, long pauseMs);

    [LoggerMessage(EventId = 2104, Level = LogLevel.Error,
        Message = "{Member} runs another network: {Fault}, theirs {Theirs}, ours {Ours}. One of you has the wrong genesis file")]
    public static partial void WrongGreeting(ILogger logger, string member, Protocol.Partners.MemberFault fault, string theirs, string ours);

    [LoggerMessage(EventId = 2105, Level = LogLevel.Warning, Message = "Refused {Peer}: not a member of this network (stranger); {Times} so far")]
    public static partial void Stranger(ILogger logger, string peer, long times);

    [LoggerMessage(EventId = 2106, Level = LogLevel.Debug, Message = "{Member} broke off {Protocol}: {Fault}")]
    public static partial void StreamFailed(ILogger logger, string member, string protocol, string fault);

    [LoggerMessage(EventId = 2107, Level = LogLevel.Warning, Message = "{Member} sent a message that was refused: {Fault}")]
    public static partial void MessageRefused(ILogger logger, string member, Protocol.Messages.MessageFault fault);

    [LoggerMessage(EventId = 2108, Level = LogLevel.Debug, Message = "A blob with {Member}: {Fault}")]
    public static partial void BlobFault(ILogger logger, string member, Swarm.BlobFault fault);

    [LoggerMessage(EventId = 2109, Level = LogLevel.Information,
        Message = "No address of {Member} is known yet: another member has to tell it, or {Member} has to dial us")]
    public static partial void NoAddress(ILogger logger, string member);

    [LoggerMessage(EventId = 2110, Level = LogLevel.Warning, Message = "{Member} answered {Protocol} with something else than was asked for")]
    public static partial void WrongAnswer(ILogger logger, string member, string protocol);

    [LoggerMessage(EventId = 2111, Level = LogLevel.Warning, Message = "The address of {Peer} cannot be kept for the next start: {Reason}")]
    public static partial void RecordNotKept(ILogger logger, string peer, string reason);

    [LoggerMessage(EventId = 2113, Level = LogLevel.Trace, Message = "Published {Bytes} bytes to {Peers} peers")]
    public static partial void Published(ILogger logger, int bytes, int peers);

    [LoggerMessage(EventId = 2122, Level = LogLevel.Warning, Message = "The numbers of our gossip cannot be kept for the next start: {Reason}")]
    public static partial void CeilingNotKept(ILogger logger, string reason);

    [LoggerMessage(EventId = 2123, Level = LogLevel.Warning, Message = "network:gossip is off: what is for everyone waits until it is said again, on streams")]
    public static partial void GossipIsOff(ILogger logger);

    [LoggerMessage(EventId = 2114, Level = LogLevel.Debug, Message = "{Peer} gossips against the rules: {Fault}")]
    public static partial void GossipBlamed(ILogger logger, string peer, Libp2p.Gossip.GossipFault fault);

    [LoggerMessage(EventId = 2115, Level = LogLevel.Error, Message = "A gossiped message could not be judged, which is a mistake of ours")]
    public static partial void GossipFailed(ILogger logger, Exception error);

    [LoggerMessage(EventId = 2119, Level = LogLevel.Debug, Message = "{Address} called and no connection was made: {Fault}; {Times} times so far")]
    public static partial void CallerRefused(ILogger logger, string address, Libp2p.Libp2pFault fault, long times);

    [LoggerMessage(EventId = 2120, Level = LogLevel.Warning, Message = "Refused a stream of {Member}: {Fault}; {Times} times so far")]
    public static partial void StreamRefused(ILogger logger, string member, Libp2p.Libp2pFault fault, long times);

    [LoggerMessage(EventId = 2121, Level = LogLevel.Error,
        Message = "Serving {Protocol} to {Member} failed by a mistake of ours; {Times} times so far")]
    public static partial void HandlerFailed(ILogger logger, string protocol, string member, long times, Exception mistake);

    [LoggerMessage(EventId = 2118, Level = LogLevel.Error, Message = "{What} failed by a mistake of ours and is tried again in {PauseMs} ms")]
    public static partial void Failed(ILogger logger, string what, long pauseMs, Exception mistake);

    [LoggerMessage(EventId = 2112, Level = LogLevel.Warning, Message = "{Reason} Going on with the addresses that members signed before")]
    public static partial void PeerListUnusable(ILogger logger, string reason);

    [LoggerMessage(EventId = 2116, Level = LogLevel.Information, Message = "Others reach this member through {Peers}")]
    public static partial void ReachedThrough(ILogger logger, string peers);

    [LoggerMessage(EventId = 2117, Level = LogLevel.Debug, Message = "Others cannot reach this member through {Peer}: {Fault}")]
    public static partial void NotReachedThrough(ILogger logger, string peer, string fault);
}
