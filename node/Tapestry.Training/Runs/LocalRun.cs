using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Training.Runs;

/// <summary>What a run gave.</summary>
/// <param name="Config">The model's shape.</param>
/// <param name="Parameters">The trained parameters, [P].</param>
/// <param name="StepsDone">Steps of the run, those before a resumption included.</param>
/// <param name="Before">Held-out text before this call's first step; null where none is held out.</param>
/// <param name="After">Held-out text at the end; null where none is held out.</param>
public sealed record RunResult(
    ModelConfig Config, ReadOnlyMemory<float> Parameters, long StepsDone, Evaluation? Before, Evaluation? After);

/// <summary>Trains one model on one machine, with checkpoints: from a seed, or as a derivative from given parameters.</summary>
public static class LocalRun
{
    /// <summary>Trains from the initial base of <see cref="LocalRunOptions.InitialSeed"/>.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="InputFileException">A text or the checkpoint cannot be used.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint, where one is kept, holds what was done.</exception>
    public static RunResult FromSeed(LocalRunOptions options, IRunProgress progress, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ParameterLayout layout = new(options.Model);
        float[] parameters = new float[layout.Count];
        InitialBase.Generate(layout, options.InitialSeed, parameters);
        return Run(options, parameters, progress, stopping);
    }

    /// <summary>Grows a derivative: training goes on from <paramref name="parameters"/>, with fresh moments, on this machine only.</summary>
    /// <param name="options">As for any run; the shape is the base's.</param>
    /// <param name="parameters">The base to start from, [P]; not changed.</param>
    /// <param name="progress">Hears how it goes.</param>
    /// <param name="stopping">Ends the work between two steps.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the base does not fit the shape.</exception>
    /// <exception cref="InputFileException">A text or the checkpoint cannot be used.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint, where one is kept, holds what was done.</exception>
    public static RunResult FromBase(
        LocalRunOptions options, ReadOnlyMemory<float> parameters, IRunProgress progress, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Run(options, parameters, progress, stopping);
    }

    private static RunResult Run(
        LocalRunOptions options, ReadOnlyMemory<float> parameters, IRunProgress progress, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(progress);
        using Corpus corpus = Corpus.Open(options.Texts, options.Corpus);
        using Trainer trainer = new(options.Model, options.TrainerOverSteps, corpus);
        Start(trainer, options, parameters);
        progress.Started(trainer.StepsDone, options.Steps, trainer.Layout.Count);

        bool measured = corpus.HeldOut.Any(stream => stream.TokenCount > 0);
        Evaluation? before = Measure();
        Evaluation? after = before;
        try
        {
            while (trainer.StepsDone < options.Steps)
            {
                _ = trainer.TrainSteps(StepsToNextStop(trainer.StepsDone, options), new StepProgress(progress), stopping);
                bool last = trainer.StepsDone == options.Steps;
                after = last || IsDue(trainer.StepsDone, options.EvaluateEverySteps) ? Measure() : after;
                if (last || IsDue(trainer.StepsDone, options.CheckpointEverySteps))
                {
                    Save(trainer, options, progress);
                }
            }
        }
        catch (OperationCanceledException)
        {
            Save(trainer, options, progress);
            throw;
        }

        float[] trained = new float[trainer.Layout.Count];
        trainer.Store(trained);
        return new RunResult(options.Model, trained, trainer.StepsDone, before, after);

        Evaluation? Measure()
        {
            if (!measured)
            {
                return null;
            }

            Evaluation heldOut = HeldOutLoss.Measure(trainer.Model, corpus.HeldOut, options.EvaluateTokensMax, stopping);
            progress.Evaluated(trainer.StepsDone, heldOut);
            return heldOut;
        }
    }

    private static void Start(Trainer trainer, LocalRunOptions options, ReadOnlyMemory<float> parameters)
    {
        bool exists = File.Exists(options.CheckpointPath);
        if (exists && !options.Resume)
        {
            throw new InputFileException(options.CheckpointPath!, -1, "the checkpoint exists. Resume from it, or name another file.");
        }

        if (exists)
        {
            trainer.Resume(options.CheckpointPath!);
        }
        else
        {
            trainer.Load(parameters.Span);
        }
    }

    private static int StepsToNextStop(long done, LocalRunOptions options)
    {
        long stop = Math.Min(NextDue(done, options.EvaluateEverySteps), NextDue(done, options.CheckpointEverySteps));
        return (int)(Math.Min(options.Steps, stop) - done);
    }

    private static void Save(Trainer trainer, LocalRunOptions options, IRunProgress progress)
    {
        if (options.CheckpointPath is not null)
        {
            trainer.Save(options.CheckpointPath);
            progress.CheckpointWritten(trainer.StepsDone, options.CheckpointPath);
        }
    }

    private static bool IsDue(long done, int every) => every > 0 && done % every == 0;

    private static long NextDue(long done, int every) => every > 0 ? ((done / every) + 1) * every : long.MaxValue;

    private sealed class StepProgress(IRunProgress progress) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => progress.StepDone(value);
    }
}
