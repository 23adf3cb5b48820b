namespace Tapestry.Torch;

/// <summary>Disposes, at its end, every tensor that was made on its thread since it began and was not moved out.</summary>
/// <remarks>
/// One scope around one training step is the rule: the collector does not see native memory, so without a scope a loop
/// fills the machine long before a collection. Scopes nest, belong to the thread that opened them, and end in reverse order.
/// </remarks>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope? s_current;

    private readonly DisposeScope? _outer;
    private readonly List<Tensor?> _tensors = [];
    private bool _ended;

    internal DisposeScope()
    {
        _outer = s_current;
        s_current = this;
    }

    internal static DisposeScope? Current => s_current;

    /// <summary>Hands a tensor of this scope to the scope around it; without one, to the caller.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <returns>The same tensor.</returns>
    public Tensor MoveToOuter(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Scope == this)
        {
            Remove(tensor);
            _outer?.Add(tensor);
        }

        return tensor;
    }

    /// <summary>Takes a tensor out of its scope: from now on the caller disposes it.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <returns>The same tensor.</returns>
    public Tensor Detach(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Scope == this)
        {
            Remove(tensor);
        }

        return tensor;
    }

    /// <summary>Ends the scope.</summary>
    /// <exception cref="InvalidOperationException">An inner scope is still open, or this is another thread.</exception>
    public void Dispose()
    {
        if (_ended)
        {
            return;
        }

        if (s_current != this)
        {
            throw new InvalidOperationException("Scopes end in reverse order and on their own thread: an inner scope is still open.");
        }

        _ended = true;
        s_current = _outer;
        foreach (Tensor? tensor in _tensors)
        {
            if (tensor is not null)
            {
                tensor.Scope = null;
                tensor.Dispose();
            }
        }
    }

    internal void Add(Tensor tensor)
    {
        tensor.Scope = this;
        tensor.ScopeIndex = _tensors.Count;
        _tensors.Add(tensor);
    }

    internal void Remove(Tensor tensor)
    {
        _tensors[tensor.ScopeIndex] = null;
        tensor.Scope = null;
    }
}
