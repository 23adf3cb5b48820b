using System.Diagnostics;

namespace Tapestry.Fuzz;

/// <summary>How a target took its inputs.</summary>
/// <param name="Name">The target.</param>
/// <param name="Inputs">How many inputs, those of the corpus included.</param>
/// <param name="Read">How many of them were read; the others were refused.</param>
/// <param name="SlowestMs">The longest that one input took, in milliseconds, interruptions included.</param>
/// <param name="MemoryShare">The most memory of one input, as a share of what the target declares.</param>
/// <param name="Seconds">How long all took.</param>
internal sealed record FuzzRow(string Name, long Inputs, long Read, double SlowestMs, double MemoryShare, double Seconds);

/// <summary>Runs targets over inputs and checks what they promise.</summary>
internal sealed class FuzzRun
{
    /// <summary>No input takes longer: the slowest decoder takes some milliseconds.</summary>
    public static readonly TimeSpan HangAfter = TimeSpan.FromSeconds(10);

    private const int FindingsPerTargetMax = 10;

    private readonly TaskCompletionSource _hung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<FuzzRow> _rows = [];
    private readonly List<FuzzFinding> _findings = [];
    private readonly TimeSpan _hangAfter;
    private volatile Input? _current;

    /// <summary>A run that has not started.</summary>
    /// <param name="hangAfter">What counts as a hang; null for <see cref="HangAfter"/>.</param>
    public FuzzRun(TimeSpan? hangAfter = null) => _hangAfter = hangAfter ?? HangAfter;

    /// <summary>What has been run so far.</summary>
    public IReadOnlyList<FuzzRow> Rows => _rows;

    /// <summary>What has been found so far.</summary>
    public IReadOnlyList<FuzzFinding> Findings => _findings;

    /// <summary>Runs every target over its corpus and over its share of made inputs.</summary>
    /// <param name="targets">The targets.</param>
    /// <param name="inputs">How many inputs are made in all.</param>
    /// <param name="seed">Of the made inputs.</param>
    /// <param name="progress">Told after each target, with the inputs made so far.</param>
    /// <param name="stopping">Ends the run between two inputs.</param>
    /// <remarks>After a hang the run is over: the thread that hangs stays behind, and ends with the process.</remarks>
    public async Task RunAsync(
        IReadOnlyList<FuzzTarget> targets, long inputs, long seed, Action<FuzzTarget, long> progress, CancellationToken stopping)
    {
        long weights = targets.Sum(target => (long)target.Weight);
        await WatchAsync(() =>
        {
            long done = 0;
            foreach (FuzzTarget target in targets)
            {
                stopping.ThrowIfCancellationRequested();
                long share = inputs * target.Weight / weights;
                RunTarget(target, share, seed, stopping);
                done += share;
                progress(target, done);
            }
        });
    }

    /// <summary>Runs one target over given inputs: those of a file, or one made input again.</summary>
    public Task RunAsync(FuzzTarget target, IReadOnlyList<(long Index, byte[] Bytes)> inputs) => WatchAsync(() =>
    {
        Warm(target);
        foreach ((long index, byte[] bytes) in inputs)
        {
            Judge(target, index, bytes, out _, out _);
        }
    });

    private async Task WatchAsync(Action work)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread worker = new(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        })
        { IsBackground = true, Name = "fuzz" };
        await using Timer watchdog = new(_ => Look(), null, _hangAfter / 8, _hangAfter / 8);
        worker.Start();
        await await Task.WhenAny(done.Task, _hung.Task);
    }

    /// <summary>Is the input still the one of the last look but seven?</summary>
    private void Look()
    {
        if (_current is Input input && Stopwatch.GetElapsedTime(input.Started) > _hangAfter && Interlocked.Exchange(ref _current, null) == input)
        {
            _findings.Add(new FuzzFinding(
                input.Target.Name, input.Index, "hangs", $"after {_hangAfter.TotalSeconds:F0} s it was not done with {input.Bytes.Length} bytes", input.Bytes));
            _hung.TrySetResult();
        }
    }

    private void RunTarget(FuzzTarget target, long inputs, long seed, CancellationToken stopping)
    {
        IReadOnlyList<byte[]> corpus = Corpus.Of(target);
        IReadOnlyList<byte[]> seeds = corpus.Count > 0 ? corpus : [.. target.Samples()];
        Mutator mutator = new(target.Name, seeds, target.LengthMax, seed);
        Warm(target);
        long started = Stopwatch.GetTimestamp();
        long read = 0;
        long slowest = 0;
        double memory = 0;
        int found = _findings.Count;
        for (long index = -corpus.Count; index < inputs && _findings.Count - found < FindingsPerTargetMax; index++)
        {
            stopping.ThrowIfCancellationRequested();
            byte[] bytes = index < 0 ? corpus[(int)(index + corpus.Count)] : mutator.Make(index);
            long before = Stopwatch.GetTimestamp();
            read += Judge(target, Math.Max(index, -1), bytes, out long ticks, out double share) ? 1 : 0;
            slowest = Math.Max(slowest, ticks);
            memory = Math.Max(memory, share);
        }

        _rows.Add(new FuzzRow(
            target.Name, inputs + corpus.Count, read, 1000.0 * slowest / Stopwatch.Frequency, memory, Stopwatch.GetElapsedTime(started).TotalSeconds));
    }

    /// <summary>What is made once in the life of the process is made here, and counts for no input.</summary>
    private static void Warm(FuzzTarget target)
    {
        foreach (byte[] sample in target.Samples())
        {
            object? value = target.Read(sample);
            if (value is not null)
            {
                target.Encode?.Invoke(value);
            }
        }
    }

    /// <summary>One input: reads it, and checks every promise.</summary>
    private bool Judge(FuzzTarget target, long index, byte[] bytes, out long ticks, out double memoryShare)
    {
        memoryShare = 0;
        ticks = 0;
        try
        {
            object? value = Measured(target, index, bytes, out ticks, out long allocated);
            long bound = target.MemoryMax(bytes.Length);
            if (allocated > bound)
            {
                // Once more: the runtime itself may have allocated, for a method that it compiled anew.
                Measured(target, index, bytes, out _, out long again);
                allocated = Math.Min(allocated, again);
            }

            memoryShare = (double)allocated / bound;
            if (allocated > bound)
            {
                Found(target, index, "allocates", $"{bytes.Length} bytes took {allocated} bytes of memory; {bound} are declared", bytes);
            }

            if (value is not null)
            {
                CheckEncoding(target, index, bytes, value);
            }

            return value is not null;
        }
        catch (Exception error)
        {
            Found(target, index, "throws", $"{error.GetType().Name}: {error.Message} {error.StackTrace?.Split('\n').FirstOrDefault()?.Trim()}", bytes);
            return false;
        }
        finally
        {
            _current = null;
        }
    }

    private object? Measured(FuzzTarget target, long index, byte[] bytes, out long ticks, out long allocated)
    {
        long started = Stopwatch.GetTimestamp();
        _current = new Input(target, index, bytes, started);
        long before = GC.GetAllocatedBytesForCurrentThread();
        object? value = target.Read(bytes);
        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        ticks = Stopwatch.GetTimestamp() - started;
        return value;
    }

    private void CheckEncoding(FuzzTarget target, long index, byte[] bytes, object value)
    {
        if (target.Encode is null)
        {
            return;
        }

        byte[] encoded = target.Encode(value);
        if (target.IsCanonical)
        {
            if (!encoded.AsSpan().SequenceEqual(bytes))
            {
                Found(target, index, "encodes", $"what was read encodes to other bytes: {Convert.ToHexStringLower(encoded)}", bytes);
            }

            return;
        }

        object? again = target.Read(encoded);
        if (again is null || !target.Encode(again).AsSpan().SequenceEqual(encoded))
        {
            Found(target, index, "encodes", $"what was read encodes to bytes that are not read as the same: {Convert.ToHexStringLower(encoded)}", bytes);
        }
    }

    private void Found(FuzzTarget target, long index, string promise, string what, byte[] bytes) =>
        _findings.Add(new FuzzFinding(target.Name, index, promise, what, bytes));

    private sealed record Input(FuzzTarget Target, long Index, byte[] Bytes, long Started);
}
