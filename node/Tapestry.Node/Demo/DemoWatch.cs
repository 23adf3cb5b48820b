using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Node.Daemon;

namespace Tapestry.Node.Demo;

/// <summary>Watches the daemons of a demo over their HTTP APIs until all have ended their rounds.</summary>
/// <param name="network">The daemons.</param>
/// <param name="terminal">Where the table is drawn.</param>
internal sealed class DemoWatch(DemoNetwork network, Terminal terminal)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LinePause = TimeSpan.FromSeconds(5);

    private readonly StatusReport?[] _reports = new StatusReport?[network.Daemons.Count];

    /// <summary>What each daemon answered last.</summary>
    public IReadOnlyList<StatusReport?> Reports => _reports;

    /// <summary>Polls and draws until every daemon has ended the plan's rounds with the same base.</summary>
    /// <param name="act">Called after each poll; may kill and start daemons.</param>
    /// <param name="timeout">How long this may take.</param>
    /// <param name="stopping">Ends the watch.</param>
    /// <exception cref="CliException">A daemon ended, or time ran out.</exception>
    public Task RunAsync(Func<IReadOnlyList<StatusReport?>, Task> act, TimeSpan timeout, CancellationToken stopping)
    {
        long started = terminal.Time.GetTimestamp();
        return terminal.IsInteractive
            ? terminal.Messages.Live(Table()).StartAsync(context => PollAsync(
                act,
                () => context.UpdateTarget(Table()),
                () => terminal.Time.GetElapsedTime(started) > timeout,
                stopping))
            : PollAsync(act, SayNow(), () => terminal.Time.GetElapsedTime(started) > timeout, stopping);
    }

    private async Task PollAsync(
        Func<IReadOnlyList<StatusReport?>, Task> act, Action show, Func<bool> isLate, CancellationToken stopping)
    {
        while (true)
        {
            for (int index = 0; index < _reports.Length; index++)
            {
                _reports[index] = await network.Daemons[index].AskAsync(stopping) ?? _reports[index];
            }

            show();
            if (IsOver())
            {
                return;
            }

            if (isLate())
            {
                throw new CliException(
                    "demo-late", $"The network did not end its rounds in time: {DemoTable.Line(_reports)}.",
                    $"Look into the logs under {network.Root}; a busy machine needs longer.");
            }

            await act(_reports);
            await Task.Delay(Pause, terminal.Time, stopping);
        }
    }

    private bool IsOver() =>
        _reports.All(report => report is not null && report.Round >= network.Genesis.Plan.Rounds)
        && _reports.Select(report => report!.Base).Distinct(StringComparer.Ordinal).Count() == 1;

    private Table Table() => DemoTable.Draw([.. network.Daemons.Select(daemon => daemon.Name)], _reports);

    private Action SayNow()
    {
        long last = terminal.Time.GetTimestamp();
        return () =>
        {
            if (terminal.Time.GetElapsedTime(last) >= LinePause)
            {
                last = terminal.Time.GetTimestamp();
                terminal.Say(DemoTable.Line(_reports));
            }
        };
    }
}
