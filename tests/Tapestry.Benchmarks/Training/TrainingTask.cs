using System.Runtime.InteropServices;
using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Benchmarks.Training;

/// <summary>The work that both sides do: 4.8M parameters, 2048 tokens a step, the same weights and batches.</summary>
internal static class TrainingTask
{
    internal const int BatchSequences = 8;
    internal const long Seed = 1;

    internal static ModelConfig Model { get; } = new()
    {
        Width = 256,
        Layers = 6,
        Heads = 4,
        KeyValueHeads = 4,
        FeedForward = 688,
        ContextTokens = 256,
    };

    internal static TrainerOptions Options(int threads, bool bf16) => new()
    {
        BatchSequences = BatchSequences,
        SamplingSeed = Seed,
        Threads = threads,
        Bf16 = bf16,
    };

    internal static Corpus OpenText(string folder) => Corpus.Open([Path.Combine(folder, "text.txt")], new CorpusOptions());

    internal static float[] Weights()
    {
        ParameterLayout layout = new(Model);
        float[] weights = new float[layout.Count];
        InitialBase.Generate(layout, Seed, weights);
        return weights;
    }

    /// <summary>Writes what the peer reads: text, model, weights and the windows that our sampler draws.</summary>
    internal static void Write(string folder, string text, int steps)
    {
        File.WriteAllText(Path.Combine(folder, "text.txt"), text);
        AdamWOptions adamW = new();
        object model = new
        {
            Model.Vocabulary,
            Model.Width,
            Model.Layers,
            Model.Heads,
            Model.KeyValueHeads,
            Model.FeedForward,
            Model.ContextTokens,
            Model.RopeTheta,
            Model.NormEpsilon,
            BatchSequences,
            adamW.LearningRate,
            adamW.Beta1,
            adamW.Beta2,
            adamW.Epsilon,
            adamW.WeightDecay,
            adamW.ClipNorm,
        };
        File.WriteAllText(Path.Combine(folder, "model.json"), JsonSerializer.Serialize(model, Envelope.Format));
        File.WriteAllBytes(Path.Combine(folder, "weights.f32"), MemoryMarshal.AsBytes<float>(Weights()).ToArray());
        using Corpus corpus = OpenText(folder);
        BatchSampler sampler = new(corpus, Seed);
        long[] window = new long[BatchSequences * (Model.ContextTokens + 1)];
        using FileStream windows = File.Create(Path.Combine(folder, "windows.i64"));
        for (int step = 0; step < steps; step++)
        {
            sampler.Fill(BatchSequences, window);
            windows.Write(MemoryMarshal.AsBytes<long>(window));
        }
    }
}

/// <summary>What one process reports.</summary>
/// <param name="Milliseconds">Time of each step.</param>
/// <param name="ProcessorMilliseconds">Processor time of each step, all threads: meaningful on a busy machine with one thread.</param>
/// <param name="Losses">Loss of each step, in nats.</param>
/// <param name="PeakBytes">Largest resident memory of the process.</param>
/// <param name="Runtime">What computed.</param>
internal sealed record TrainingResult(
    IReadOnlyList<double> Milliseconds, IReadOnlyList<double> ProcessorMilliseconds, IReadOnlyList<double> Losses, double PeakBytes, string Runtime);
