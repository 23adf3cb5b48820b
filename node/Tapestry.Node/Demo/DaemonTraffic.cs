using Tapestry.Node.Daemon;

namespace Tapestry.Node.Demo;

/// <summary>What a daemon counted on the network, in one life or in several.</summary>
/// <param name="SentBytes">Payload sent.</param>
/// <param name="ReceivedBytes">Payload received.</param>
/// <param name="ReceivedBlobBytes">How much of what was received were chunks of shards, aggregates and bases.</param>
internal readonly record struct DaemonTraffic(long SentBytes, long ReceivedBytes, long ReceivedBlobBytes)
{
    /// <summary>What a daemon says of the life that it is in.</summary>
    public static DaemonTraffic Of(StatusReport report) => new(report.SentBytes, report.ReceivedBytes, report.ReceivedBlobBytes);

    /// <summary>Both together.</summary>
    public static DaemonTraffic operator +(DaemonTraffic one, DaemonTraffic other) => new(
        one.SentBytes + other.SentBytes, one.ReceivedBytes + other.ReceivedBytes, one.ReceivedBlobBytes + other.ReceivedBlobBytes);
}
