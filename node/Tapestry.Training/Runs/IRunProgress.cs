using Tapestry.Training.Optimization;

namespace Tapestry.Training.Runs;

/// <summary>Hears how a run goes, on the thread that trains.</summary>
public interface IRunProgress
{
    /// <summary>The run begins, or goes on from a checkpoint.</summary>
    /// <param name="firstStep">The step that comes next, 0-based.</param>
    /// <param name="steps">Steps of the whole run.</param>
    /// <param name="parameters">Parameters of the model.</param>
    void Started(long firstStep, long steps, long parameters);

    /// <summary>One step is done.</summary>
    void StepDone(TrainingStep step);

    /// <summary>The model was measured on held-out text.</summary>
    /// <param name="stepsDone">Steps before it.</param>
    /// <param name="heldOut">What it measured.</param>
    void Evaluated(long stepsDone, Evaluation heldOut);

    /// <summary>A checkpoint is on disk.</summary>
    void CheckpointWritten(long stepsDone, string path);
}
