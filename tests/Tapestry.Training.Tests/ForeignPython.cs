using System.Diagnostics;
using Xunit;

namespace Tapestry.Training.Tests;

/// <summary>Runs the committed scripts in Debian's Python, whose torch shares libtorch's code but none of ours.</summary>
internal static class ForeignPython
{
    // By full path: "python3" may be another one, without torch.
    private const string Interpreter = "/usr/bin/python3";

    internal static string? SkipReason { get; } = HasTorch() ? null : "needs Debian's python3-torch";

    internal static string Run(string script, params string[] arguments)
    {
        string path = Path.Combine(Testing.Repository.Root, "tests", "foreign", "python", script);
        (int exit, string output, string error) = Start([path, .. arguments]);
        return exit == 0 ? output : throw new InvalidOperationException($"{script} failed:\n{error}");
    }

    private static bool HasTorch() => File.Exists(Interpreter) && Start(["-c", "import torch"]).Exit == 0;

    private static (int Exit, string Output, string Error) Start(IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Interpreter, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["OMP_NUM_THREADS"] = "1" },
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}

/// <summary>A theory that needs Debian's python3-torch; skipped, by name, where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonTheoryAttribute : TheoryAttribute
{
    public PythonTheoryAttribute() => Skip = ForeignPython.SkipReason!;
}
