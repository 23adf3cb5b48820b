using System.Runtime.CompilerServices;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Operators that change this tensor and return it. Autograd follows them, as in PyTorch.</content>
public partial class Tensor
{
    /// <summary>Adds <paramref name="alpha"/> · y.</summary>
    public Tensor add_(Tensor other, Scalar alpha) => Changed(Shim.tap_add_(Use(), other.Use(), alpha), other);

    /// <summary>Adds y.</summary>
    public Tensor add_(Tensor other) => Changed(Shim.tap_add_(Use(), other.Use(), 1), other);

    /// <summary>Adds y.</summary>
    public Tensor add_(Scalar other) => Changed(Shim.tap_add_scalar_(Use(), other), null);

    /// <summary>Subtracts y.</summary>
    public Tensor sub_(Tensor other) => Changed(Shim.tap_add_(Use(), other.Use(), -1), other);

    /// <summary>Multiplies by y.</summary>
    public Tensor mul_(Tensor other) => Changed(Shim.tap_mul_(Use(), other.Use()), other);

    /// <summary>Multiplies by y.</summary>
    public Tensor mul_(Scalar other) => Changed(Shim.tap_mul_scalar_(Use(), other), null);

    /// <summary>Divides by y.</summary>
    public Tensor div_(Tensor other) => Changed(Shim.tap_div_(Use(), other.Use()), other);

    /// <summary>Takes the values of <paramref name="source"/>, converted and moved between devices as needed.</summary>
    public Tensor copy_(Tensor source, bool nonBlocking = false) =>
        Changed(Shim.tap_copy_(Use(), source.Use(), nonBlocking ? 1 : 0), source);

    /// <summary>Sets every element.</summary>
    public Tensor fill_(Scalar value) => Changed(Shim.tap_fill_(Use(), value), null);

    /// <summary>Sets every element to zero.</summary>
    public Tensor zero_() => Changed(Shim.tap_zero_(Use()), null);

    /// <summary>Draws every element from a normal distribution, with libtorch's generator.</summary>
    public Tensor normal_(double mean = 0, double std = 1) => Changed(Shim.tap_normal_(Use(), mean, std), null);

    /// <summary>Draws every element uniformly, with libtorch's generator.</summary>
    public Tensor uniform_(double from = 0, double to = 1) => Changed(Shim.tap_uniform_(Use(), from, to), null);

    private Tensor Changed(int status, Tensor? other, [CallerMemberName] string operation = "")
    {
        Check(status, this, other, operation);
        return this;
    }
}
