using System.Runtime.InteropServices;

namespace Tapestry.Node.Storage.Native;

/// <summary>The calls of the C library that the base library lacks: syncing a folder.</summary>
internal static partial class Posix
{
    // fcntl.h of Linux on x86-64 and arm64 alike: O_RDONLY | O_CLOEXEC.
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>Makes renames and new names in a folder durable.</summary>
    /// <exception cref="IOException">The folder cannot be opened or synced.</exception>
    public static void SyncFolder(string path)
    {
        int descriptor = open(path, ReadOnlyCloseOnExec);
        if (descriptor < 0)
        {
            throw Failure(path);
        }

        int result = fsync(descriptor);
        IOException? failure = result == 0 ? null : Failure(path);
        _ = close(descriptor);
        if (failure is not null)
        {
            throw failure;
        }
    }

    private static IOException Failure(string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
