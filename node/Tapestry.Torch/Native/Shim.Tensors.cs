using System.Runtime.InteropServices;

namespace Tapestry.Torch.Native;

/// <summary>Creation, properties, data, gradients.</summary>
internal static partial class Shim
{
    [LibraryImport(Library)]
    internal static partial int tap_empty(ReadOnlySpan<long> shape, int rank, int dtype, int device, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_empty_pinned(ReadOnlySpan<long> shape, int rank, int dtype, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_full(ReadOnlySpan<long> shape, int rank, Scalar value, int dtype, int device, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_arange(Scalar start, Scalar stop, Scalar step, int dtype, int device, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_randn(ReadOnlySpan<long> shape, int rank, int dtype, int device, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_rand(ReadOnlySpan<long> shape, int rank, int dtype, int device, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_from_data(nint data, ReadOnlySpan<long> shape, int rank, int dtype, int device, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial void tap_tensor_free(nint tensor);

    [LibraryImport(Library)]
    internal static partial int tap_rank(TensorHandle tensor, out int result);

    [LibraryImport(Library)]
    internal static partial int tap_shape(TensorHandle tensor, Span<long> sizes, int capacity);

    [LibraryImport(Library)]
    internal static partial int tap_strides(TensorHandle tensor, Span<long> strides, int capacity);

    [LibraryImport(Library)]
    internal static partial int tap_numel(TensorHandle tensor, out long result);

    [LibraryImport(Library)]
    internal static partial int tap_element_size(TensorHandle tensor, out long result);

    [LibraryImport(Library)]
    internal static partial int tap_dtype(TensorHandle tensor, out int result);

    [LibraryImport(Library)]
    internal static partial int tap_device(TensorHandle tensor, out int result);

    [LibraryImport(Library)]
    internal static partial int tap_is_contiguous(TensorHandle tensor, out int result);

    [LibraryImport(Library)]
    internal static partial int tap_data(TensorHandle tensor, out nint result);

    [LibraryImport(Library)]
    internal static partial int tap_item(TensorHandle tensor, out Scalar result);

    [LibraryImport(Library)]
    internal static partial int tap_version(TensorHandle tensor, out long result);

    [LibraryImport(Library)]
    internal static partial int tap_bump_version(TensorHandle tensor);

    [LibraryImport(Library)]
    internal static partial int tap_requires_grad(TensorHandle tensor, out int result);

    [LibraryImport(Library)]
    internal static partial int tap_set_requires_grad(TensorHandle tensor, int value);

    [LibraryImport(Library)]
    internal static partial int tap_is_leaf(TensorHandle tensor, out int result);

    [LibraryImport(Library)]
    internal static partial int tap_grad(TensorHandle tensor, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_set_grad(TensorHandle tensor, TensorHandle gradient);

    [LibraryImport(Library)]
    internal static partial int tap_set_data(TensorHandle tensor, TensorHandle data);

    [LibraryImport(Library)]
    internal static partial int tap_backward(TensorHandle tensor, TensorHandle gradient);

    [LibraryImport(Library)]
    internal static partial int tap_detach(TensorHandle tensor, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_alias(TensorHandle tensor, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_clone(TensorHandle tensor, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_to(TensorHandle tensor, int dtype, int device, int copy, out TensorHandle result);
}
