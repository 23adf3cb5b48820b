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
    public static Evaluation Measure(LlamaModel model, IEnumerable<TokenStream> streams, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(streams);
        Evaluation total = default;
        foreach (TokenStream stream in streams.Where(stream => stream.TokenCount > 0))
        {
            total += Measure(model, stream, stopping);
        }

        if (total.Tokens == 0)
        {
            throw new ArgumentException("No text is held out. Raise the held-out fraction, or give files of several documents.", nameof(streams));
        }

        return total;
    }

    /// <summary>Measures one stream.</summary>
    public static Evaluation Measure(LlamaModel model, TokenStream stream, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        using IDisposable inference = no_grad();
        int context = model.Config.ContextTokens;
        double nats = 0;
        for (long position = 0; position < stream.TokenCount - 1; position += (long)BatchSequences * context)
        {
            stopping.ThrowIfCancellationRequested();
            nats += MeasureBatch(model, stream, position, context);
        }

        return new Evaluation(nats, stream.TokenCount - 1, stream.TextBytes);
    }

    // Row r predicts the `context` tokens after position + r * context, as far as the stream goes.
    private static double MeasureBatch(LlamaModel model, TokenStream stream, long position, int context)
    {
        long predictions = stream.TokenCount - 1 - position;
        int rows = (int)Math.Min(BatchSequences, (predictions + context - 1) / context);
        int count = (int)Math.Min(predictions, (long)rows * context);
        long[] window = new long[count + 1];
        stream.Read(position, window);

        long[] inputs = new long[rows * context];
        long[] targets = new long[rows * context];
        Array.Fill(inputs, ByteTokenizer.Padding);
        Array.Fill(targets, Ignored);
        window.AsSpan(0, count).CopyTo(inputs);
        window.AsSpan(1, count).CopyTo(targets);

        using DisposeScope scope = NewDisposeScope();
        Device device = model.Flat.Device;
        Tensor x = tensor(inputs, [rows, context], device: device);               // [B, T]
        Tensor y = tensor(targets, [rows, context], device: device);              // [B, T]
        return model.Loss(x, y, Reduction.Sum).item<float>();
    }
}
