using System.Collections.Concurrent;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Daemon;

/// <summary>The effects that are under way: each ends in exactly one event, cancelled or not.</summary>
/// <remarks>An exception that is not a peer's fault means that this machine cannot go on (a full disk, a bug): it stops the daemon.</remarks>
/// <param name="post">Takes the end of an effect to the loop.</param>
/// <param name="fail">Stops the daemon with an error.</param>
internal sealed class EffectTasks(Func<PartnerEvent, ValueTask> post, Action<Exception> fail)
{
    private readonly ConcurrentDictionary<EffectId, Running> _running = new();

    /// <summary>Starts the work of an effect on the thread pool.</summary>
    /// <param name="id">Names the effect.</param>
    /// <param name="work">Cancelled by <see cref="Cancel"/> and at the end.</param>
    public void Start(EffectId id, Func<CancellationToken, Task<EffectOutcome>> work)
    {
        Running running = new();
        _running[id] = running;
        running.Task = Task.Run(() => RunAsync(id, running, work));
    }

    /// <summary>Asks an effect to stop; nothing happens if it has ended.</summary>
    public void Cancel(EffectId id)
    {
        if (_running.TryGetValue(id, out Running? running))
        {
            running.Cancelled.Cancel();
        }
    }

    /// <summary>Cancels every effect and waits for their ends.</summary>
    public Task StopAsync()
    {
        Running[] all = [.. _running.Values];
        foreach (Running running in all)
        {
            running.Cancelled.Cancel();
        }

        return Task.WhenAll(all.Select(running => running.Task));
    }

    private async Task RunAsync(EffectId id, Running running, Func<CancellationToken, Task<EffectOutcome>> work)
    {
        EffectOutcome outcome;
        try
        {
            outcome = await work(running.Cancelled.Token);
        }
        catch (OperationCanceledException) when (running.Cancelled.IsCancellationRequested)
        {
            outcome = new EffectOutcome.Failed(EffectFault.Cancelled, null);
        }
#pragma warning disable CA1031 // The root of a task: whatever escapes stops the daemon and is reported there.
        catch (Exception error)
#pragma warning restore CA1031
        {
            fail(error);
            return;
        }

        _running.TryRemove(id, out _);
        await post(new PartnerEvent.EffectEnded(id, outcome));
    }

    private sealed class Running
    {
        // Never disposed: it holds no timer and no registration, and a late Cancel must not throw.
        public CancellationTokenSource Cancelled { get; } = new();

        public Task Task { get; set; } = Task.CompletedTask;
    }
}
