namespace Tapestry.Protocol.Agreement;

/// <summary>What a voter thinks of a proposed value.</summary>
/// <remarks>specs/20-agreement.md, section 5.</remarks>
public enum Judgement : byte
{
    /// <summary>Something is missing, or it is too early to say: no vote, until the view timer.</summary>
    Pending = 0,

    /// <summary>To be notarized.</summary>
    Valid = 1,

    /// <summary>To be nullified at once.</summary>
    Invalid = 2,
}
