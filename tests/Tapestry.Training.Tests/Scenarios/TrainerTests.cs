using FluentAssertions;
using Tapestry.Torch;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;
using Xunit;

namespace Tapestry.Training.Tests.Scenarios;

[Collection(TorchCollection.Name)]
public sealed class TrainerTests : IDisposable
{
    private static readonly TrainerOptions Quick = new()
    {
        BatchSequences = 4,
        Threads = 1,
        AdamW = new AdamWOptions { LearningRate = 1e-2 },
        Schedule = new LearningRateSchedule { Kind = ScheduleKind.Cosine, WarmupSteps = 5, TotalSteps = 60 },
    };

    private readonly TemporaryFolder _folder = new();
    private readonly Corpus _corpus;

    public TrainerTests()
    {
        string text = string.Join("\n\n", Enumerable.Range(0, 30).Select(i => $"the {i} quick brown foxes jump over {i + 1} lazy dogs."));
        _corpus = Corpus.Open([_folder.Write("a.txt", text)], new CorpusOptions { HeldOutFraction = 0.2 });
    }

    public void Dispose()
    {
        _corpus.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Training_learns_the_text_and_predicts_held_out_text_better()
    {
        using Trainer trainer = Start(Quick);
        Evaluation before = HeldOutLoss.Measure(trainer.Model, _corpus.HeldOut, CancellationToken.None);
        TrainingSummary summary = trainer.TrainSteps(60, progress: null, CancellationToken.None);
        Evaluation after = HeldOutLoss.Measure(trainer.Model, _corpus.HeldOut, CancellationToken.None);

        before.BitsPerByte.Should().BeInRange(7.5, 9); // log2(260) a token, and the closing token of each document.
        after.BitsPerByte.Should().BeLessThan(4);
        summary.FirstLoss.Should().BeInRange(5.4, 5.8);
        summary.LastLoss.Should().BeLessThan(summary.FirstLoss - 1.5);
        summary.Tokens.Should().Be(60 * 4 * 12);
        after.TextBytes.Should().Be(_corpus.HeldOut[0].TextBytes);
    }

    [Fact]
    public void Held_out_loss_is_the_sum_over_every_token_and_a_limit_measures_the_beginning()
    {
        using Trainer trainer = Start(Quick);
        TokenStream stream = _corpus.HeldOut[0];
        long[] tokens = new long[stream.TokenCount];
        stream.Read(0, tokens);
        ReferenceLlama reference = new(TinyModel.Tied, Parameters(trainer));
        double nats = 0;
        for (int start = 0; start + 1 < 40; start += 12)
        {
            long[] window = tokens[start..Math.Min(start + 13, 41)];
            nats += reference.Loss(window) * (window.Length - 1);
        }

        Evaluation some = HeldOutLoss.Measure(trainer.Model, _corpus.HeldOut, 40, CancellationToken.None);
        Evaluation all = HeldOutLoss.Measure(trainer.Model, _corpus.HeldOut, CancellationToken.None);

        some.Nats.Should().BeApproximately(nats, 1e-3);
        some.Tokens.Should().Be(40);
        some.TextBytes.Should().Be(tokens[1..41].Count(token => token < 256));
        all.Tokens.Should().Be(tokens.Length - 1);
        all.TextBytes.Should().Be(stream.TextBytes);
    }

    [Fact]
    public void A_resumed_run_has_the_losses_and_the_bytes_of_one_that_was_never_stopped()
    {
        string path = Path.Combine(_folder.Path, "run.checkpoint");
        using Trainer whole = Start(Quick);
        double[] expected = Losses(whole, 40);
        using (Trainer first = Start(Quick))
        {
            Losses(first, 15).Should().Equal(expected[..15]);
            first.Save(path);
        }

        using Trainer resumed = Start(Quick);
        resumed.Resume(path);
        resumed.StepsDone.Should().Be(15);

        Losses(resumed, 25).Should().Equal(expected[15..]);
        Parameters(resumed).Should().Equal(Parameters(whole));
    }

    [Fact]
    public void Parameters_replaced_between_rounds_leave_moments_and_sampler_going_on()
    {
        using Trainer one = Start(Quick);
        using Trainer two = Start(Quick);
        _ = Losses(one, 10);
        _ = Losses(two, 10);
        float[] same = Parameters(two);
        two.Load(new float[same.Length]);
        two.Load(same);

        Losses(two, 5).Should().Equal(Losses(one, 5));
        FluentActions.Invoking(() => two.Load(same.AsSpan(1))).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Cancelling_stops_between_two_steps_and_keeps_what_was_done()
    {
        using CancellationTokenSource stopping = new();
        using Trainer trainer = Start(Quick);
        FluentActions.Invoking(() => trainer.TrainSteps(50, new Call(step => CancelAt(step, 6)), stopping.Token)).Should().Throw<OperationCanceledException>();
        using Trainer other = Start(Quick);
        _ = Losses(other, 7);

        trainer.StepsDone.Should().Be(7);
        Parameters(trainer).Should().Equal(Parameters(other));

        void CancelAt(TrainingStep step, long last)
        {
            if (step.Step == last)
            {
                stopping.Cancel();
            }
        }
    }

    [Fact]
    public void A_loss_that_is_no_number_is_an_error_and_moves_nothing()
    {
        using Trainer trainer = Start(Quick);
        float[] broken = Parameters(trainer);
        broken[0] = float.NaN;
        broken[^1] = float.NaN;
        trainer.Load(broken);

        FluentActions.Invoking(() => trainer.TrainSteps(1, null, CancellationToken.None)).Should().Throw<TrainingDivergedException>().WithMessage("Step 0*");
        trainer.StepsDone.Should().Be(0);
        Parameters(trainer).Count(float.IsNaN).Should().Be(2);
    }

    [Fact]
    public void Low_precision_products_learn_as_well_and_keep_parameters_in_full_precision()
    {
        using Trainer full = Start(Quick);
        using Trainer low = Start(Quick with { Bf16 = true });
        double[] expected = Losses(full, 30);
        double[] actual = Losses(low, 30);

        actual[0].Should().BeApproximately(expected[0], 0.02).And.NotBe(expected[0]);
        actual[29].Should().BeApproximately(expected[29], 0.15);
        low.Model.Flat.Values.dtype.Should().Be(torch.float32);
    }

    [Fact]
    public void Norm_gains_never_decay_and_matrices_do()
    {
        AdamWOptions still = Quick.AdamW with { LearningRate = 1e-12, WeightDecay = 1 };
        using Trainer trainer = Start(Quick with { AdamW = still with { LearningRate = 1e-2, Epsilon = 0.99, ClipNorm = 1e-12 }, Schedule = new() });
        float[] before = Parameters(trainer);
        _ = Losses(trainer, 1);
        float[] after = Parameters(trainer);
        int decayed = (int)trainer.Layout.DecayedCount;

        after[decayed..].Should().OnlyContain(value => value == 1f);
        after[..decayed].Zip(before).Should().OnlyContain(pair => Math.Abs(pair.First - (pair.Second * 0.99f)) < 1e-8f);
    }

    [Fact]
    public void Many_steps_leave_no_live_tensors_behind()
    {
        using Trainer trainer = Start(Quick with { Schedule = new() });
        _ = Losses(trainer, 5);
        long live = LiveTensors.Count;
        long bytes = LiveTensors.Bytes;
        _ = Losses(trainer, 300);
        _ = HeldOutLoss.Measure(trainer.Model, _corpus.HeldOut, CancellationToken.None);

        LiveTensors.Count.Should().Be(live);
        LiveTensors.Bytes.Should().Be(bytes);
    }

    [Fact]
    public void Ten_thousand_steps_take_no_more_memory_than_a_thousand()
    {
        ModelConfig smallest = TinyModel.Tied with { Width = 8, Layers = 1, Heads = 1, KeyValueHeads = 1, FeedForward = 8, ContextTokens = 8 };
        using Trainer trainer = new(smallest, Quick with { BatchSequences = 1, Schedule = new() }, _corpus);
        trainer.Load(TinyModel.Generate(smallest, 3));
        _ = trainer.TrainSteps(1000, null, CancellationToken.None);
        long live = LiveTensors.Count;
        long resident = Environment.WorkingSet;
        _ = trainer.TrainSteps(9000, null, CancellationToken.None);

        LiveTensors.Count.Should().Be(live);
        // A leak of one of a step's smallest tensors, with its C++ object, would be some 300 bytes * 9000 = 3 MB, of its activations more.
        (Environment.WorkingSet - resident).Should().BeLessThan(16 << 20);
    }

    [Fact]
    public void Everything_is_freed_with_the_trainer()
    {
        long live = LiveTensors.Count;
        using (Trainer trainer = Start(Quick))
        {
            _ = Losses(trainer, 2);
        }

        LiveTensors.Count.Should().Be(live);
    }

    [Fact]
    public void Bad_options_are_refused_by_name_and_value()
    {
        FluentActions.Invoking(() => Start(Quick with { BatchSequences = 0 })).Should().Throw<ArgumentException>().WithMessage("*BatchSequences is 0*");
        FluentActions.Invoking(() => Start(Quick with { Device = "gpu" })).Should().Throw<ArgumentException>().WithMessage("*gpu*");
        FluentActions.Invoking(() => Start(Quick with { Device = "cuda:99" })).Should().Throw<ArgumentException>().WithMessage("*cuda:99*");
        FluentActions.Invoking(() => Start(Quick with { AdamW = new() { Beta1 = 1 } })).Should().Throw<ArgumentException>().WithMessage("*Beta1 is 1*");
        FluentActions.Invoking(() => new Trainer(TinyModel.Tied with { Vocabulary = 300 }, Quick, _corpus)).Should().Throw<ArgumentException>().WithMessage("*300*");
    }

    private Trainer Start(TrainerOptions options)
    {
        Trainer trainer = new(TinyModel.Tied, options, _corpus);
        trainer.Load(TinyModel.Generate(TinyModel.Tied, 3));
        return trainer;
    }

    private static double[] Losses(Trainer trainer, int steps)
    {
        List<double> losses = [];
        _ = trainer.TrainSteps(steps, new Call(step => losses.Add(step.Loss)), CancellationToken.None);
        return [.. losses];
    }

    private static float[] Parameters(Trainer trainer)
    {
        float[] parameters = new float[trainer.Layout.Count];
        trainer.Store(parameters);
        return parameters;
    }

    private sealed class Call(Action<TrainingStep> action) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => action(value);
    }
}
