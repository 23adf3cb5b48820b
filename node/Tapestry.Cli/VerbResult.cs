using Spectre.Console;

namespace Tapestry.Cli;

/// <summary>What a verb came to: an object for scripts and a view of the same for people.</summary>
/// <param name="Data">Printed inside the envelope with <c>--json</c>; serialised by its public properties.</param>
/// <param name="Show">Prints the result for people to standard output; null when there is nothing to show.</param>
/// <param name="ExitCode">How the process ends.</param>
public sealed record VerbResult(object? Data, Action<IAnsiConsole>? Show = null, ExitCode ExitCode = ExitCode.Ok)
{
    /// <summary>A result whose view for people is one line of plain text.</summary>
    public static VerbResult Line(object? data, string line) => new(data, console => console.WriteLine(line));
}
