using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Torch;

namespace Tapestry.Benchmarks.Training;

/// <summary>Training in C# against training in Python: the same model, weights, batches, libtorch and matrix product.</summary>
internal sealed class TrainingBenchmark : Benchmark
{
    private const int Steps = 14;

    // The first steps fill caches and pools.
    private const int WarmUpSteps = 3;
    private const double Mebibyte = 1 << 20;

    // FP32 on both sides sums in another order; bf16 keeps eight bits.
    private const double LossTolerance = 0.02;

    private enum Side
    {
        Ours,
        Python,
    }

    internal override string Name => "train";

    internal override string Description => "training a 4.8M-parameter model, against PyTorch in Python";

    internal override async Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchmarkOptions options, Terminal terminal, CancellationToken stopping)
    {
        string folder = Directory.CreateTempSubdirectory("tapestry-bench-").FullName;
        try
        {
            TrainingTask.Write(folder, Text(), Steps);
            (Side Side, string Precision)[] contests =
                [(Side.Ours, "fp32"), (Side.Python, "fp32"), (Side.Ours, "bf16"), (Side.Python, "bf16")];
            Dictionary<(Side, string), List<TrainingResult>> results = contests.ToDictionary(contest => contest, _ => new List<TrainingResult>());
            for (int run = 0; run < options.Runs; run++)
            {
                foreach ((Side side, string precision) in contests)
                {
                    TrainingResult result = await RunProcessAsync(side, folder, precision, options, stopping);
                    results[(side, precision)].Add(result);
                    terminal.Say(string.Create(
                        CultureInfo.InvariantCulture,
                        $"run {run + 1} {side} {precision}: {Rate(result):N0} tokens/s, {result.PeakBytes / Mebibyte:N0} MiB, loss {result.Losses[^1]:F4} ({result.Runtime})"));
                }
            }

            Compare(results);
            return Rows(results);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static List<BenchmarkRow> Rows(Dictionary<(Side, string), List<TrainingResult>> results)
    {
        IEnumerable<double> Rates(Side side, string precision) => results[(side, precision)].Select(Rate);
        IEnumerable<double> Memory(Side side, string precision) => results[(side, precision)].Select(result => result.PeakBytes / Mebibyte);
        string best = BenchmarkRow.Median(Rates(Side.Ours, "bf16")) > BenchmarkRow.Median(Rates(Side.Ours, "fp32")) ? "bf16" : "fp32";
        return
        [
            BenchmarkRow.MoreIsBetter("FP32", "tokens/s", Rates(Side.Ours, "fp32"), Rates(Side.Python, "fp32"), "Python FP32", 1.0),
            BenchmarkRow.MoreIsBetter("bf16", "tokens/s", Rates(Side.Ours, "bf16"), Rates(Side.Python, "bf16"), "Python bf16 autocast", 1.0),
            BenchmarkRow.MoreIsBetter($"best ({best})", "tokens/s", Rates(Side.Ours, best), Rates(Side.Python, "fp32"), "Python FP32", 1.35),
            BenchmarkRow.LessIsBetter("peak memory FP32", "MiB", Memory(Side.Ours, "fp32"), Memory(Side.Python, "fp32"), "Python FP32", 1.0),
            BenchmarkRow.LessIsBetter("peak memory bf16", "MiB", Memory(Side.Ours, "bf16"), Memory(Side.Python, "bf16"), "Python bf16 autocast", 1.0),
        ];
    }

    private static double Rate(TrainingResult result)
    {
        double milliseconds = BenchmarkRow.Median(result.Milliseconds.Skip(WarmUpSteps));
        return 1000.0 * TrainingTask.BatchSequences * TrainingTask.Model.ContextTokens / milliseconds;
    }

    /// <summary>Speed at the price of other results would be no speed.</summary>
    private static void Compare(Dictionary<(Side, string), List<TrainingResult>> results)
    {
        double expected = results[(Side.Python, "fp32")][0].Losses[^1];
        foreach (((Side side, string precision), List<TrainingResult> all) in results)
        {
            double loss = all[0].Losses[^1];
            if (Math.Abs(loss - expected) > LossTolerance * expected)
            {
                throw new CliException(
                    "loss", $"{side} {precision} ended at loss {loss:F4}, Python FP32 at {expected:F4}.", "The two sides no longer compute the same; find out why first.", ExitCode.VerificationFailed);
            }
        }
    }

    private static string Text() => string.Concat(
        Directory.GetFiles(Path.Combine(Checkout.Folder, "node", "Tapestry.Node", "Demo", "Texts"), "*.txt")
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllText));

    private static async Task<TrainingResult> RunProcessAsync(
        Side side, string folder, string precision, BenchmarkOptions options, CancellationToken stopping)
    {
        ProcessStartInfo start = side == Side.Ours
            ? OwnProgram.With(TrainingWorker.Argument)
            : new ProcessStartInfo(options.Python, [Path.Combine(Checkout.Folder, "tests", "foreign", "python", "train.py")]);
        start.RedirectStandardOutput = true;
        if (side == Side.Python)
        {
            // The shim exports sgemm_, so Python's libtorch multiplies with the same oneDNN as ours.
            start.Environment["LD_PRELOAD"] = torch.ShimPath ?? "";
        }

        foreach (string argument in (string[])[folder, precision, Steps.ToString(CultureInfo.InvariantCulture), options.Threads.ToString(CultureInfo.InvariantCulture)])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        using CancellationTokenRegistration ending = stopping.Register(() => process.Kill(entireProcessTree: true));
        string output = await process.StandardOutput.ReadToEndAsync(stopping);
        await process.WaitForExitAsync(stopping);
        if (process.ExitCode != 0)
        {
            throw new CliException(
                "peer", $"{start.FileName} ended with exit code {process.ExitCode}.", "See its own message above; the peer needs python3-torch.");
        }

        return JsonSerializer.Deserialize<TrainingResult>(output, Envelope.Format)!;
    }
}
