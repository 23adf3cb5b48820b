using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Libp2p;

/// <summary>Tasks that nobody awaits one by one, counted so that a stopping host can wait for the last of them.</summary>
internal sealed class RunningTasks
{
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // One for the host itself, until it asks for the end.
    private int _count = 1;

    /// <summary>Starts and counts a task, which must handle its own failures.</summary>
    internal void Start(Func<Task> work)
    {
        Interlocked.Increment(ref _count);
        _ = RunAsync(work);
    }

    /// <summary>Ends when every task has; nothing may be started afterwards by anyone but a counted task.</summary>
    internal Task DrainAsync()
    {
        Release();
        return _drained.Task;
    }

    /// <summary>Runs and counts a task that somebody awaits; false when every task has ended and nothing may begin any more.</summary>
    internal bool TryRun<T>(Func<Task<T>> work, [NotNullWhen(true)] out Task<T>? running)
    {
        running = null;
        int count = Volatile.Read(ref _count);
        while (count > 0)
        {
            int seen = Interlocked.CompareExchange(ref _count, count + 1, count);
            if (seen == count)
            {
                running = AwaitedAsync(work);
                return true;
            }

            count = seen;
        }

        return false;
    }

    private async Task<T> AwaitedAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        finally
        {
            Release();
        }
    }

    private async Task RunAsync(Func<Task> work)
    {
        // The caller's loop goes on at once, whatever the work does before its first wait.
        await Task.Yield();
        try
        {
            await work();
        }
        finally
        {
            Release();
        }
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _count) == 0)
        {
            _drained.TrySetResult();
        }
    }
}
