using Microsoft.Extensions.Logging;

namespace Tapestry.Node.Daemon;

/// <summary>What a daemon says: once a round at Information, once a message at Trace. Peers' bytes are never logged.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(EventId = 2001, Level = LogLevel.Information,
        Message = "{Name} ({Peer}) listens on {Addresses}")]
    public static partial void Listens(ILogger logger, string name, string peer, string addresses);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "Status is served at {Address}")]
    public static partial void HttpListens(ILogger logger, string address);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Information,
        Message = "Round {Round}: base {Base}, {Included} members included, {Views} views, ledger {TreeSize} entries, {ElapsedMs} ms")]
    public static partial void RoundEnded(ILogger logger, long round, string @base, int included, int views, long treeSize, long elapsedMs);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning, Message = "Round {Round}: VOID after {Views} views and {ElapsedMs} ms; the base stays")]
    public static partial void RoundVoid(ILogger logger, long round, int views, long elapsedMs);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Warning, Message = "Member {Member}: {Fault}")]
    public static partial void MemberFault(ILogger logger, string member, Protocol.Partners.MemberFault fault);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Critical, Message = "Halted: {Reason}")]
    public static partial void Halted(ILogger logger, string reason);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Critical, Message = "The daemon cannot go on")]
    public static partial void Failed(ILogger logger, Exception error);

    [LoggerMessage(EventId = 2008, Level = LogLevel.Information, Message = "All {Rounds} rounds of the plan have ended; serving the others")]
    public static partial void RunEnded(ILogger logger, long rounds);

    [LoggerMessage(EventId = 2009, Level = LogLevel.Debug, Message = "Effect {Effect} failed: {Fault}, by {Blamed}")]
    public static partial void EffectFailed(ILogger logger, long effect, Protocol.Partners.EffectFault fault, string blamed);

    [LoggerMessage(EventId = 2010, Level = LogLevel.Warning, Message = "The loop is behind: a message of {Member} was dropped, {Times} of all members so far")]
    public static partial void InboxFull(ILogger logger, string member, long times);

    [LoggerMessage(EventId = 2011, Level = LogLevel.Information,
        Message = "Round {Round}: trained on {Tokens} tokens, own held-out loss {LossBefore:0.0000} to {LossAfter:0.0000} nats a token, {ElapsedMs} ms")]
    public static partial void Trained(ILogger logger, long round, long tokens, double lossBefore, double lossAfter, long elapsedMs);

    [LoggerMessage(EventId = 2012, Level = LogLevel.Error, Message = "Round {Round}: training failed: {Why}")]
    public static partial void TrainingFailed(ILogger logger, long round, string why);

    [LoggerMessage(EventId = 2013, Level = LogLevel.Warning,
        Message = "Round {Round}: what earlier encodings lost is gone from the disk; it is not made up for")]
    public static partial void ResidualLost(ILogger logger, long round);

    [LoggerMessage(EventId = 2014, Level = LogLevel.Information, Message = "{Runtime}")]
    public static partial void Computes(ILogger logger, string runtime);

    [LoggerMessage(EventId = 2015, Level = LogLevel.Warning, Message = "libtorch: {Warning}")]
    public static partial void ComputesBadly(ILogger logger, string warning);
}
