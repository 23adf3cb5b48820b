namespace Tapestry.Cli;

/// <summary>How every executable of the project ends; scripts may rely on the numbers.</summary>
public enum ExitCode
{
    /// <summary>The verb did what it says.</summary>
    Ok = 0,

    /// <summary>It could not; the message says why.</summary>
    Failed = 1,

    /// <summary>The command line itself is wrong.</summary>
    Usage = 2,

    /// <summary>A configuration key, key file, peer file, plan or genesis is wrong.</summary>
    Configuration = 3,

    /// <summary>A peer, daemon or port could not be reached or bound.</summary>
    Unreachable = 4,

    /// <summary>Something was checked and does not hold: a ledger, a certificate, a digest.</summary>
    VerificationFailed = 5,

    /// <summary>An error of ours; please report it with the log.</summary>
    Internal = 70,

    /// <summary>Stopped by Ctrl+C or SIGTERM before it was done.</summary>
    Cancelled = 130,
}
