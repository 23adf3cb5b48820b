namespace Tapestry.Libp2p;

/// <summary>What a relay grants a connection that it carries; at the end of either the connection is cut.</summary>
/// <param name="Duration">How long it may be open; null for as long as the relay runs.</param>
/// <param name="Bytes">How many bytes may pass each way; null for any number.</param>
public sealed record ConnectionLimit(TimeSpan? Duration, long? Bytes);
