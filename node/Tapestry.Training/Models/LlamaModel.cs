using System.Diagnostics;
using Tapestry.Torch;
using Tapestry.Torch.Modules;
using static Tapestry.Torch.torch;
using static Tapestry.Torch.torch.nn.functional;

namespace Tapestry.Training.Models;

/// <summary>A Llama-family decoder: RMSNorm before each part, rotary positions, grouped-query attention, SwiGLU.</summary>
/// <remarks>
/// B batch, T tokens, V vocabulary, d width, h query heads, k key and value heads, w = d / h, f feed-forward width.
/// Weights are [out, in]. A slow obvious reference stands in the tests. specs/60-training.md, section 6.
/// </remarks>
public sealed class LlamaModel : nn.Module<Tensor, Tensor>
{
    private readonly Dictionary<string, Parameter> _parameters = new(StringComparer.Ordinal);
    private readonly Block[] _blocks;
    private readonly Parameter _embedding; // [V, d]
    private readonly Parameter _finalNorm; // [d]
    private readonly Parameter _output;    // [V, d]; the embedding when tied
    private readonly Tensor _cosine;       // [T, w/2]
    private readonly Tensor _sine;         // [T, w/2]

    /// <summary>Builds the model with all parameters zero.</summary>
    /// <exception cref="ArgumentException">The shape is impossible.</exception>
    public LlamaModel(ModelConfig config, Device device)
    {
        Layout = new ParameterLayout(config);
        Config = config;
        foreach (ParameterTensor tensor in Layout.Tensors)
        {
            using Tensor zero = zeros(tensor.Shape(), device: device);
            _parameters.Add(tensor.Name, register_parameter(tensor.Name, new Parameter(zero)));
        }

        Flat = new FlatParameters(this);
        Debug.Assert(Flat.Ranges.Zip(Layout.Tensors).All(pair => pair.First.Start == pair.Second.Offset && pair.First.Name == pair.Second.Name));
        _embedding = _parameters["model.embed_tokens.weight"];
        _finalNorm = _parameters["model.norm.weight"];
        _output = config.TiedEmbeddings ? _embedding : _parameters["lm_head.weight"];
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new Block(Layout, Flat, _parameters, layer))];
        (_cosine, _sine) = RotaryTables(config, device);
    }

    /// <summary>The shape.</summary>
    public ModelConfig Config { get; }

    /// <summary>Where each tensor lies in <see cref="Flat"/>.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>All parameters in one vector and all gradients in another; every tensor of the model is a view of them.</summary>
    /// <remarks>So an update is one subtraction, and a slice of the protocol is a slice of memory.</remarks>
    public FlatParameters Flat { get; }

    /// <summary>The logits of the token after each.</summary>
    /// <param name="input">[B, T'], 64-bit integers below V; T' is at most T.</param>
    /// <returns>[B, T', V].</returns>
    public override Tensor forward(Tensor input) => Forward(input, cache: null);

    /// <summary>The logits of the token after each, with earlier tokens remembered.</summary>
    /// <param name="tokens">[B, T'], 64-bit integers below V; T' is at most T.</param>
    /// <param name="cache">Earlier tokens, for generation with B = 1; null for none. The new ones are appended.</param>
    /// <returns>[B, T', V].</returns>
    public Tensor Forward(Tensor tokens, KeyValueCache? cache)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        int start = cache?.Count ?? 0;
        long count = tokens.size(1);
        if (start + count > Config.ContextTokens)
        {
            throw new ArgumentException($"{start + count} tokens; the model's context has {Config.ContextTokens}.", nameof(tokens));
        }

        using Tensor cosine = _cosine.narrow(0, start, count);                    // [T', w/2]
        using Tensor sine = _sine.narrow(0, start, count);                        // [T', w/2]
        Tensor x = embedding(tokens, _embedding);                                 // [B, T', d]
        for (int layer = 0; layer < _blocks.Length; layer++)
        {
            Block block = _blocks[layer];
            x = x + Attention(block, Norm(x, block.AttentionNorm), cosine, sine, cache, layer);
            x = x + FeedForward(block, Norm(x, block.FeedForwardNorm));
        }

        if (cache is not null)
        {
            cache.Count += (int)count;
        }

        return linear(Norm(x, _finalNorm), _output);                              // [B, T', V]
    }

    /// <summary>The negative log-likelihood of <paramref name="targets"/>.</summary>
    /// <param name="tokens">[B, T'].</param>
    /// <param name="targets">[B, T'], the token after each; -100 where none is to be predicted.</param>
    /// <param name="reduction">Mean or sum over the predicted tokens.</param>
    /// <returns>A scalar, FP32.</returns>
    public Tensor Loss(Tensor tokens, Tensor targets, Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(targets);
        Tensor logits = forward(tokens);                                          // [B, T', V]
        Tensor flat = logits.view(-1, Config.Vocabulary).to(float32);            // [B T', V]
        return cross_entropy(flat, targets.reshape(-1), reduction: reduction);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cosine.Dispose();
            _sine.Dispose();
            foreach (Block block in _blocks)
            {
                block.Dispose();
            }

            Flat.Dispose();
        }

        base.Dispose(disposing);
    }

    private Tensor Norm(Tensor x, Tensor gain) => rms_norm(x, gain, Config.NormEpsilon);

    private Tensor Attention(Block block, Tensor x, Tensor cosine, Tensor sine, KeyValueCache? cache, int layer)
    {
        Tensor projection = linear(x, block.QueryKeyValue);                       // [B, T', (h + 2 k) w]
        if (cache is null)
        {
            Tensor all = rotary_attention(projection, cosine, sine, Config.Heads, Config.KeyValueHeads); // [B, T', d]
            return linear(all, block.AttentionOutput);                            // [B, T', d]
        }

        long batch = x.size(0);
        long count = x.size(1);
        Tensor heads = projection.view(batch, count, -1, Config.HeadWidth).transpose(1, 2); // [B, h + 2 k, T', w]
        Tensor[] parts = heads.split([Config.Heads, Config.KeyValueHeads, Config.KeyValueHeads], dim: 1);
        (Tensor k, Tensor v) = cache.Append(layer, rope(parts[1], cosine, sine), parts[2]); // [1, k, start + T', w]
        Tensor y = scaled_dot_product_attention(rope(parts[0], cosine, sine), k, v, is_causal: true); // [B, h, T', w]
        y = y.transpose(1, 2).reshape(batch, count, Config.Width);               // [B, T', d]
        return linear(y, block.AttentionOutput);                                  // [B, T', d]
    }

    private static Tensor FeedForward(Block block, Tensor x)
    {
        Tensor gateAndUp = linear(x, block.GateAndUp);                            // [B, T', 2 f]
        return linear(swiglu(gateAndUp), block.Down);                             // [B, T', d]
    }

    // Pair j of a head turns by position * theta^(-2 j / w); the pairs are (j, j + w/2), Hugging Face's convention.
    private static (Tensor Cosine, Tensor Sine) RotaryTables(ModelConfig config, Device device)
    {
        int half = config.HeadWidth / 2;
        float[] cosine = new float[config.ContextTokens * half];
        float[] sine = new float[config.ContextTokens * half];
        for (int position = 0; position < config.ContextTokens; position++)
        {
            for (int j = 0; j < half; j++)
            {
                double angle = position * Math.Pow(config.RopeTheta, -2.0 * j / config.HeadWidth);
                cosine[(position * half) + j] = (float)Math.Cos(angle);
                sine[(position * half) + j] = (float)Math.Sin(angle);
            }
        }

        long[] shape = [config.ContextTokens, half];
        return (tensor(cosine, shape, device: device).DetachFromDisposeScope(), tensor(sine, shape, device: device).DetachFromDisposeScope());
    }

    /// <summary>The weights of one block. Neighbours in the layout that read the same input multiply as one matrix.</summary>
    private sealed class Block : IDisposable
    {
        internal Block(ParameterLayout layout, FlatParameters flat, Dictionary<string, Parameter> parameters, int layer)
        {
            AttentionNorm = parameters[ParameterLayout.InLayer(layer, "input_layernorm")];
            AttentionOutput = parameters[ParameterLayout.InLayer(layer, "self_attn.o_proj")];
            FeedForwardNorm = parameters[ParameterLayout.InLayer(layer, "post_attention_layernorm")];
            Down = parameters[ParameterLayout.InLayer(layer, "mlp.down_proj")];
            QueryKeyValue = Joined("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
            GateAndUp = Joined("mlp.gate_proj", "mlp.up_proj");

            Parameter Joined(params ReadOnlySpan<string> names)
            {
                ParameterTensor first = layout[ParameterLayout.InLayer(layer, names[0])];
                long rows = 0;
                foreach (string name in names)
                {
                    ParameterTensor next = layout[ParameterLayout.InLayer(layer, name)];
                    Debug.Assert(next.Offset == first.Offset + (rows * first.Columns) && next.Columns == first.Columns);
                    rows += next.Rows;
                }

                return flat.Leaf(first.Offset, rows, first.Columns);
            }
        }

        internal Parameter AttentionNorm { get; }   // [d]
        internal Parameter QueryKeyValue { get; }   // [(h + 2 k) w, d]
        internal Parameter AttentionOutput { get; } // [d, h w]
        internal Parameter FeedForwardNorm { get; } // [d]
        internal Parameter GateAndUp { get; }       // [2 f, d]
        internal Parameter Down { get; }            // [d, f]

        public void Dispose()
        {
            QueryKeyValue.Dispose();
            GateAndUp.Dispose();
        }
    }
}
