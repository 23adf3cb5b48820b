using System.Globalization;
using System.Runtime.CompilerServices;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <summary>An n-dimensional array of libtorch, with its gradient if it has one. Names follow PyTorch and TorchSharp.</summary>
/// <remarks>
/// The native handle is freed by <see cref="Dispose"/>, by the end of the <see cref="DisposeScope"/> that was current when the
/// tensor was made, or, late, by the finalizer. Any operator may throw <see cref="TorchException"/>. Only
/// <see cref="Modules.Parameter"/> derives from this class.
/// </remarks>
public partial class Tensor : IDisposable
{
    // Below this the collector need not know: a handful of pages is not what fills a machine.
    private const long PressureBytesMin = 64 * 1024;
    private const int RankMax = 64;

    private readonly TensorHandle _handle;

    internal Tensor(TensorHandle handle, string origin)
    {
        _handle = handle;
        Origin = origin;
        DisposeScope? scope = DisposeScope.Current;
        if (scope is not null)
        {
            scope.Add(this);
        }
        else
        {
            TellCollector();
        }

        LiveTensors.Made(this);
    }

    /// <summary>Number of elements.</summary>
    public long numel()
    {
        Check(Shim.tap_numel(Use(), out long count), this);
        return count;
    }

    /// <summary>Number of dimensions.</summary>
    public int dim()
    {
        Check(Shim.tap_rank(Use(), out int rank), this);
        return rank;
    }

    /// <summary>Length of one dimension; negative dimensions count from the end.</summary>
    public long size(int dim)
    {
        long[] sizes = shape;
        return sizes[dim < 0 ? dim + sizes.Length : dim];
    }

    /// <summary>Length of every dimension.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1819", Justification = "TorchSharp's signature; the array is a fresh copy.")]
    public long[] shape
    {
        get
        {
            long[] sizes = new long[dim()];
            Check(Shim.tap_shape(Use(), sizes, sizes.Length), this);
            return sizes;
        }
    }

    /// <summary>Elements between neighbours along every dimension.</summary>
    public long[] stride()
    {
        long[] strides = new long[dim()];
        Check(Shim.tap_strides(Use(), strides, strides.Length), this);
        return strides;
    }

    /// <summary>Type of the elements.</summary>
    public ScalarType dtype
    {
        get
        {
            Check(Shim.tap_dtype(Use(), out int number), this);
            return (ScalarType)number;
        }
    }

    /// <summary>Where the elements live.</summary>
    public Device device
    {
        get
        {
            Check(Shim.tap_device(Use(), out int number), this);
            return Device.FromNative(number);
        }
    }

    /// <summary>Bytes of one element.</summary>
    public long element_size()
    {
        Check(Shim.tap_element_size(Use(), out long bytes), this);
        return bytes;
    }

    /// <summary>Whether the elements lie in memory in the order of their indices, without gaps.</summary>
    public bool is_contiguous()
    {
        Check(Shim.tap_is_contiguous(Use(), out int yes), this);
        return yes != 0;
    }

    /// <summary>Whether the handle is gone.</summary>
    public bool IsDisposed => _handle.IsClosed;

    /// <summary>Hands the tensor to the scope around its own; without one, to the caller.</summary>
    /// <returns>This tensor.</returns>
    public Tensor MoveToOuterDisposeScope() => Scope?.MoveToOuter(this) ?? this;

    /// <summary>Takes the tensor out of its scope: from now on the caller disposes it.</summary>
    /// <returns>This tensor.</returns>
    public Tensor DetachFromDisposeScope()
    {
        Scope?.Remove(this);
        return this;
    }

    /// <summary>Frees the native handle; the storage goes with its last handle.</summary>
    public void Dispose()
    {
        Scope?.Remove(this);
        _handle.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Type, shape and device; not the values.</summary>
    public override string ToString() => Describe();

    /// <summary>The scope that will dispose this tensor, if any; written by <see cref="DisposeScope"/> only.</summary>
    internal DisposeScope? Scope { get; set; }

    internal int ScopeIndex { get; set; }

    /// <summary>The operator that made the tensor.</summary>
    internal string Origin { get; }

    /// <summary>The handle, for one native call.</summary>
    internal TensorHandle Use([CallerMemberName] string operation = "") =>
        _handle.IsClosed ? throw TorchException.Disposed(operation, Origin) : _handle;

    /// <summary>Ends one hold that was taken on the handle by hand.</summary>
    internal void Release() => _handle.DangerousRelease();

    internal string Describe()
    {
        if (_handle.IsClosed)
        {
            return "disposed";
        }

        Span<long> sizes = stackalloc long[RankMax];
        if (Shim.tap_rank(_handle, out int rank) != 0 || Shim.tap_shape(_handle, sizes, RankMax) != 0
            || Shim.tap_dtype(_handle, out int type) != 0 || Shim.tap_device(_handle, out int where) != 0)
        {
            return "unknown";
        }

        string lengths = string.Join(", ", sizes[..rank].ToArray().Select(length => length.ToString(CultureInfo.InvariantCulture)));
        return $"{(ScalarType)type}[{lengths}]{(where < 0 ? "" : $"@{Device.FromNative(where)}")}";
    }

    /// <summary>Throws for a status that is not zero.</summary>
    internal static void Check(int status, Tensor? x, [CallerMemberName] string operation = "")
    {
        if (status != 0)
        {
            throw TorchException.Of(status, operation, x);
        }
    }

    internal static void Check(int status, Tensor? x, Tensor? y, [CallerMemberName] string operation = "")
    {
        if (status != 0)
        {
            throw TorchException.Of(status, operation, x, y);
        }
    }

    /// <summary>Wraps a result, or throws with the operands' shapes.</summary>
    internal static Tensor Give(int status, TensorHandle result, Tensor? x, [CallerMemberName] string operation = "") =>
        status == 0 ? new Tensor(result, operation) : throw TorchException.Of(status, operation, x);

    internal static Tensor Give(int status, TensorHandle result, Tensor? x, Tensor? y, [CallerMemberName] string operation = "") =>
        status == 0 ? new Tensor(result, operation) : throw TorchException.Of(status, operation, x, y);

    internal static Tensor Give(int status, TensorHandle result, Tensor? x, Tensor? y, Tensor? z, [CallerMemberName] string operation = "") =>
        status == 0 ? new Tensor(result, operation) : throw TorchException.Of(status, operation, x, y, z);

    private void TellCollector()
    {
        if (Shim.tap_numel(_handle, out long count) == 0 && Shim.tap_element_size(_handle, out long bytes) == 0
            && count * bytes >= PressureBytesMin)
        {
            _handle.AddPressure(count * bytes);
        }
    }
}
