using System.Runtime.CompilerServices;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Tensors from nothing and from arrays. The default element type is float32, the default device the CPU.</content>
public static partial class torch
{
    /// <summary>IEEE single precision.</summary>
    public const ScalarType float32 = ScalarType.Float32;

    /// <summary>IEEE double precision.</summary>
    public const ScalarType float64 = ScalarType.Float64;

    /// <summary>The upper half of a single.</summary>
    public const ScalarType bfloat16 = ScalarType.BFloat16;

    /// <summary>IEEE half precision.</summary>
    public const ScalarType float16 = ScalarType.Float16;

    /// <summary>Signed 64-bit integer.</summary>
    public const ScalarType int64 = ScalarType.Int64;

    /// <summary>Signed 32-bit integer.</summary>
    public const ScalarType int32 = ScalarType.Int32;

    /// <summary>Truth values.</summary>
    public const ScalarType @bool = ScalarType.Bool;

    /// <summary>Elements of any value.</summary>
    public static Tensor empty(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Leaf(Shim.tap_empty(size, size.Length, Type(dtype), Place(device), out TensorHandle result), result, requires_grad);

    /// <summary>Zeros.</summary>
    public static Tensor zeros(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Leaf(Shim.tap_full(size, size.Length, 0, Type(dtype), Place(device), out TensorHandle result), result, requires_grad);

    /// <summary>Zeros: a vector.</summary>
    public static Tensor zeros(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        zeros([size], dtype, device, requires_grad);

    /// <summary>Zeros: a matrix.</summary>
    public static Tensor zeros(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        zeros([rows, columns], dtype, device, requires_grad);

    /// <summary>Ones.</summary>
    public static Tensor ones(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Leaf(Shim.tap_full(size, size.Length, 1, Type(dtype), Place(device), out TensorHandle result), result, requires_grad);

    /// <summary>Ones: a vector.</summary>
    public static Tensor ones(long size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        ones([size], dtype, device, requires_grad);

    /// <summary>Ones: a matrix.</summary>
    public static Tensor ones(long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        ones([rows, columns], dtype, device, requires_grad);

    /// <summary>One value everywhere.</summary>
    public static Tensor full(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Leaf(Shim.tap_full(size, size.Length, value, Type(dtype), Place(device), out TensorHandle result), result, requires_grad);

    /// <summary>Normally distributed elements, from libtorch's generator.</summary>
    public static Tensor randn(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Leaf(Shim.tap_randn(size, size.Length, Type(dtype), Place(device), out TensorHandle result), result, requires_grad);

    /// <summary>Elements uniform in [0, 1), from libtorch's generator.</summary>
    public static Tensor rand(ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Leaf(Shim.tap_rand(size, size.Length, Type(dtype), Place(device), out TensorHandle result), result, requires_grad);

    /// <summary>0, 1, 2 … below <paramref name="stop"/>; integers give int64.</summary>
    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null) => arange(0, stop, 1, dtype, device);

    /// <summary><paramref name="start"/> and on in steps, below <paramref name="stop"/>; integers give int64.</summary>
    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null)
    {
        ScalarType natural = start.IsInteger && stop.IsInteger && step.IsInteger ? ScalarType.Int64 : ScalarType.Float32;
        return Leaf(Shim.tap_arange(start, stop, step, (int)(dtype ?? natural), Place(device), out TensorHandle result), result, false);
    }

    /// <summary>A copy of an array, with the given shape; the element type is the array's unless another is asked for.</summary>
    /// <typeparam name="T">An element type that libtorch knows; ushort stands for bfloat16.</typeparam>
    /// <exception cref="ArgumentException">The shape does not have as many elements as the array.</exception>
    public static unsafe Tensor tensor<T>(
        ReadOnlySpan<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged
    {
        long count = 1;
        foreach (long length in dimensions)
        {
            count *= length;
        }

        if (count != rawArray.Length)
        {
            throw new ArgumentException($"The shape has {count} elements, the array {rawArray.Length}.", nameof(dimensions));
        }

        ScalarType type = Tensor.TypeOf<T>();
        fixed (T* first = rawArray)
        {
            int status = Shim.tap_from_data((nint)first, dimensions, dimensions.Length, (int)type, Place(device), out TensorHandle result);
            if (dtype is null || dtype == type)
            {
                return Leaf(status, result, requires_grad);
            }

            using Tensor read = Leaf(status, result, false);
            return read.to(dtype.Value).requires_grad_(requires_grad);
        }
    }

    /// <summary>A copy of an array, with the given shape.</summary>
    /// <typeparam name="T">An element type that libtorch knows; ushort stands for bfloat16.</typeparam>
    public static Tensor tensor<T>(T[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged =>
        tensor((ReadOnlySpan<T>)rawArray, dimensions, dtype, device, requires_grad);

    /// <summary>A copy of an array: a vector.</summary>
    /// <typeparam name="T">An element type that libtorch knows; ushort stands for bfloat16.</typeparam>
    public static Tensor tensor<T>(T[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(rawArray);
        return tensor((ReadOnlySpan<T>)rawArray, [rawArray.Length], dtype, device, requires_grad);
    }

    /// <summary>One number.</summary>
    public static Tensor tensor(double scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        full([], scalar, dtype, device, requires_grad);

    private static int Type(ScalarType? type) => (int)(type ?? ScalarType.Float32);

    private static int Place(Device? device) => (device ?? CPU).Native;

    private static Tensor Leaf(int status, TensorHandle result, bool requires_grad, [CallerMemberName] string operation = "")
    {
        Tensor made = Tensor.Give(status, result, null, operation);
        return requires_grad ? made.requires_grad_() : made;
    }
}
