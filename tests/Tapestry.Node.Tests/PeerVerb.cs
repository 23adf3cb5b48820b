using System.Text;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Node.Peer;

namespace Tapestry.Node.Tests;

/// <summary>A peer verb that runs in this process, as a script sees it.</summary>
internal sealed class PeerVerb
{
    private readonly Lock _sync = new();
    private readonly StringBuilder _said = new();
    private readonly Task<JsonElement> _end;
    private Action? _stop;

    private PeerVerb(ExitCode expected, string[] arguments) => _end = WorkAsync(expected, arguments);

    /// <summary>Runs a verb to its end.</summary>
    /// <returns>The data of its envelope, or the error.</returns>
    internal static Task<JsonElement> RunAsync(ExitCode expected, params string[] arguments) => Start(expected, arguments).EndAsync();

    /// <summary>Starts a verb that goes on until a condition of its own.</summary>
    internal static PeerVerb Start(ExitCode expected, params string[] arguments) => new(expected, arguments);

    internal Task<JsonElement> EndAsync() => _end;

    /// <summary>Stops the verb as Ctrl+C does.</summary>
    internal Task<JsonElement> StopAsync()
    {
        _stop!();
        return _end;
    }

    /// <summary>Waits until the verb says a line that begins so, and returns the rest of it.</summary>
    internal async Task<string> HearAsync(string beginning, CancellationToken late)
    {
        while (true)
        {
            string? line = Said().Split('\n').FirstOrDefault(one => one.StartsWith(beginning, StringComparison.Ordinal));
            if (line is not null)
            {
                return line[beginning.Length..].Trim();
            }

            if (_end.IsFaulted)
            {
                await _end;
            }

            await Task.Delay(20, late);
        }
    }

    private string Said()
    {
        lock (_sync)
        {
            return _said.ToString();
        }
    }

    private async Task<JsonElement> WorkAsync(ExitCode expected, string[] arguments)
    {
        using CancellationTokenSource stop = new();
        _stop = stop.Cancel;
        using StringWriter output = new();
        using Ear error = new(this);
        CommandLineApp app = new("test", "", output, error, isInteractive: false);
        app.Root.Add(PeerCommands.Create(app));

        int exitCode = await Task.Run(() => app.RunAsync([.. arguments, "--json"], stop.Token));

        ((ExitCode)exitCode).Should().Be(expected, "{0}", Said());
        JsonElement envelope = JsonDocument.Parse(output.ToString()).RootElement;
        envelope.GetProperty("schema").GetString().Should().Be($"tapestry/peer-{arguments[1]}/1");
        return envelope.GetProperty(expected == ExitCode.Ok ? "data" : "error");
    }

    /// <summary>What the verb says, from whichever of its tasks.</summary>
    private sealed class Ear(PeerVerb verb) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (verb._sync)
            {
                verb._said.Append(value);
            }
        }

        public override void WriteLine(string? value)
        {
            lock (verb._sync)
            {
                verb._said.Append(value).Append('\n');
            }
        }
    }
}
