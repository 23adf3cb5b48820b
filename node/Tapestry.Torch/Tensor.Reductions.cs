using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Reductions and products.</content>
public partial class Tensor
{
    /// <summary>The sum of all elements.</summary>
    public Tensor sum() => sum([]);

    /// <summary>The sum over some dimensions; none given means all.</summary>
    public Tensor sum(ReadOnlySpan<long> dims, bool keepdim = false) =>
        Give(Shim.tap_sum(Use(), dims, dims.Length, keepdim ? 1 : 0, out TensorHandle result), result, this);

    /// <summary>The mean of all elements.</summary>
    public Tensor mean() => mean([]);

    /// <summary>The mean over some dimensions; none given means all.</summary>
    public Tensor mean(ReadOnlySpan<long> dims, bool keepdim = false) =>
        Give(Shim.tap_mean(Use(), dims, dims.Length, keepdim ? 1 : 0, out TensorHandle result), result, this);

    /// <summary>The largest element.</summary>
    public Tensor max() => amax([]);

    /// <summary>The smallest element.</summary>
    public Tensor min() => amin([]);

    /// <summary>The largest elements over some dimensions; none given means all.</summary>
    public Tensor amax(ReadOnlySpan<long> dims, bool keepdim = false) =>
        Give(Shim.tap_amax(Use(), dims, dims.Length, keepdim ? 1 : 0, out TensorHandle result), result, this);

    /// <summary>The smallest elements over some dimensions; none given means all.</summary>
    public Tensor amin(ReadOnlySpan<long> dims, bool keepdim = false) =>
        Give(Shim.tap_amin(Use(), dims, dims.Length, keepdim ? 1 : 0, out TensorHandle result), result, this);

    /// <summary>The p-norm of all elements.</summary>
    public Tensor norm(double p = 2) => Give(Shim.tap_norm(Use(), p, out TensorHandle result), result, this);

    /// <summary>Whether all elements are true, or not zero.</summary>
    public Tensor all() => Give(Shim.tap_all(Use(), out TensorHandle result), result, this);

    /// <summary>Whether any element is true, or not zero.</summary>
    public Tensor any() => Give(Shim.tap_any(Use(), out TensorHandle result), result, this);

    /// <summary>Where along a dimension the largest element is.</summary>
    public Tensor argmax(long dim, bool keepdim = false) =>
        Give(Shim.tap_argmax(Use(), dim, keepdim ? 1 : 0, out TensorHandle result), result, this);

    /// <summary>The k largest elements along a dimension, in descending order, and where they are.</summary>
    public (Tensor values, Tensor indexes) topk(int k, int dim = -1)
    {
        Check(Shim.tap_topk(Use(), k, dim, out TensorHandle values, out TensorHandle indexes), this);
        return (new Tensor(values, nameof(topk)), new Tensor(indexes, nameof(topk)));
    }

    /// <summary>Running sums along a dimension.</summary>
    public Tensor cumsum(long dim) => Give(Shim.tap_cumsum(Use(), dim, out TensorHandle result), result, this);

    /// <summary>Exponentials along a dimension, divided by their sum.</summary>
    public Tensor softmax(long dim, ScalarType? dtype = null) => torch.nn.functional.softmax(this, dim, dtype);

    /// <summary>The matrix product, broadcast over leading dimensions.</summary>
    public Tensor matmul(Tensor target) => Give(Shim.tap_matmul(Use(), target.Use(), out TensorHandle result), result, this, target);

    /// <summary>The matrix product of each pair: [B, n, m] · [B, m, p].</summary>
    public Tensor bmm(Tensor batch2) => Give(Shim.tap_bmm(Use(), batch2.Use(), out TensorHandle result), result, this, batch2);
}
