using Tapestry.Torch;
using Tapestry.Training.Models;
using Tapestry.Training.Text;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Optimization;

/// <summary>Measures a model on text: windows of the context length, end to end, each token predicted once, in FP32.</summary>
/// <remarks>No sampling, so two models are compared on the same predictions. specs/60-training.md, section 8.</remarks>
public static class HeldOutLoss
{
    private const int BatchSequences = 8;
    private const long Ignored = -100;

    /// <summary>Measures several streams together.</summary>
    /// <exception cref="ArgumentException">There is no held-out text at all.</exception>
    public static Evaluation Measure(LlamaModel model, IEnumerable<TokenStream> streams, CancellationToken stopping) =>
        Measure(model, streams, long.MaxValue, stopping);

    /// <summary>Measures the beginnings of several streams together.</summary>
    /// <param name="model">The model.</param>
    /// <param name="streams">What to predict.</param>
    /// <param name="tokensMax">Most tokens of each stream to predict, from its start; at least 1.</param>
    /// <param name="stopping">Ends the work between two batches.</param>
    /// <exception cref="ArgumentException">There is no held-out text at all.</exception>
    public static Evaluation Measure(LlamaModel model, IEnumerable<TokenStream> streams, long tokensMax, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(streams);
        Evaluation total = default;
        foreach (TokenStream stream in streams.Where(stream => stream.TokenCount > 0))
        {
            total += Measure(model, stream, tokensMax, stopping);
        }

        if (total.Tokens == 0)
        {
            throw new ArgumentException("No text is held out. Raise the held-out fraction, or give files of several documents.", nameof(streams));
        }

        return total;
    }

    /// <summary>Measures one stream.</summary>
    public static Evaluation Measure(LlamaModel model, TokenStream stream, CancellationToken stopping) =>
        Measure(model, stream, long.MaxValue, stopping);

    private static Evaluation Measure(LlamaModel model, TokenStream stream, long tokensMax, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokensMax);
        using IDisposable inference = no_grad();
        int batchTokens = BatchSequences * model.Config.ContextTokens;
        long predictions = Math.Min(stream.TokenCount - 1, tokensMax);
        Evaluation total = default;
        for (long position = 0; position < predictions; position += batchTokens)
        {
            stopping.ThrowIfCancellationRequested();
            long[] window = new long[Math.Min(predictions - position, batchTokens) + 1];
            stream.Read(position, window);
            total += MeasureBatch(model, window);
        }

        return total;
    }

    // Row r predicts the T tokens after window[r T], as far as the window goes.
    private static Evaluation MeasureBatch(LlamaModel model, ReadOnlySpan<long> window)
    {
        int context = model.Config.ContextTokens;
        int count = window.Length - 1;
        int rows = (count + context - 1) / context;
        long[] inputs = new long[rows * context];
        long[] targets = new long[rows * context];
        Array.Fill(inputs, ByteTokenizer.Padding);
        Array.Fill(targets, Ignored);
        window[..^1].CopyTo(inputs);
        window[1..].CopyTo(targets);

        using DisposeScope scope = NewDisposeScope();
        Device device = model.Flat.Device;
        Tensor x = tensor(inputs, [rows, context], device: device);               // [B, T]
        Tensor y = tensor(targets, [rows, context], device: device);              // [B, T]
        double nats = model.Loss(x, y, Reduction.Sum).item<float>();
        return new Evaluation(nats, count, targets.Count(token => token is >= 0 and < 256));
    }
}
