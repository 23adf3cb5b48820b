using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Torch;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Benchmarks.Training;

/// <summary>Our side of the training benchmark, in a process of its own: prints one JSON object.</summary>
internal static class TrainingWorker
{
    internal const string Argument = "training-worker";

    /// <summary>Trains and prints.</summary>
    /// <param name="args">Folder, "fp32" or "bf16", steps, threads: as train.py.</param>
    internal static int Run(string[] args)
    {
        int steps = int.Parse(args[2], CultureInfo.InvariantCulture);
        int threads = int.Parse(args[3], CultureInfo.InvariantCulture);
        using Corpus corpus = TrainingTask.OpenText(args[0]);
        using Trainer trainer = new(TrainingTask.Model, TrainingTask.Options(threads, args[1] == "bf16"), corpus);
        trainer.Load(TrainingTask.Weights());
        List<double> milliseconds = [];
        List<double> processor = [];
        List<double> losses = [];
        using Process self = Process.GetCurrentProcess();
        for (int step = 0; step < steps; step++)
        {
            self.Refresh();
            TimeSpan busy = self.TotalProcessorTime;
            long start = Stopwatch.GetTimestamp();
            losses.Add(trainer.TrainSteps(1, null, CancellationToken.None).LastLoss);
            milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            self.Refresh();
            processor.Add((self.TotalProcessorTime - busy).TotalMilliseconds);
        }

        RuntimeReport report = torch.report();
        string runtime = string.Create(
            CultureInfo.InvariantCulture, $"libtorch {report.TorchVersion}, {report.Blas}, {report.MatmulGflops:F0} GFLOP/s");
        Console.WriteLine(JsonSerializer.Serialize(new TrainingResult(milliseconds, processor, losses, self.PeakWorkingSet64, runtime), Envelope.Format));
        return 0;
    }
}
