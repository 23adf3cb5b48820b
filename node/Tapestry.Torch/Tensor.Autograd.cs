using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Gradients, copies and conversions.</content>
public partial class Tensor
{
    /// <summary>Whether gradients are computed for this tensor.</summary>
    public bool requires_grad
    {
        get
        {
            Check(Shim.tap_requires_grad(Use(), out int yes), this);
            return yes != 0;
        }

        set => Check(Shim.tap_set_requires_grad(Use(), value ? 1 : 0), this);
    }

    /// <summary>Whether the tensor was made by the user, not by an operator that autograd follows.</summary>
    public bool is_leaf
    {
        get
        {
            Check(Shim.tap_is_leaf(Use(), out int yes), this);
            return yes != 0;
        }
    }

    /// <summary>The gradient that backward passes have summed up; null before the first.</summary>
    /// <remarks>Reading makes a new handle to the same gradient; it belongs to the current scope.</remarks>
    public Tensor? grad
    {
        get
        {
            Check(Shim.tap_grad(Use(), out TensorHandle result), this);
            if (!result.IsInvalid)
            {
                return new Tensor(result, nameof(grad));
            }

            result.Dispose();
            return null;
        }

        set => Check(Shim.tap_set_grad(Use(), value?.Use() ?? TensorHandle.None), this, value);
    }

    /// <summary>Sets whether gradients are computed.</summary>
    /// <returns>This tensor.</returns>
    public Tensor requires_grad_(bool requires_grad = true)
    {
        this.requires_grad = requires_grad;
        return this;
    }

    /// <summary>Adds, to every leaf's gradient, the derivative of this tensor, which must have one element.</summary>
    public void backward() => Check(Shim.tap_backward(Use(), TensorHandle.None), this);

    /// <summary>Adds, to every leaf's gradient, the derivative of this tensor's product with <paramref name="gradient"/>.</summary>
    public void backward(Tensor gradient) => Check(Shim.tap_backward(Use(), gradient.Use()), this, gradient);

    /// <summary>The same storage, without history.</summary>
    public Tensor detach() => Give(Shim.tap_detach(Use(), out TensorHandle result), result, this);

    /// <summary>A second handle to the same tensor.</summary>
    public Tensor alias() => Give(Shim.tap_alias(Use(), out TensorHandle result), result, this);

    /// <summary>A copy, through which gradients flow.</summary>
    public Tensor clone() => Give(Shim.tap_clone(Use(), out TensorHandle result), result, this);

    /// <summary>This tensor with another element type and on another device; the same one where nothing changes.</summary>
    public Tensor to(ScalarType type, Device device, bool copy = false) =>
        Give(Shim.tap_to(Use(), (int)type, device.Native, copy ? 1 : 0, out TensorHandle result), result, this);

    /// <summary>This tensor with another element type.</summary>
    public Tensor to(ScalarType type) => to(type, device);

    /// <summary>This tensor on another device.</summary>
    public Tensor to(Device device) => to(dtype, device);

    /// <summary>This tensor on another device: "cpu", "cuda", "cuda:1".</summary>
    public Tensor to(string device) => to(dtype, Device.Parse(device));

    /// <summary>This tensor in main memory.</summary>
    public Tensor cpu() => to(torch.CPU);

    /// <summary>How often the storage was changed in place. Writing through a span does not count; see <see cref="BumpVersion"/>.</summary>
    internal long Version
    {
        get
        {
            Check(Shim.tap_version(Use(), out long version), this);
            return version;
        }
    }

    /// <summary>Makes this tensor another one's storage while it stays the same leaf.</summary>
    internal void SetData(Tensor data) => Check(Shim.tap_set_data(Use(), data.Use()), this, data, "set_data");

    /// <summary>Tells autograd that the storage was written: a backward pass that needs the old values then refuses.</summary>
    internal void BumpVersion() => Check(Shim.tap_bump_version(Use()), this);
}
