using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tapestry.Node.Demo;

/// <summary>What the base library lacks: asking another process to stop, and an environment that native libraries see.</summary>
internal static partial class ProcessSignals
{
    private const int SigTerm = 15;

    /// <summary>Sends SIGTERM; nothing happens if the process has ended.</summary>
    public static void Terminate(Process process) => _ = Kill(process.Id, SigTerm);

    /// <summary>Lets idle threads of libtorch's pool sleep instead of spin; to be called before libtorch is loaded.</summary>
    public static void LetThreadsSleep() => _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 1);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
