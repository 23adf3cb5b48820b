using Tapestry.Protocol.Partners;

namespace Tapestry.Sim;

/// <summary>Rules to break on purpose: a campaign that does not notice is no proof of anything.</summary>
/// <remarks>specs/70-simulation.md, section 5, has the table of what noticed which.</remarks>
internal static class Mutations
{
    internal const string None = "none";

    private static readonly (string Name, Func<WorldOptions, WorldOptions> Apply)[] All =
    [
        (None, options => options),
        ("quorum-minus-one", options => options with { SeededBug = SeededBug.QuorumMinusOne }),
        ("finalize-after-nullify", options => options with { SeededBug = SeededBug.FinalizeAfterNullify }),
        ("skip-justification", options => options with { SeededBug = SeededBug.SkipJustification }),
        ("one-receipt-is-enough", options => options with { SeededBug = SeededBug.OneReceiptIsEnough }),
        ("omission-is-fine", options => options with { SeededBug = SeededBug.OmissionIsFine }),
        ("void-is-always-valid", options => options with { SeededBug = SeededBug.VoidIsAlwaysValid }),
        ("no-guard", options => options with { Forgotten = [Table.Slots] }),
        ("forget-certificates", options => options with { Forgotten = [Table.Certificates] }),
        ("forget-receipts", options => options with { Forgotten = [Table.Receipts] }),
    ];

    internal static IEnumerable<string> Names => All.Select(mutation => mutation.Name);

    internal static WorldOptions Apply(string name, WorldOptions options) => All.Single(mutation => mutation.Name == name).Apply(options);
}
