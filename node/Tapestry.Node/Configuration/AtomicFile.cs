using Tapestry.Node.Storage.Native;

namespace Tapestry.Node.Configuration;

/// <summary>Whole-file writes that a crash leaves either undone or done.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside the target, syncs, and renames over it.</summary>
    /// <param name="path">The target.</param>
    /// <param name="bytes">Its new content.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        string temporary = path + ".new";
        using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        Posix.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
