using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Views and rearrangements. A view shares its storage, and gradients flow through it.</content>
public partial class Tensor
{
    /// <summary>A view of another shape; one length may be -1. The strides must allow it.</summary>
    public Tensor view(params ReadOnlySpan<long> shape) => Give(Shim.tap_view(Use(), shape, shape.Length, out TensorHandle result), result, this);

    /// <summary>A view of another shape where the strides allow it, else a copy; one length may be -1.</summary>
    public Tensor reshape(params ReadOnlySpan<long> shape) => Give(Shim.tap_reshape(Use(), shape, shape.Length, out TensorHandle result), result, this);

    /// <summary>A view in which dimensions of length 1 repeat; -1 keeps a length.</summary>
    public Tensor expand(params ReadOnlySpan<long> sizes) => Give(Shim.tap_expand(Use(), sizes, sizes.Length, out TensorHandle result), result, this);

    /// <summary>A view with its dimensions in another order.</summary>
    public Tensor permute(params ReadOnlySpan<long> permutation) =>
        Give(Shim.tap_permute(Use(), permutation, permutation.Length, out TensorHandle result), result, this);

    /// <summary>A view with two dimensions exchanged.</summary>
    public Tensor transpose(long dim0, long dim1) => Give(Shim.tap_transpose(Use(), dim0, dim1, out TensorHandle result), result, this);

    /// <summary>A matrix, transposed: a view.</summary>
    public Tensor t() => transpose(0, 1);

    /// <summary>This tensor where it is contiguous, else a contiguous copy.</summary>
    public Tensor contiguous() => Give(Shim.tap_contiguous(Use(), out TensorHandle result), result, this);

    /// <summary>A view of a range of one dimension.</summary>
    public Tensor narrow(long dimension, long start, long length) =>
        Give(Shim.tap_narrow(Use(), dimension, start, length, out TensorHandle result), result, this);

    /// <summary>A view of every <paramref name="step"/>th index of a range of one dimension.</summary>
    public Tensor slice(long dim, long start, long finish, long step) =>
        Give(Shim.tap_slice(Use(), dim, start, finish, step, out TensorHandle result), result, this);

    /// <summary>A view at one index of a dimension, which disappears.</summary>
    public Tensor select(long dim, long index) => Give(Shim.tap_select(Use(), dim, index, out TensorHandle result), result, this);

    /// <summary>A view at one index of the first dimension.</summary>
    public Tensor this[long index] => select(0, index);

    /// <summary>A view with a dimension of length 1 put in.</summary>
    public Tensor unsqueeze(long dim) => Give(Shim.tap_unsqueeze(Use(), dim, out TensorHandle result), result, this);

    /// <summary>A view without a dimension of length 1.</summary>
    public Tensor squeeze(long dim) => Give(Shim.tap_squeeze(Use(), dim, out TensorHandle result), result, this);

    /// <summary>Views of consecutive ranges of one dimension, with the given lengths.</summary>
    public Tensor[] split(ReadOnlySpan<long> split_sizes, long dim = 0)
    {
        Tensor[] parts = new Tensor[split_sizes.Length];
        long start = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = narrow(dim, start, split_sizes[i]);
            start += split_sizes[i];
        }

        return parts;
    }

    /// <summary>Every index of a dimension, repeated: a, a, b, b.</summary>
    public Tensor repeat_interleave(long repeats, long dim) =>
        Give(Shim.tap_repeat_interleave(Use(), repeats, dim, out TensorHandle result), result, this);

    /// <summary>Elements along a dimension, chosen one by one by a tensor of indices of the result's shape.</summary>
    public Tensor gather(long dim, Tensor index) => Give(Shim.tap_gather(Use(), dim, index.Use(), out TensorHandle result), result, this, index);

    /// <summary>Whole slices of a dimension, chosen by a vector of indices.</summary>
    public Tensor index_select(long dim, Tensor index) =>
        Give(Shim.tap_index_select(Use(), dim, index.Use(), out TensorHandle result), result, this, index);

    /// <summary>The lower triangle, up to a diagonal; zero elsewhere.</summary>
    public Tensor tril(long diagonal = 0) => Give(Shim.tap_tril(Use(), diagonal, out TensorHandle result), result, this);

    /// <summary>The upper triangle, from a diagonal; zero elsewhere.</summary>
    public Tensor triu(long diagonal = 0) => Give(Shim.tap_triu(Use(), diagonal, out TensorHandle result), result, this);
}
