using FluentAssertions;
using Tapestry.Training.Optimization;
using Tapestry.Training.Runs;
using Tapestry.Training.Text;
using Xunit;

namespace Tapestry.Training.Tests.Scenarios;

[Collection(TorchCollection.Name)]
public sealed class LocalRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LocalRunOptions _options;

    public LocalRunTests()
    {
        string text = string.Join("\n\n", Enumerable.Range(0, 20).Select(i => $"article {i}: all human beings are born free and equal."));
        _options = new LocalRunOptions
        {
            Texts = [_folder.Write("a.txt", text)],
            Model = TinyModel.Tied,
            Trainer = new TrainerOptions
            {
                BatchSequences = 2,
                Threads = 1,
                AdamW = new AdamWOptions { LearningRate = 1e-2 },
                Schedule = new LearningRateSchedule { Kind = ScheduleKind.Cosine, WarmupSteps = 3 },
            },
            Steps = 24,
            EvaluateEverySteps = 10,
            CheckpointPath = Path.Combine(_folder.Path, "run.checkpoint"),
            CheckpointEverySteps = 8,
        };
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_reports_its_steps_its_measures_and_its_checkpoints()
    {
        Log log = new();
        RunResult result = LocalRun.FromSeed(_options, log, CancellationToken.None);

        log.Lines.Where(line => !line.StartsWith("step", StringComparison.Ordinal)).Should().Equal(
            "started 0 of 24", "measured 0", "saved 8", "measured 10", "saved 16", "measured 20", "measured 24", "saved 24");
        log.Lines.Count(line => line.StartsWith("step", StringComparison.Ordinal)).Should().Be(24);
        result.After!.Value.BitsPerByte.Should().BeLessThan(result.Before!.Value.BitsPerByte - 1);
    }

    [Fact]
    public void A_run_that_was_cancelled_goes_on_to_the_same_result()
    {
        RunResult whole = LocalRun.FromSeed(_options with { CheckpointPath = null }, new Log(), CancellationToken.None);
        using CancellationTokenSource stopping = new();
        Log log = new() { AtStep = step => CancelAfter(step, stopping) };
        FluentActions.Invoking(() => LocalRun.FromSeed(_options, log, stopping.Token)).Should().Throw<OperationCanceledException>();
        log.Lines[^1].Should().Be("saved 13");

        FluentActions.Invoking(() => LocalRun.FromSeed(_options, new Log(), CancellationToken.None)).Should().Throw<InputFileException>().WithMessage("*exists*");
        Log rest = new();
        RunResult resumed = LocalRun.FromSeed(_options with { Resume = true }, rest, CancellationToken.None);

        rest.Lines[0].Should().Be("started 13 of 24");
        resumed.Parameters.ToArray().Should().Equal(whole.Parameters.ToArray());
    }

    [Fact]
    public void A_derivative_starts_from_its_base_and_leaves_the_base_alone()
    {
        float[] start = TinyModel.Generate(TinyModel.Tied, 9);
        float[] copy = [.. start];
        LocalRunOptions options = _options with { CheckpointPath = null, Steps = 5 };
        RunResult result = LocalRun.FromBase(options, start, new Log(), CancellationToken.None);
        RunResult fromSeed = LocalRun.FromSeed(options with { InitialSeed = 9 }, new Log(), CancellationToken.None);

        start.Should().Equal(copy);
        result.Parameters.ToArray().Should().Equal(fromSeed.Parameters.ToArray()).And.NotEqual(copy);
        FluentActions.Invoking(() => LocalRun.FromBase(options, copy.AsMemory(1), new Log(), CancellationToken.None)).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void A_checkpoint_of_another_model_is_refused()
    {
        _ = LocalRun.FromSeed(_options with { Steps = 2 }, new Log(), CancellationToken.None);
        LocalRunOptions other = _options with { Resume = true, Model = TinyModel.Untied };

        FluentActions.Invoking(() => LocalRun.FromSeed(other, new Log(), CancellationToken.None)).Should().Throw<InputFileException>().WithMessage("*another model*");
    }

    [Fact]
    public void Without_held_out_text_nothing_is_measured()
    {
        LocalRunOptions options = _options with { CheckpointPath = null, Steps = 2, Corpus = new CorpusOptions { HeldOutFraction = 0 } };

        LocalRun.FromSeed(options, new Log(), CancellationToken.None).After.Should().BeNull();
    }

    [Fact]
    public void Bad_options_are_refused_by_name_before_anything_is_read()
    {
        LocalRunOptions absent = _options with { Texts = ["/no/such/file"] };

        FluentActions.Invoking(() => Run(absent with { Steps = 0 })).Should().Throw<ArgumentException>().WithMessage("*Steps is 0*");
        FluentActions.Invoking(() => Run(absent with { Resume = true, CheckpointPath = null })).Should().Throw<ArgumentException>().WithMessage("*CheckpointPath*");
        FluentActions.Invoking(() => Run(absent with { Texts = [] })).Should().Throw<ArgumentException>().WithMessage("*Texts*");
        FluentActions.Invoking(() => Run(absent)).Should().Throw<InputFileException>().WithMessage("/no/such/file*");

        void Run(LocalRunOptions options) => LocalRun.FromSeed(options, new Log(), CancellationToken.None);
    }

    private static void CancelAfter(TrainingStep step, CancellationTokenSource stopping)
    {
        if (step.Step == 12)
        {
            stopping.Cancel();
        }
    }

    private sealed class Log : IRunProgress
    {
        public List<string> Lines { get; } = [];

        public Action<TrainingStep>? AtStep { get; init; }

        public void Started(long firstStep, long steps, long parameters) => Lines.Add($"started {firstStep} of {steps}");

        public void StepDone(TrainingStep step)
        {
            Lines.Add($"step {step.Step}");
            AtStep?.Invoke(step);
        }

        public void Evaluated(long stepsDone, Evaluation heldOut) => Lines.Add($"measured {stepsDone}");

        public void CheckpointWritten(long stepsDone, string path) => Lines.Add($"saved {stepsDone}");
    }
}
