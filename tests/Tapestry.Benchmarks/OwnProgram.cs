using System.Diagnostics;

namespace Tapestry.Benchmarks;

/// <summary>This program again, in another part: one side of a measurement.</summary>
internal static class OwnProgram
{
    /// <summary>How to start it with these arguments, however this process was started.</summary>
    public static ProcessStartInfo With(params IEnumerable<string> arguments)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        bool isHosted = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return new ProcessStartInfo(program, isHosted ? arguments.Prepend(typeof(OwnProgram).Assembly.Location) : arguments);
    }
}
