using Tapestry.Torch;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Models;

/// <summary>Keys and values of the tokens that a model has seen, so that one more token costs one token's work.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <summary>Room for one sequence of the model's context length.</summary>
    public KeyValueCache(ModelConfig config, Device device)
    {
        ArgumentNullException.ThrowIfNull(config);
        Capacity = config.ContextTokens;
        long[] shape = [1, config.KeyValueHeads, Capacity, config.HeadWidth];
        _keys = [.. Enumerable.Range(0, config.Layers).Select(_ => zeros(shape, device: device).DetachFromDisposeScope())];
        _values = [.. Enumerable.Range(0, config.Layers).Select(_ => zeros(shape, device: device).DetachFromDisposeScope())];
    }

    /// <summary>Most tokens that fit.</summary>
    public int Capacity { get; }

    /// <summary>Tokens held.</summary>
    public int Count { get; internal set; }

    /// <summary>Forgets all tokens.</summary>
    public void Clear() => Count = 0;

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _keys.Concat(_values))
        {
            tensor.Dispose();
        }
    }

    /// <summary>Appends a layer's keys and values, [1, k, t, w] each, and returns all held ones, [1, k, Count + t, w].</summary>
    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        long count = keys.size(2);
        _ = _keys[layer].narrow(2, Count, count).copy_(keys);
        _ = _values[layer].narrow(2, Count, count).copy_(values);
        return (_keys[layer].narrow(2, 0, Count + count), _values[layer].narrow(2, 0, Count + count));
    }
}
