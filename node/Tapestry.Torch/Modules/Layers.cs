using static Tapestry.Torch.torch;

namespace Tapestry.Torch.Modules;

/// <summary>x · weightᵀ + bias. The weights are zero until somebody initialises them.</summary>
public sealed class Linear : nn.Module<Tensor, Tensor>
{
    internal Linear(long inputSize, long outputSize, bool hasBias, Device? device)
    {
        weight = register_parameter("weight", new Parameter(zeros(outputSize, inputSize, device: device)));
        bias = hasBias ? register_parameter("bias", new Parameter(zeros(outputSize, device: device))) : null;
    }

    /// <summary>[out, in].</summary>
    public Parameter weight { get; }

    /// <summary>[out], or none.</summary>
    public Parameter? bias { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.linear(input, weight, bias);
}

/// <summary>A learned table of rows. The rows are zero until somebody initialises them.</summary>
public sealed class Embedding : nn.Module<Tensor, Tensor>
{
    internal Embedding(long count, long size, Device? device) =>
        weight = register_parameter("weight", new Parameter(zeros(count, size, device: device)));

    /// <summary>[count, size].</summary>
    public Parameter weight { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.embedding(input, weight);
}

/// <summary>Root mean square normalisation with a learned scale, one at first.</summary>
public sealed class RMSNorm : nn.Module<Tensor, Tensor>
{
    private readonly double _eps;

    internal RMSNorm(long size, double eps, Device? device)
    {
        _eps = eps;
        weight = register_parameter("weight", new Parameter(ones(size, device: device)));
    }

    /// <summary>[size].</summary>
    public Parameter weight { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.rms_norm(input, weight, _eps);
}

/// <summary>Modules in order, named 0, 1, 2 …</summary>
/// <typeparam name="T">Their type.</typeparam>
public sealed class ModuleList<T> : nn.Module, IReadOnlyList<T>
    where T : nn.Module
{
    private readonly List<T> _items = [];

    internal ModuleList(ReadOnlySpan<T> modules)
    {
        foreach (T module in modules)
        {
            Add(module);
        }
    }

    /// <inheritdoc/>
    public int Count => _items.Count;

    /// <inheritdoc/>
    public T this[int index] => _items[index];

    /// <summary>Adds a module at the end.</summary>
    public void Add(T module)
    {
        register_module(_items.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), module);
        _items.Add(module);
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => _items.GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
}
