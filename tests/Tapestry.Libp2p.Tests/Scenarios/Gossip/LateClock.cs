namespace Tapestry.Libp2p.Tests.Scenarios.Gossip;

/// <summary>The system's clock, set back; what measures time is as ever.</summary>
internal sealed class LateClock(TimeSpan behind) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - behind;
}
