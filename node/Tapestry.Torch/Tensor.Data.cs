using System.Runtime.InteropServices;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <summary>Reads or writes elements in place; the span must not leave the call.</summary>
/// <typeparam name="T">The element.</typeparam>
/// <param name="elements">The elements, in memory order.</param>
public delegate void ElementAccess<T>(Span<T> elements);

/// <content>The elements themselves.</content>
public partial class Tensor
{
    /// <summary>The only element, as a number of .NET.</summary>
    /// <typeparam name="T">float, double, int, long or bool.</typeparam>
    public T item<T>()
        where T : unmanaged
    {
        Check(Shim.tap_item(Use(), out Scalar value), this);
        return value switch
        {
            _ when typeof(T) == typeof(double) => (T)(object)value.ToDouble(),
            _ when typeof(T) == typeof(float) => (T)(object)(float)value.ToDouble(),
            _ when typeof(T) == typeof(long) => (T)(object)value.ToInt64(),
            _ when typeof(T) == typeof(int) => (T)(object)checked((int)value.ToInt64()),
            _ when typeof(T) == typeof(bool) => (T)(object)(value.ToDouble() != 0),
            _ => throw new TorchException(nameof(item), $"an element cannot be read as {typeof(T).Name}: use float, double, int, long or bool."),
        };
    }

    /// <summary>Calls <paramref name="access"/> with the elements where they lie, then tells autograd that they may have changed.</summary>
    /// <typeparam name="T">The element; its type must be the tensor's (ushort for bfloat16).</typeparam>
    /// <exception cref="TorchException">Not on the CPU, not contiguous, another type, or more elements than a span holds.</exception>
    public void Access<T>(ElementAccess<T> access)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(access);
        access(AsSpan<T>());
        BumpVersion();
        GC.KeepAlive(this);
    }

    /// <summary>The elements where they lie, in memory order.</summary>
    /// <typeparam name="T">The element; its type must be the tensor's (ushort for bfloat16).</typeparam>
    /// <remarks>
    /// The caller keeps the tensor alive and undisposed while the span is used; <see cref="Access"/> does so by itself. A write
    /// between forward and backward is not seen by autograd's checks.
    /// </remarks>
    /// <exception cref="TorchException">Not on the CPU, not contiguous, another type, or more elements than a span holds.</exception>
    public unsafe Span<T> AsSpan<T>()
        where T : unmanaged
    {
        ScalarType type = dtype;
        string? fault = device.type != DeviceType.CPU ? "it is not on the CPU; use cpu()"
            : !is_contiguous() ? "it is not contiguous; use contiguous()"
            : !Holds<T>(type) ? $"its elements are {type}, not {typeof(T).Name}"
            : numel() > int.MaxValue ? "it has more elements than a span holds; narrow it first"
            : null;
        if (fault is not null)
        {
            throw new TorchException(nameof(AsSpan), $"no span of {Describe()}: {fault}.");
        }

        Check(Shim.tap_data(Use(), out nint address), this);
        return new Span<T>((void*)address, (int)numel());
    }

    /// <summary>A copy of the elements, in index order, from any device.</summary>
    /// <typeparam name="T">The element; its type must be the tensor's (ushort for bfloat16).</typeparam>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        using Tensor near = detach();
        using Tensor here = near.cpu();
        using Tensor dense = here.contiguous();
        T[] copy = dense.AsSpan<T>().ToArray();
        GC.KeepAlive(dense);
        return copy;
    }

    /// <summary>The elements as bytes, where they lie; the rules of <see cref="AsSpan"/>.</summary>
    public Span<byte> bytes => dtype switch
    {
        ScalarType.Byte => AsSpan<byte>(),
        ScalarType.Int8 => MemoryMarshal.AsBytes(AsSpan<sbyte>()),
        ScalarType.Bool => MemoryMarshal.AsBytes(AsSpan<bool>()),
        ScalarType.Int16 => MemoryMarshal.AsBytes(AsSpan<short>()),
        ScalarType.BFloat16 => MemoryMarshal.AsBytes(AsSpan<ushort>()),
        ScalarType.Float16 => MemoryMarshal.AsBytes(AsSpan<Half>()),
        ScalarType.Int32 => MemoryMarshal.AsBytes(AsSpan<int>()),
        ScalarType.Float32 => MemoryMarshal.AsBytes(AsSpan<float>()),
        ScalarType.Int64 => MemoryMarshal.AsBytes(AsSpan<long>()),
        _ => MemoryMarshal.AsBytes(AsSpan<double>()),
    };

    /// <summary>The element type of libtorch for an element of .NET.</summary>
    internal static ScalarType TypeOf<T>()
        where T : unmanaged =>
        Type.GetTypeCode(typeof(T)) switch
        {
            TypeCode.Byte => ScalarType.Byte,
            TypeCode.SByte => ScalarType.Int8,
            TypeCode.Int16 => ScalarType.Int16,
            TypeCode.UInt16 => ScalarType.BFloat16,
            TypeCode.Int32 => ScalarType.Int32,
            TypeCode.Int64 => ScalarType.Int64,
            TypeCode.Single => ScalarType.Float32,
            TypeCode.Double => ScalarType.Float64,
            TypeCode.Boolean => ScalarType.Bool,
            _ when typeof(T) == typeof(Half) => ScalarType.Float16,
            _ => throw new TorchException("tensor", $"libtorch has no element type for {typeof(T).Name}."),
        };

    private static bool Holds<T>(ScalarType type)
        where T : unmanaged =>
        TypeOf<T>() == type;
}
