namespace Tapestry.Cli;

/// <summary>An error for people and scripts: what went wrong, with which value, and what to do next.</summary>
/// <param name="code">A short name for scripts, in kebab case: <c>port-in-use</c>.</param>
/// <param name="message">What is wrong, with the value.</param>
/// <param name="hint">What to do next.</param>
/// <param name="exitCode">How the process ends.</param>
/// <param name="inner">What caused it, for the log; null for none.</param>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1032", Justification = "An error without a code and a hint is what this type exists to prevent.")]
public sealed class CliException(string code, string message, string hint, ExitCode exitCode = ExitCode.Failed, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>A short name for scripts, in kebab case.</summary>
    public string Code { get; } = code;

    /// <summary>What to do next.</summary>
    public string Hint { get; } = hint;

    /// <summary>How the process ends.</summary>
    public ExitCode ExitCode { get; } = exitCode;
}
