namespace Tapestry.Protocol.Partners;

/// <summary>A rule that is broken on purpose, for the simulator's mutation check; a partner of a real network has none.</summary>
/// <remarks>specs/70-simulation.md, section 5. Forgotten records need no switch here: the simulated disk forgets them.</remarks>
internal enum SeededBug : byte
{
    /// <summary>The rules as they are.</summary>
    None = 0,

    /// <summary>A certificate needs one vote too few.</summary>
    QuorumMinusOne = 1,

    /// <summary>FINALIZE is signed even where NULLIFY was.</summary>
    FinalizeAfterNullify = 2,

    /// <summary>A proposal needs neither its parent nor the nullifications in between.</summary>
    SkipJustification = 3,

    /// <summary>One receipt makes a manifest fully receipted.</summary>
    OneReceiptIsEnough = 4,

    /// <summary>A set is judged Valid whoever it leaves out.</summary>
    OmissionIsFine = 5,

    /// <summary>VOID is judged Valid whenever it is proposed.</summary>
    VoidIsAlwaysValid = 6,
}
