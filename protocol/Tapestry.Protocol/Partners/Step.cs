namespace Tapestry.Protocol.Partners;

/// <summary>What one event came to: first the records, in one synced batch, then the effects, in order.</summary>
public sealed record Step(Sequence<Record> Records, Sequence<Effect> Effects);
