using Tapestry.Cli;
using Tapestry.Training;

namespace Tapestry.Node.Storage;

/// <summary>What can go wrong with a file that a person named, in words for people and codes for scripts.</summary>
internal static class FileErrors
{
    /// <summary>The file or its folder cannot be written by this user, or cannot be there at all.</summary>
    public const string NotWritable = "not-writable";

    /// <summary>The file cannot be read by this user, or its disk fails.</summary>
    public const string NotReadable = "not-readable";

    /// <summary>Writes a file or folder.</summary>
    /// <param name="path">What is written.</param>
    /// <param name="write">The work; what is wrong with a file that it reads is to be an <see cref="InputFileException"/>.</param>
    /// <exception cref="CliException">No room, or not writable.</exception>
    public static T Writing<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception error) when (StorageErrors.IsFull(error))
        {
            throw new CliException(
                StorageErrors.DiskFull, $"There is no room to write {path}: {error.Message}",
                "Free some space, or name another place with --output.", ExitCode.Failed, error);
        }
        catch (Exception error) when (IsOfDisk(error))
        {
            throw new CliException(
                NotWritable, $"{path} cannot be written: {error.Message}",
                "Name a file in a folder that exists and that this user may write.", ExitCode.Failed, error);
        }
    }

    /// <summary>Writes a file or folder.</summary>
    /// <exception cref="CliException">No room, or not writable.</exception>
    public static void Writing(string path, Action write) => Writing(path, () =>
    {
        write();
        return true;
    });

    /// <summary>Finds out before long work whether its result will have a place.</summary>
    /// <exception cref="CliException">It will not.</exception>
    public static void RequireWritable(string path) => Writing(path, () =>
        new FileStream(path + ".probe", FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose());

    /// <summary>Reads a whole file that is known to be there.</summary>
    /// <exception cref="CliException">Not readable.</exception>
    public static byte[] ReadAll(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (IsOfDisk(error))
        {
            throw new CliException(
                NotReadable, $"{path} cannot be read: {error.Message}", "Give the file to this user (chown), or check the disk.",
                ExitCode.Configuration, error);
        }
    }

    private static bool IsOfDisk(Exception error) => error is UnauthorizedAccessException or (IOException and not InputFileException);
}
