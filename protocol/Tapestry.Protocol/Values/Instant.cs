namespace Tapestry.Protocol;

/// <summary>The moment of a step, handed in from outside: the rules have no clock.</summary>
/// <param name="WallMs">Milliseconds since the Unix epoch; may jump. Used for certified time only.</param>
/// <param name="MonotonicMs">Milliseconds of a clock that never goes back; its origin is arbitrary and changes at restart. Used for timers.</param>
public readonly record struct Instant(long WallMs, long MonotonicMs);
