using System.Collections.Immutable;
using System.Diagnostics;

namespace Tapestry.Training.Models;

/// <summary>Where every tensor of a model lies in its one flat FP32 vector.</summary>
/// <remarks>
/// The order is part of the protocol, because a base is named by the digest of this vector: first all matrices in
/// reading order (embedding, then block by block, then the output projection when it is not tied), then all gains in
/// reading order. Matrices first, because weight decay then covers a prefix. specs/60-training.md, section 2.
/// </remarks>
public sealed class ParameterLayout
{
    private readonly Dictionary<string, ParameterTensor> _byName;

    /// <summary>Lays out the model of <paramref name="config"/>.</summary>
    /// <exception cref="ArgumentException">The shape is impossible, or has more than <see cref="ModelConfig.ParametersMax"/> parameters.</exception>
    public ParameterLayout(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        Tensors = LayOut(config);
        _byName = Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);

        ParameterTensor last = Tensors[^1];
        Debug.Assert(last.Kind == ParameterKind.Norm);
        Count = last.Offset + last.Count;
        DecayedCount = Tensors.First(tensor => tensor.Kind == ParameterKind.Norm).Offset;
        if (Count > ModelConfig.ParametersMax)
        {
            throw new ArgumentException(
                $"Model shape: {Count} parameters; at most {ModelConfig.ParametersMax} fit one vector. Make it narrower or shallower.");
        }
    }

    /// <summary>The shape that was laid out.</summary>
    public ModelConfig Config { get; }

    /// <summary>All tensors, ascending by offset, without gaps.</summary>
    public ImmutableArray<ParameterTensor> Tensors { get; }

    /// <summary>Elements of the flat vector, P.</summary>
    public long Count { get; }

    /// <summary>The prefix that weight decay applies to: every matrix, no gain.</summary>
    public long DecayedCount { get; }

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">No tensor has the name.</exception>
    public ParameterTensor this[string name] => _byName[name];

    /// <summary>The name of a tensor of block <paramref name="layer"/>, for example (2, "mlp.up_proj").</summary>
    public static string InLayer(int layer, string module) => $"model.layers.{layer}.{module}.weight";

    private static ImmutableArray<ParameterTensor> LayOut(ModelConfig config)
    {
        long d = config.Width;
        long keyValueWidth = (long)config.KeyValueHeads * config.HeadWidth;
        long f = config.FeedForward;
        ImmutableArray<ParameterTensor>.Builder tensors = ImmutableArray.CreateBuilder<ParameterTensor>();
        long offset = 0;

        Add("model.embed_tokens.weight", ParameterKind.Matrix, config.Vocabulary, d);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            Add(InLayer(layer, "self_attn.q_proj"), ParameterKind.Matrix, d, d);
            Add(InLayer(layer, "self_attn.k_proj"), ParameterKind.Matrix, keyValueWidth, d);
            Add(InLayer(layer, "self_attn.v_proj"), ParameterKind.Matrix, keyValueWidth, d);
            Add(InLayer(layer, "self_attn.o_proj"), ParameterKind.ResidualMatrix, d, d);
            Add(InLayer(layer, "mlp.gate_proj"), ParameterKind.Matrix, f, d);
            Add(InLayer(layer, "mlp.up_proj"), ParameterKind.Matrix, f, d);
            Add(InLayer(layer, "mlp.down_proj"), ParameterKind.ResidualMatrix, d, f);
        }

        if (!config.TiedEmbeddings)
        {
            Add("lm_head.weight", ParameterKind.Matrix, config.Vocabulary, d);
        }

        for (int layer = 0; layer < config.Layers; layer++)
        {
            Add(InLayer(layer, "input_layernorm"), ParameterKind.Norm, d, 0);
            Add(InLayer(layer, "post_attention_layernorm"), ParameterKind.Norm, d, 0);
        }

        Add("model.norm.weight", ParameterKind.Norm, d, 0);
        return tensors.ToImmutable();

        void Add(string name, ParameterKind kind, long rows, long columns)
        {
            ParameterTensor tensor = new(name, kind, rows, columns, offset);
            tensors.Add(tensor);
            offset += tensor.Count;
        }
    }
}
