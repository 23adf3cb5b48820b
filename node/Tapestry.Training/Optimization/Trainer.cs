using System.Diagnostics;
using Tapestry.Torch;
using Tapestry.Torch.Optimisers;
using Tapestry.Training.Models;
using Tapestry.Training.Text;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Optimization;

/// <summary>Trains one model on one machine: the inner optimiser of a round, and the whole of a local run.</summary>
/// <remarks>
/// Not for several threads at once. Between two calls of <see cref="TrainSteps"/> parameters may be replaced, as at
/// the start of a round; the optimiser's moments and the sampler's place go on. specs/60-training.md, section 7.
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly TrainerOptions _options;
    private readonly FlatParameters _parameters; // The model's.
    private readonly FlatAdamW _optimizer;
    private readonly BatchSampler _sampler;
    private readonly long[] _window; // [B, T + 1]

    /// <summary>A trainer whose parameters are zero until <see cref="Load"/> or <see cref="Resume"/>.</summary>
    /// <param name="config">The model.</param>
    /// <param name="options">How to train.</param>
    /// <param name="corpus">What to train on; stays the caller's and must outlive the trainer.</param>
    /// <exception cref="ArgumentException">A value is out of range, or the device does not exist.</exception>
    public Trainer(ModelConfig config, TrainerOptions options, Corpus corpus)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(corpus);
        options.Validate();
        _options = options;
        Training.Options.Require(config.Vocabulary == ByteTokenizer.Vocabulary, nameof(config.Vocabulary), config.Vocabulary,
            $"{ByteTokenizer.Vocabulary}, since text is read as bytes");
        set_num_threads(options.Threads);
        Model = new LlamaModel(config, Devices.Open(options.Device));
        _parameters = Model.Flat;
        AdamWOptions adamW = options.AdamW;
        _optimizer = optim.AdamW(_parameters, adamW.LearningRate, adamW.Beta1, adamW.Beta2, adamW.Epsilon, adamW.WeightDecay);
        _sampler = new BatchSampler(corpus, options.SamplingSeed);
        _window = new long[options.BatchSequences * (config.ContextTokens + 1)];
    }

    /// <summary>Where each tensor lies in the parameter vector.</summary>
    public ParameterLayout Layout => Model.Layout;

    /// <summary>The model being trained.</summary>
    public LlamaModel Model { get; }

    /// <summary>Steps done in the run: the schedule's place. A member that joins a run late sets it to the run's.</summary>
    public long StepsDone { get; set; }

    /// <summary>Replaces the parameters; moments, schedule and sampler stay.</summary>
    /// <param name="parameters">[P].</param>
    public void Load(ReadOnlySpan<float> parameters) => _parameters.CopyFrom(0, Whole(parameters));

    /// <summary>Copies the parameters out.</summary>
    /// <param name="parameters">The result, [P].</param>
    public void Store(Span<float> parameters) => _parameters.CopyTo(0, Whole(parameters));

    /// <summary>Trains for <paramref name="steps"/> steps.</summary>
    /// <param name="steps">At least 1.</param>
    /// <param name="progress">Told after each step, on this thread; null for nobody.</param>
    /// <param name="stopping">Ends the work between two steps; everything is then as after the last whole step.</param>
    /// <exception cref="TrainingDivergedException">The loss is no longer a number.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stopping"/> was cancelled.</exception>
    public TrainingSummary TrainSteps(int steps, IProgress<TrainingStep>? progress, CancellationToken stopping)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        long started = Stopwatch.GetTimestamp();
        double first = 0;
        double last = 0;
        double sum = 0;
        for (int i = 0; i < steps; i++)
        {
            stopping.ThrowIfCancellationRequested();
            TrainingStep done = TrainStep();
            first = i == 0 ? done.Loss : first;
            last = done.Loss;
            sum += done.Loss;
            progress?.Report(done);
        }

        long tokens = (long)steps * _options.BatchSequences * Layout.Config.ContextTokens;
        return new TrainingSummary(steps, tokens, first, last, sum / steps, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Writes everything that <see cref="Resume"/> needs, atomically.</summary>
    public void Save(string path)
    {
        float[] parameters = new float[Layout.Count];
        float[] mean = new float[Layout.Count];
        float[] square = new float[Layout.Count];
        Store(parameters);
        _parameters.Read(_optimizer.Mean, 0, mean);
        _parameters.Read(_optimizer.Square, 0, square);
        CheckpointHeader header = new(Layout.Config, StepsDone, _optimizer.Steps, _sampler.Drawn);
        new Checkpoint(header, parameters, mean, square).Write(path);
    }

    /// <summary>Goes on exactly where <see cref="Save"/> was called.</summary>
    /// <exception cref="InputFileException">The file is cut, altered, or of another model.</exception>
    public void Resume(string path)
    {
        Checkpoint checkpoint = Checkpoint.Read(path);
        if (checkpoint.Header.Model != Layout.Config)
        {
            throw new InputFileException(path, -1,
                $"made for another model ({checkpoint.Header.Model.Digest()[..8]}, here {Layout.Config.Digest()[..8]}). Use that model's shape.");
        }

        Load(checkpoint.Parameters.Span);
        _parameters.Write(_optimizer.Mean, 0, checkpoint.Mean.Span);
        _parameters.Write(_optimizer.Square, 0, checkpoint.Square.Span);
        _optimizer.Steps = checkpoint.Header.OptimizerSteps;
        _sampler.Drawn = checkpoint.Header.SequencesDrawn;
        StepsDone = checkpoint.Header.StepsDone;
    }

    /// <summary>Frees model, moments and parameters.</summary>
    public void Dispose()
    {
        _optimizer.Dispose();
        Model.Dispose();
    }

    private double ClipNorm => _options.AdamW.ClipNorm > 0 ? _options.AdamW.ClipNorm : double.PositiveInfinity;

    private ReadOnlySpan<float> Whole(ReadOnlySpan<float> parameters) => parameters.Length == Layout.Count
        ? parameters
        : throw new ArgumentException($"The model has {Layout.Count} parameters, the span {parameters.Length}.", nameof(parameters));

    private Span<float> Whole(Span<float> parameters)
    {
        _ = Whole((ReadOnlySpan<float>)parameters);
        return parameters;
    }

    private TrainingStep TrainStep()
    {
        int batch = _options.BatchSequences;
        int context = Layout.Config.ContextTokens;
        double rate = _options.Schedule.At(StepsDone);
        _sampler.Fill(batch, _window);

        using DisposeScope scope = NewDisposeScope();
        Tensor window = tensor(_window, [batch, context + 1], device: _parameters.Device); // [B, T + 1]
        Tensor inputs = window.narrow(1, 0, context);                                      // [B, T]
        Tensor targets = window.narrow(1, 1, context);                                     // [B, T]
        double loss = ForwardBackward(inputs, targets);
        _optimizer.LearningRate = rate * _options.AdamW.LearningRate;
        double norm = double.IsFinite(loss) ? _optimizer.step(ClipNorm) : double.NaN;
        if (!double.IsFinite(norm))
        {
            throw new TrainingDivergedException(StepsDone, loss, norm);
        }

        return new TrainingStep(StepsDone++, loss, norm, _optimizer.LearningRate);
    }

    private double ForwardBackward(Tensor inputs, Tensor targets)
    {
        _parameters.ZeroGradients(); // Here, not after the step: a step that failed half-way must leave nothing to the next.
        Tensor loss;
        using (IDisposable? precision = _options.Bf16 ? autocast(_parameters.Device.type, bfloat16) : null)
        {
            loss = Model.Loss(inputs, targets);
        }

        loss.backward();
        return loss.item<float>(); // The CPU waits for a GPU here.
    }
}
