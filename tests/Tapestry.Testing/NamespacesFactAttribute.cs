using System.Diagnostics;
using Xunit;

namespace Tapestry.Testing;

/// <summary>A fact in network namespaces, which needs root and ip(8); skipped, by name, without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NamespacesFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Missing = new(FindMissing);

    /// <summary>Skips where no namespace can be made.</summary>
    public NamespacesFactAttribute() => Skip = Missing.Value!;

    private static string? FindMissing()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "needs network namespaces: run as root";
        }

        // A container may call us root and allow nothing.
        string probe = $"tap-{Environment.ProcessId}-probe";
        return Run("netns", "add", probe) && Run("netns", "del", probe) ? null : "needs network namespaces: ip netns add fails here";
    }

    private static bool Run(params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no ip.
            return false;
        }
    }
}
