using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Ledger;
using Tapestry.Node.Rounds;
using Tapestry.Node.Storage;
using Tapestry.Protocol.Plans;
using Tapestry.Torch;
using Tapestry.Training.Optimization;
using Tapestry.Training.Runs;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry train</c>: training on this machine alone, from a seed, or as a derivative of a certified base.</summary>
internal static class TrainVerb
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        FolderOptions folders = new();
        Option<string[]> texts = new("--text") { Description = "Text files or folders; default: the member's training:corpus.", AllowMultipleArgumentsPerToken = true };
        Option<string?> from = new("--from") { Description = "Grow a derivative from a base of the data folder: its digest, or 'latest'." };
        Option<int> steps = new("--steps") { Description = "Steps of the whole run.", DefaultValueFactory = _ => 1000 };
        Option<string> output = new("--output") { Description = "The checkpoint to write.", DefaultValueFactory = _ => "model.ckpt" };
        Option<bool> resume = new("--resume") { Description = "Go on from --output where it exists." };
        Option<int> batch = new("--batch") { Description = "Sequences a step.", DefaultValueFactory = _ => 8 };
        Option<double> rate = new("--learning-rate") { Description = "Peak learning rate.", DefaultValueFactory = _ => 1e-3 };
        Option<long> seed = new("--seed") { Description = "Seed of parameters and batches." };
        Command command = new("train", "Train a model on this machine, without any network.") { texts, from, steps, output, resume, batch, rate, seed };
        folders.AddTo(command);
        return app.Does(command, (arguments, terminal, stopping) =>
        {
            DataFolder folder = folders.Folder(arguments);
            NodeOptions options = folders.Options(arguments, folder);
            string[] named = arguments.GetValue(texts) ?? [];
            TrainerOptions trainer = new()
            {
                BatchSequences = arguments.GetValue(batch),
                AdamW = new AdamWOptions { LearningRate = arguments.GetValue(rate) },
                SamplingSeed = arguments.GetValue(seed),
                Threads = options.Threads,
                Device = options.Device,
                Bf16 = options.UseBf16,
            };
            LocalRunOptions run = new()
            {
                Texts = [.. (named.Length > 0 ? named : [options.CorpusPath]).SelectMany(CorpusFiles.At)],
                Corpus = PlanTrainer.Corpus(options.HeldOutPercent),
                Trainer = trainer,
                Steps = arguments.GetValue(steps),
                InitialSeed = arguments.GetValue(seed),
                CheckpointPath = Path.GetFullPath(arguments.GetRequiredValue(output)),
                Resume = arguments.GetValue(resume),
            };
            return RunAsync(run, arguments.GetValue(from), folder, terminal, stopping);
        });
    }

    private static Task<VerbResult> RunAsync(LocalRunOptions run, string? from, DataFolder folder, Terminal terminal, CancellationToken stopping) =>
        terminal.WithProgressAsync("train", run.Steps, meter => Task.Run(
            () =>
            {
                MeterProgress progress = new(meter, terminal, Device.Parse(run.Trainer.Device));
                string checkpoint = run.CheckpointPath!;
                FileErrors.RequireWritable(checkpoint);
                RunResult result = TorchErrors.Guard(() => FileErrors.Writing(checkpoint, () =>
                {
                    if (from is null)
                    {
                        return LocalRun.FromSeed(run, progress, stopping);
                    }

                    // A derivative goes on at the rate at which its base's training stands, in its base's shape.
                    Plan plan = LedgerFolder.ReadGenesis(folder.Genesis).Plan;
                    return LocalRun.FromBase(run with { Model = PlanModel.Config(plan.Model) }, BaseFolder.ReadParameters(folder, from), progress, stopping);
                }));
                return Describe(result, checkpoint);
            },
            CancellationToken.None));

    private static VerbResult Describe(RunResult result, string checkpoint)
    {
        object data = new
        {
            Checkpoint = checkpoint,
            Steps = result.StepsDone,
            Parameters = result.Parameters.Length,
            Before = Loss(result.Before),
            After = Loss(result.After),
        };
        return new VerbResult(data, console =>
        {
            console.WriteLine($"checkpoint  {checkpoint}");
            console.WriteLine(result is { Before: Evaluation before, After: Evaluation after }
                ? string.Create(CultureInfo.InvariantCulture, $"held out    {before.BitsPerByte:0.000} to {after.BitsPerByte:0.000} bits per byte")
                : "held out    nothing");
        });
    }

    private static object? Loss(Evaluation? evaluation) =>
        evaluation is Evaluation value ? new { value.NatsPerToken, value.BitsPerByte } : null;

    private sealed class MeterProgress(IProgressMeter meter, Terminal terminal, Device device) : IRunProgress
    {
        private string _heldOut = "";

        public void Started(long firstStep, long steps, long parameters)
        {
            RuntimeLine.Say(terminal, device);
            terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{parameters:N0} parameters, steps {firstStep} to {steps}"));
            meter.Report(firstStep, "");
        }

        public void StepDone(TrainingStep step) =>
            meter.Report(step.Step + 1, string.Create(CultureInfo.InvariantCulture, $"loss {step.Loss:0.000}{_heldOut}"));

        public void Evaluated(long stepsDone, Evaluation heldOut) =>
            _heldOut = string.Create(CultureInfo.InvariantCulture, $", held out {heldOut.BitsPerByte:0.000} bits/byte");

        public void CheckpointWritten(long stepsDone, string path)
        {
            // The bar says where the run is; where the file is stands in the result.
        }
    }
}
