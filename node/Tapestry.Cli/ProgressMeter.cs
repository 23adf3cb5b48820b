using System.Globalization;
using Spectre.Console;

namespace Tapestry.Cli;

/// <summary>Shows how far long work has come.</summary>
public interface IProgressMeter
{
    /// <summary>Says that <paramref name="done"/> units of the total are done.</summary>
    /// <param name="done">From 0 to the total.</param>
    /// <param name="note">A few words on the present state, such as a loss.</param>
    void Report(double done, string note);
}

/// <summary>A bar that redraws.</summary>
internal sealed class BarMeter(string title, ProgressTask task) : IProgressMeter
{
    public void Report(double done, string note)
    {
        task.Value = done;
        task.Description = Markup.Escape(note.Length == 0 ? title : $"{title}  {note}");
    }
}

/// <summary>Lines for logs and pipes: the first, the last, and one every few seconds between.</summary>
internal sealed class PlainMeter(string title, double total, IAnsiConsole console, TimeProvider time) : IProgressMeter
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private long? _lastLine;

    public void Report(double done, string note)
    {
        bool isLast = done >= total;
        if (!isLast && _lastLine is long last && time.GetElapsedTime(last) < Pause)
        {
            return;
        }

        _lastLine = time.GetTimestamp();
        string percent = (100 * done / total).ToString("0", CultureInfo.InvariantCulture);
        console.WriteLine(note.Length == 0 ? $"{title}: {percent} %" : $"{title}: {percent} %  {note}");
    }
}
