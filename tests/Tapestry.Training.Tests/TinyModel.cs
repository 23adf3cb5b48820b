using Tapestry.Training.Models;

namespace Tapestry.Training.Tests;

/// <summary>Small shapes that the tests share.</summary>
internal static class TinyModel
{
    /// <summary>Grouped queries, tied embeddings.</summary>
    internal static ModelConfig Tied { get; } = new()
    {
        Width = 16,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        FeedForward = 24,
        ContextTokens = 12,
    };

    /// <summary>One key head, another epsilon and theta, its own output projection.</summary>
    internal static ModelConfig Untied { get; } = Tied with
    {
        KeyValueHeads = 1,
        TiedEmbeddings = false,
        RopeTheta = 500,
        NormEpsilon = 1e-3,
    };

    internal static float[] Generate(ModelConfig config, long seed)
    {
        ParameterLayout layout = new(config);
        float[] parameters = new float[layout.Count];
        InitialBase.Generate(layout, seed, parameters);
        return parameters;
    }
}
