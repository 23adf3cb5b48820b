namespace Tapestry.Torch.Modules;

/// <summary>A tensor that a module learns: a leaf with a gradient, which no scope disposes.</summary>
public sealed class Parameter : Tensor
{
    /// <summary>Takes a tensor's storage, not a copy.</summary>
    /// <param name="data">The values; its history, if any, stays behind.</param>
    /// <param name="requires_grad">Whether it is trained.</param>
    public Parameter(Tensor data, bool requires_grad = true)
        : base(DetachedHandle(data), nameof(Parameter))
    {
        DetachFromDisposeScope();
        this.requires_grad = requires_grad;
    }

    private static Native.TensorHandle DetachedHandle(Tensor data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Check(Native.Shim.tap_detach(data.Use(nameof(Parameter)), out Native.TensorHandle handle), data, nameof(Parameter));
        return handle;
    }
}
