using System.Diagnostics;
using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;

namespace Tapestry.Node.Demo;

/// <summary>One daemon as a process of its own, with its own folder, keys, ports and log.</summary>
internal sealed class DaemonProcess : IDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private Process? _process;
    private bool _isKilled;
    private DaemonTraffic _endedLives;
    private StatusReport? _lastAnswer;
    private Task _log = Task.CompletedTask;

    /// <summary>A daemon that is not running yet.</summary>
    /// <param name="name">The member's name.</param>
    /// <param name="folder">Its data folder.</param>
    /// <param name="httpPort">Where it answers on loopback.</param>
    public DaemonProcess(string name, DataFolder folder, int httpPort)
    {
        Name = name;
        Folder = folder;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{httpPort}"), Timeout = AskTimeout };
    }

    /// <summary>The member's name.</summary>
    public string Name { get; }

    /// <summary>Its data folder.</summary>
    public DataFolder Folder { get; }

    /// <summary>Its log, of all its lives.</summary>
    public string LogPath => Path.Combine(Folder.Root, "log");

    /// <summary>How the last process ended; null while it runs.</summary>
    public int? EndedWith => _process is { HasExited: true } ended ? ended.ExitCode : null;

    /// <summary>What it counted in all its lives: of each, what it had counted when it last answered.</summary>
    public DaemonTraffic Traffic => _lastAnswer is null ? _endedLives : _endedLives + DaemonTraffic.Of(_lastAnswer);

    /// <summary>Starts it, or starts it again.</summary>
    public void Start()
    {
        _endedLives = Traffic;
        _lastAnswer = null;
        _process = OwnProgram.Start(["run", "--data", Folder.Root]);
        _isKilled = false;
        _log = CopyAsync(_process.StandardError, LogPath);
    }

    /// <summary>Ends it with SIGKILL: no handler runs, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        _isKilled = true;
        _process!.Kill();
        await _process.WaitForExitAsync();
        await _log;
    }

    /// <summary>Asks it to stop, and ends it if it does not.</summary>
    public async Task StopAsync()
    {
        if (_process is null)
        {
            return;
        }

        if (!_process.HasExited)
        {
            using CancellationTokenSource late = new(StopTimeout);
            ProcessSignals.Terminate(_process);
            try
            {
                await _process.WaitForExitAsync(late.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        await _log;
    }

    /// <summary>Where it stands; null while it does not answer.</summary>
    /// <exception cref="CliException">It has ended by itself.</exception>
    public async Task<StatusReport?> AskAsync(CancellationToken stopping)
    {
        try
        {
            await using Stream body = await _http.GetStreamAsync(new Uri("/status", UriKind.Relative), stopping);
            StatusReport? answer = await JsonSerializer.DeserializeAsync<StatusReport>(body, Envelope.Format, stopping);
            _lastAnswer = answer ?? _lastAnswer;
            return answer;
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or IOException
            || (error is TaskCanceledException && !stopping.IsCancellationRequested))
        {
            return !_isKilled && _process is { HasExited: true } ended
                ? throw new CliException(
                    "daemon-ended", $"The daemon of {Name} ended with code {ended.ExitCode}: {LastLine()}",
                    $"Its log: {LogPath}", ExitCode.Failed, error)
                : null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_process is { HasExited: false } running)
        {
            running.Kill();
        }

        _process?.Dispose();
        _http.Dispose();
    }

    private string LastLine() => File.Exists(LogPath) ? File.ReadLines(LogPath).LastOrDefault(line => line.Length > 0) ?? "" : "";

    private static async Task CopyAsync(StreamReader lines, string path)
    {
        await using StreamWriter log = new(path, append: true) { AutoFlush = true };
        while (await lines.ReadLineAsync() is string line)
        {
            await log.WriteLineAsync(line);
        }
    }
}
