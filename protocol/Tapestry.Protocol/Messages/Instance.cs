using Tapestry.Crypto;

namespace Tapestry.Protocol.Messages;

/// <summary>Which decision a message belongs to within its round.</summary>
public enum AgreementKind : byte
{
    /// <summary>None: a manifest, receipt or settlement.</summary>
    None = 0,

    /// <summary>Which manifests count.</summary>
    Set = 1,

    /// <summary>What the aggregate and the new base are.</summary>
    Result = 2,
}

/// <summary>What every signature binds besides its own type: the exact place in the life of the network.</summary>
/// <param name="Network">Digest of the genesis.</param>
/// <param name="Plan">Digest of the plan.</param>
/// <param name="Round">From 1; a number is never used again, not even after VOID.</param>
/// <param name="Attempt">0 for now.</param>
/// <param name="Fragment">0 for now.</param>
/// <param name="Agreement">The decision, or none.</param>
/// <param name="Committee">Digest of the committee for committee messages; zero for a manifest.</param>
/// <remarks>specs/20-agreement.md, section 2.</remarks>
public sealed partial record Instance(
    Digest Network, Digest Plan, long Round, int Attempt, int Fragment, AgreementKind Agreement, Digest Committee);
