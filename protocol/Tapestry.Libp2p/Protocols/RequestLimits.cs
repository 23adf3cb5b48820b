namespace Tapestry.Libp2p;

/// <summary>What a requester accepts: how much, and for how long it waits.</summary>
/// <param name="MaximumResponseBytes">The largest response; of a response in frames, the largest frame.</param>
/// <param name="Deadline">From the call to the last byte of a response; of a response in frames, from one frame to the next.</param>
public sealed record RequestLimits(int MaximumResponseBytes, TimeSpan Deadline);
