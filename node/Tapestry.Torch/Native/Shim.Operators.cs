using System.Runtime.InteropServices;

namespace Tapestry.Torch.Native;

/// <summary>Element by element, reductions, products, shapes.</summary>
internal static partial class Shim
{
    [LibraryImport(Library)]
    internal static partial int tap_neg(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_abs(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_exp(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_log(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_sqrt(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_rsqrt(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_reciprocal(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_sin(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_cos(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_tanh(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_sigmoid(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_relu(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_silu(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_gelu(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_logical_not(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_isfinite(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_add(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_sub(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_mul(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_div(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_maximum(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_minimum(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_compare(int comparison, TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_add_scalar(TensorHandle x, Scalar y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_sub_scalar(TensorHandle x, Scalar y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_mul_scalar(TensorHandle x, Scalar y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_div_scalar(TensorHandle x, Scalar y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_rsub_scalar(TensorHandle x, Scalar y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_pow_scalar(TensorHandle x, Scalar y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_compare_scalar(int comparison, TensorHandle x, Scalar y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_clamp(TensorHandle x, Scalar low, Scalar high, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_where(TensorHandle condition, TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_masked_fill(TensorHandle x, TensorHandle mask, Scalar value, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_add_(TensorHandle x, TensorHandle y, Scalar alpha);

    [LibraryImport(Library)]
    internal static partial int tap_mul_(TensorHandle x, TensorHandle y);

    [LibraryImport(Library)]
    internal static partial int tap_div_(TensorHandle x, TensorHandle y);

    [LibraryImport(Library)]
    internal static partial int tap_add_scalar_(TensorHandle x, Scalar y);

    [LibraryImport(Library)]
    internal static partial int tap_mul_scalar_(TensorHandle x, Scalar y);

    [LibraryImport(Library)]
    internal static partial int tap_copy_(TensorHandle x, TensorHandle source, int nonBlocking);

    [LibraryImport(Library)]
    internal static partial int tap_fill_(TensorHandle x, Scalar value);

    [LibraryImport(Library)]
    internal static partial int tap_zero_(TensorHandle x);

    [LibraryImport(Library)]
    internal static partial int tap_normal_(TensorHandle x, double mean, double deviation);

    [LibraryImport(Library)]
    internal static partial int tap_uniform_(TensorHandle x, double low, double high);

    [LibraryImport(Library)]
    internal static partial int tap_sum(TensorHandle x, ReadOnlySpan<long> dims, int count, int keep, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_mean(TensorHandle x, ReadOnlySpan<long> dims, int count, int keep, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_amax(TensorHandle x, ReadOnlySpan<long> dims, int count, int keep, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_amin(TensorHandle x, ReadOnlySpan<long> dims, int count, int keep, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_norm(TensorHandle x, double p, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_all(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_any(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_argmax(TensorHandle x, long dim, int keep, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_topk(TensorHandle x, long k, long dim, out TensorHandle values, out TensorHandle indices);

    [LibraryImport(Library)]
    internal static partial int tap_cumsum(TensorHandle x, long dim, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_matmul(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_bmm(TensorHandle x, TensorHandle y, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_view(TensorHandle x, ReadOnlySpan<long> shape, int rank, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_reshape(TensorHandle x, ReadOnlySpan<long> shape, int rank, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_expand(TensorHandle x, ReadOnlySpan<long> shape, int rank, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_permute(TensorHandle x, ReadOnlySpan<long> dims, int count, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_transpose(TensorHandle x, long dim0, long dim1, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_contiguous(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_narrow(TensorHandle x, long dim, long start, long length, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_slice(TensorHandle x, long dim, long start, long finish, long step, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_select(TensorHandle x, long dim, long index, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_unsqueeze(TensorHandle x, long dim, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_squeeze(TensorHandle x, long dim, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_repeat_interleave(TensorHandle x, long repeats, long dim, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_cat(ReadOnlySpan<nint> tensors, int count, long dim, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_stack(ReadOnlySpan<nint> tensors, int count, long dim, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_gather(TensorHandle x, long dim, TensorHandle index, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_index_select(TensorHandle x, long dim, TensorHandle index, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_tril(TensorHandle x, long diagonal, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_triu(TensorHandle x, long diagonal, out TensorHandle result);
}
