using System.Globalization;
using Tapestry.Cli;

namespace Tapestry.Node.Storage;

/// <summary>What can be wrong with a disk or a data folder, in words for people and codes for scripts.</summary>
internal static class StorageErrors
{
    /// <summary>Another process works on the folder.</summary>
    public const string InUse = "records-in-use";

    /// <summary>No room, or a limit on file sizes or a quota that acts the same.</summary>
    public const string DiskFull = "disk-full";

    /// <summary>Something on disk is not what was written.</summary>
    public const string Corrupt = "records-corrupt";

    /// <summary>Not readable or not writable for this user.</summary>
    public const string NotPermitted = "not-permitted";

    /// <summary>Made by another version, or not by us.</summary>
    public const string WrongFormat = "records-format";

    /// <summary>There are no records.</summary>
    public const string Missing = "records-missing";

    /// <summary>librocksdb is not installed.</summary>
    public const string NoRocksDb = "rocksdb-missing";

    /// <summary>Any other failure of disk or file system.</summary>
    public const string Failed = "storage-failed";

    // errno values of Linux; the base library puts them into IOException.HResult unchanged.
    private const int NoSpace = 28;
    private const int FileTooLarge = 27;
    private const int QuotaExceeded = 122;
    private const int ReadOnlyFileSystem = 30;
    private const int WouldBlock = 11;

    /// <summary>The error for a status text of RocksDB's.</summary>
    /// <param name="status">For example <c>IO error: No space left on device: While appending to file: ...</c>.</param>
    /// <param name="folder">The database's folder.</param>
    public static CliException FromRocksDb(string status, string folder)
    {
        if (Has(status, "lock hold by current process") || Has(status, "While lock file"))
        {
            return HasDenial(status) ? Denied(folder, status) : LockedBy(folder, RecordLock.ReadOwner(folder), status);
        }

        if (Has(status, "No space left") || Has(status, "File too large") || Has(status, "Disk quota exceeded"))
        {
            return Full(folder, status);
        }

        if (HasDenial(status))
        {
            return Denied(folder, status);
        }

        if (Has(status, "does not exist") || Has(status, "CURRENT: No such file"))
        {
            return new CliException(
                Missing, $"There are no records in {folder}.", "Start the daemon once, or name the right folder with --data.", ExitCode.Configuration);
        }

        if (Has(status, "Column families not opened") || Has(status, "Column family not found"))
        {
            return Format(folder, status);
        }

        return status.StartsWith("Corruption", StringComparison.Ordinal) || Has(status, "checksum mismatch")
            ? Damaged(folder, status)
            : Other(folder, status, null);
    }

    /// <summary>The error for a failed file operation.</summary>
    public static CliException FromIo(Exception error, string path) => error switch
    {
        UnauthorizedAccessException => Denied(path, error.Message),
        _ when IsFull(error) => Full(path, error.Message),
        IOException { HResult: ReadOnlyFileSystem } => Denied(path, error.Message),
        IOException { HResult: WouldBlock } => LockedBy(path, null, error.Message),
        _ => Other(path, error.Message, error),
    };

    /// <summary>Whether a file operation failed for the disk's or the system's reasons.</summary>
    public static bool IsOfDisk(Exception error) => error is IOException or UnauthorizedAccessException || IsFull(error);

    /// <summary>Whether there was no room: on the disk, in a quota, or below a limit on file sizes.</summary>
    /// <remarks>The base library reports a write beyond the limit on file sizes (EFBIG) as an argument that is out of range.</remarks>
    public static bool IsFull(Exception error) =>
        error is IOException { HResult: NoSpace or FileTooLarge or QuotaExceeded }
            or ArgumentOutOfRangeException { ParamName: "value", Source: "System.Private.CoreLib" };

    /// <summary>The records say something else than they should.</summary>
    public static CliException Damaged(string folder, string why) => new(
        Corrupt, $"The records in {folder} are damaged: {why}",
        "Keep a copy of the folder, check the disk, then start this member anew in an empty folder with the same keys: it fetches what it lacks.",
        ExitCode.VerificationFailed);

    /// <summary>The records are of another version.</summary>
    public static CliException Format(string folder, string why) => new(
        WrongFormat, $"The records in {folder} were not made by this version: {why}",
        "Use the version that made them, or start this member anew in an empty folder with the same keys.", ExitCode.Configuration);

    /// <summary>No librocksdb.</summary>
    public static CliException LibraryMissing(Exception error) => new(
        NoRocksDb, $"librocksdb could not be loaded: {error.Message}", "Install it: apt-get install librocksdb7.8", ExitCode.Configuration, error);

    /// <summary>There is room, but too little to go on safely.</summary>
    public static CliException NearlyFull(string path, long freeBytes, long neededBytes) => new(
        DiskFull, string.Create(CultureInfo.InvariantCulture, $"The disk of {path} has {freeBytes >> 20} MiB left; {neededBytes >> 20} MiB must stay free."),
        "Free some space: everything that was acknowledged is intact.", ExitCode.Failed);

    private static CliException LockedBy(string folder, string? owner, string status) => new(
        InUse,
        owner is null
            ? $"The records in {folder} are in use by another process."
            : $"The records in {folder} are in use by process {owner}.",
        "Stop that daemon first, or give this one its own folder with --data.", ExitCode.Failed, new IOException(status));

    private static CliException Full(string path, string why) => new(
        DiskFull, $"There is no room to write {path}: {why}",
        "Free some space and start again: what was acknowledged is intact.", ExitCode.Failed);

    private static CliException Denied(string path, string why) => new(
        NotPermitted, $"{path} may not be read or written by this user: {why}",
        "Give the folder to the user that runs the daemon (chown -R), or name another with --data.", ExitCode.Configuration);

    private static CliException Other(string path, string why, Exception? inner) => new(
        Failed, $"Reading or writing {path} failed: {why}", "Check the disk and the system's log.", ExitCode.Failed, inner);

    private static bool HasDenial(string status) =>
        Has(status, "Permission denied") || Has(status, "Read-only file system") || Has(status, "Operation not permitted");

    private static bool Has(string status, string part) => status.Contains(part, StringComparison.OrdinalIgnoreCase);
}
