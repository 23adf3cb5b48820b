using Tapestry.Fuzz.Targets;

namespace Tapestry.Fuzz;

/// <summary>The one list of all targets.</summary>
internal static class FuzzTargets
{
    /// <summary>Every target, in the order in which they are run.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        .. WireTargets.All,
        .. IdentityTargets.All,
        .. RecordTargets.All,
        .. RelayTargets.All,
        .. GossipTargets.All,
        .. SecurityTargets.All,
        .. ConnectionTargets.All,
        .. MessageTargets.All,
        .. LedgerTargets.All,
        .. MemberTargets.All,
    ];
}
