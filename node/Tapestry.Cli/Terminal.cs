using Spectre.Console;

namespace Tapestry.Cli;

/// <summary>Where a verb writes: results to standard output, everything else to standard error.</summary>
public sealed class Terminal
{
    /// <summary>Columns assumed where the output is not a terminal: so many that nothing is ever wrapped.</summary>
    private const int PlainColumns = 4096;

    private readonly TextWriter _output;

    /// <summary>A terminal over two writers.</summary>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <param name="json">Whether the result is one JSON object.</param>
    /// <param name="isInteractive">Whether standard error is a terminal that can redraw.</param>
    /// <param name="time">The clock that paces plain progress lines.</param>
    public Terminal(TextWriter output, TextWriter error, bool json, bool isInteractive, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        _output = output;
        Json = json;
        IsInteractive = isInteractive;
        Time = time;
        Messages = CreateConsole(error, isInteractive);
        Result = CreateConsole(output, isInteractive && ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected);
    }

    /// <summary>Whether the result is one JSON object.</summary>
    public bool Json { get; }

    /// <summary>Whether standard error is a terminal that can redraw.</summary>
    public bool IsInteractive { get; }

    /// <summary>The clock that paces plain progress lines.</summary>
    public TimeProvider Time { get; }

    /// <summary>Text, progress and tables for people, on standard error.</summary>
    public IAnsiConsole Messages { get; }

    /// <summary>The verb's result for people, on standard output; unused with <c>--json</c>.</summary>
    public IAnsiConsole Result { get; }

    /// <summary>Writes one line of plain text to standard error.</summary>
    public void Say(string line) => Messages.Profile.Out.Writer.WriteLine(line);

    /// <summary>Runs long work with a bar on a terminal and plain lines otherwise.</summary>
    /// <param name="title">What is being done, a few words.</param>
    /// <param name="total">Units of work; positive.</param>
    /// <param name="work">Reports to the meter that it is given.</param>
    public async Task<T> WithProgressAsync<T>(string title, double total, Func<IProgressMeter, Task<T>> work)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(total);
        ArgumentNullException.ThrowIfNull(work);
        if (!IsInteractive)
        {
            return await work(new PlainMeter(title, total, Messages, Time));
        }

        return await Messages.Progress()
            .AutoClear(false)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new BarMeter(title, context.AddTask(Markup.Escape(title), maxValue: total))));
    }

    internal void WriteJson(string line) => _output.WriteLine(line);

    private static IAnsiConsole CreateConsole(TextWriter writer, bool isInteractive)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isInteractive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isInteractive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isInteractive ? InteractionSupport.Yes : InteractionSupport.No,
        });
        if (!isInteractive)
        {
            console.Profile.Width = PlainColumns;
        }

        return console;
    }
}
