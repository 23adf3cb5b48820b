using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tapestry.Node.Demo;

/// <summary>What the base library lacks: asking another process to stop.</summary>
internal static partial class ProcessSignals
{
    private const int SigTerm = 15;

    /// <summary>Sends SIGTERM; nothing happens if the process has ended.</summary>
    public static void Terminate(Process process) => _ = Kill(process.Id, SigTerm);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
