using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;

namespace Tapestry.Cli;

/// <summary>What a verb does: reads its arguments, works, and returns its result or throws <see cref="CliException"/>.</summary>
/// <param name="arguments">The parsed command line.</param>
/// <param name="terminal">Where to write.</param>
/// <param name="stopping">Cancelled by Ctrl+C and SIGTERM.</param>
public delegate Task<VerbResult> Verb(ParseResult arguments, Terminal terminal, CancellationToken stopping);

/// <summary>An executable made of verbs: parses, runs one, and turns its end into text or an envelope and an exit code.</summary>
public sealed class CommandLineApp
{
    private readonly Option<bool> _json = new("--json")
    {
        Description = "Print exactly one JSON object to standard output; text goes to standard error.",
        Recursive = true,
    };

    private readonly string _prefix;
    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly bool _isInteractive;

    /// <summary>An executable over the console.</summary>
    /// <param name="description">One line for <c>--help</c>.</param>
    /// <param name="prefix">Leading part of every verb's schema name, such as <c>sim</c>; empty for none.</param>
    public CommandLineApp(string description, string prefix = "")
        : this(description, prefix, Console.Out, Console.Error, !Console.IsErrorRedirected)
    {
    }

    /// <summary>An executable over other writers, for tests.</summary>
    public CommandLineApp(string description, string prefix, TextWriter output, TextWriter error, bool isInteractive)
    {
        _prefix = prefix;
        _output = output;
        _error = error;
        _isInteractive = isInteractive;
        Root = new RootCommand(description) { _json };
    }

    /// <summary>The command that verbs are added to.</summary>
    public RootCommand Root { get; }

    /// <summary>Makes <paramref name="command"/> do <paramref name="verb"/>.</summary>
    /// <returns>The command, to be added to <see cref="Root"/> or to a group.</returns>
    public Command Does(Command command, Verb verb)
    {
        ArgumentNullException.ThrowIfNull(command);
        command.SetAction((arguments, stopping) => RunVerbAsync(arguments, verb, stopping));
        return command;
    }

    /// <summary>Runs the verb that <paramref name="args"/> name.</summary>
    /// <returns>The exit code: one of <see cref="ExitCode"/>.</returns>
    public Task<int> RunAsync(string[] args) => RunAsync(args, CancellationToken.None);

    /// <summary>Runs the verb that <paramref name="args"/> name, until it ends or is stopped as by Ctrl+C.</summary>
    /// <returns>The exit code: one of <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(args);
        ParseResult parsed = Root.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            string message = string.Join(" ", parsed.Errors.Select(error => error.Message));
            string path = string.Join(' ', PathOf(parsed));
            string command = path.Length == 0 ? "--help" : $"{path} --help";
            return Fail(TerminalFor(parsed), VerbName(parsed), "usage", message, $"See: tapestry {command}", ExitCode.Usage);
        }

        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using PosixSignalRegistration interrupt = StopOn(PosixSignal.SIGINT, stopping);
        using PosixSignalRegistration terminate = StopOn(PosixSignal.SIGTERM, stopping);
        InvocationConfiguration configuration = new()
        {
            Output = _output,
            Error = _error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return await parsed.InvokeAsync(configuration, stopping.Token);
    }

    private async Task<int> RunVerbAsync(ParseResult arguments, Verb verb, CancellationToken stopping)
    {
        Terminal terminal = TerminalFor(arguments);
        string name = VerbName(arguments);
        try
        {
            VerbResult result = await verb(arguments, terminal, stopping);
            if (terminal.Json)
            {
                terminal.WriteJson(Envelope.Ok(name, result.Data));
            }
            else
            {
                result.Show?.Invoke(terminal.Result);
            }

            return (int)result.ExitCode;
        }
        catch (CliException error)
        {
            return Fail(terminal, name, error.Code, error.Message, error.Hint, error.ExitCode);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return Fail(terminal, name, "cancelled", "Stopped before it was done.", "Run it again.", ExitCode.Cancelled);
        }
#pragma warning disable CA1031 // The root of the process: nothing may escape without an envelope and a code.
        catch (Exception error)
#pragma warning restore CA1031
        {
            terminal.Say(error.ToString());
            return Fail(
                terminal, name, "internal", $"{error.GetType().Name}: {error.Message}",
                "This is an error of ours; please report it with the text above.", ExitCode.Internal);
        }
    }

    private static int Fail(Terminal terminal, string verb, string code, string message, string hint, ExitCode exitCode)
    {
        terminal.Say($"error: {message}");
        terminal.Say($"hint:  {hint}");
        if (terminal.Json)
        {
            terminal.WriteJson(Envelope.Error(verb, code, message, hint));
        }

        return (int)exitCode;
    }

    /// <summary>The first signal asks; the second, while the first is being obeyed, ends the process at once.</summary>
    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stopping) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            if (!stopping.IsCancellationRequested)
            {
                context.Cancel = true;
                stopping.Cancel();
            }
        });

    private Terminal TerminalFor(ParseResult parsed) =>
        new(_output, _error, parsed.GetValue(_json), _isInteractive, TimeProvider.System);

    private string VerbName(ParseResult parsed)
    {
        IEnumerable<string> words = _prefix.Length == 0 ? PathOf(parsed) : PathOf(parsed).Prepend(_prefix);
        string name = string.Join('-', words);
        return name.Length == 0 ? "tapestry" : name;
    }

    private static List<string> PathOf(ParseResult parsed)
    {
        List<string> path = [];
        for (CommandResult? at = parsed.CommandResult; at is not null; at = at.Parent as CommandResult)
        {
            if (at.Command is not RootCommand)
            {
                path.Insert(0, at.Command.Name);
            }
        }

        return path;
    }
}
