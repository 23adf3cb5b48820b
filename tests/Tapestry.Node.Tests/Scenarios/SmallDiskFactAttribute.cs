using System.Diagnostics;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>A fact that needs a small disk of its own; skipped, by name, where this user may not mount one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SmallDiskFactAttribute : FactAttribute
{
    /// <summary>Skips where no small disk can be mounted.</summary>
    public SmallDiskFactAttribute() => Skip = CanMount() ? null! : "no small disk: needs root or unprivileged user namespaces";

    private static bool CanMount()
    {
        try
        {
            using Process probe = Process.Start(new ProcessStartInfo(
                "unshare", ["-rm", "sh", "-c", "mount -t tmpfs tmpfs /tmp"])
            {
                RedirectStandardError = true,
            })!;
            probe.WaitForExit();
            return probe.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
