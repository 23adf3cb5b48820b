using System.Diagnostics;

namespace Tapestry.Node.Demo;

/// <summary>Starts this very program again, with other arguments.</summary>
internal static class OwnProgram
{
    /// <summary>Starts it with its outputs redirected.</summary>
    /// <param name="arguments">Its arguments.</param>
    public static Process Start(IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = Describe(arguments);
        return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
    }

    /// <summary>How it is started, for those who start it through another program.</summary>
    /// <param name="arguments">Its arguments.</param>
    public static ProcessStartInfo Describe(IReadOnlyList<string> arguments)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        ProcessStartInfo start = new(program) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        string assembly = typeof(OwnProgram).Assembly.Location;
        if (Path.GetFileNameWithoutExtension(program) is "dotnet" or "testhost" && assembly.Length > 0)
        {
            // Started through the SDK's host: the native launcher lies beside the assembly.
            start.FileName = Path.ChangeExtension(assembly, null);
        }

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // Idle threads of libtorch's pool would spin on the cores that the other daemons need.
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        return start;
    }
}
