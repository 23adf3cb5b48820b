using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <summary>libtorch's functions, under PyTorch's names: creation, operators, <see cref="nn"/>, <see cref="optim"/>.</summary>
/// <remarks>The native library is loaded by the first call that needs it. Any function may throw <see cref="TorchException"/>.</remarks>
public static partial class torch
{
    /// <summary>The processor.</summary>
    public static Device CPU { get; } = new(DeviceType.CPU);

    /// <summary>The first GPU.</summary>
    public static Device CUDA { get; } = new(DeviceType.CUDA);

    /// <summary>Reads "cpu", "cuda" or "cuda:1".</summary>
    public static Device device(string description) => Device.Parse(description);

    /// <summary>A device by kind and index.</summary>
    public static Device device(DeviceType type, int index = 0) => new(type, index);

    /// <summary>Whether the shim is built and loads, and libtorch with it.</summary>
    /// <param name="reason">Why not, and what to do; empty where it is.</param>
    public static bool is_available(out string reason)
    {
        try
        {
            _ = Shim.tap_abi_version();
            reason = "";
            return true;
        }
        catch (TorchException fault)
        {
            reason = fault.NativeText;
            return false;
        }
    }

    /// <summary>The shim's file, or null where it is not built.</summary>
    public static string? ShimPath => Shim.Find();

    /// <summary>Threads that one operator may use. Always set it: libtorch's own default is unreliable, and daemons share machines.</summary>
    /// <param name="num">At least 1.</param>
    public static void set_num_threads(int num)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(num, 1);
        Tensor.Check(Shim.tap_set_num_threads(num), null);
    }

    /// <summary>Threads that one operator may use.</summary>
    public static int get_num_threads()
    {
        Tensor.Check(Shim.tap_get_num_threads(out int count), null);
        return count;
    }

    /// <summary>Seeds libtorch's generators. What must not depend on libtorch's version is drawn in C# and copied in.</summary>
    public static void manual_seed(long seed) => Tensor.Check(Shim.tap_manual_seed(seed), null);

    /// <summary>Opens a scope that disposes every tensor made in it on this thread.</summary>
    public static DisposeScope NewDisposeScope() => new();

    /// <summary>Turns gradients off on this thread until disposed.</summary>
    public static IDisposable no_grad() => new GradMode(false);

    /// <summary>Turns gradients on on this thread until disposed.</summary>
    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    /// <summary>Turns gradients on or off on this thread until disposed.</summary>
    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    /// <summary>Whether gradients are recorded on this thread.</summary>
    public static bool is_grad_enabled()
    {
        Tensor.Check(Shim.tap_grad_enabled(out int yes), null);
        return yes != 0;
    }

    /// <summary>Runs matrix products and the fused kernels in low precision on this thread until disposed; parameters stay FP32.</summary>
    /// <param name="device_type">The kind of device whose operators are meant.</param>
    /// <param name="dtype">bfloat16, or on a GPU also float16.</param>
    /// <remarks>
    /// Only the forward pass belongs inside. On a CPU it pays where <see cref="RuntimeReport.CpuBf16"/> names an instruction set,
    /// and costs time elsewhere.
    /// </remarks>
    public static IDisposable autocast(DeviceType device_type, ScalarType dtype = ScalarType.BFloat16) => new Autocast(device_type, dtype);

    /// <summary>Graphics processors.</summary>
    public static class cuda
    {
        /// <summary>Whether libtorch was built for a GPU and sees one.</summary>
        public static bool is_available() => device_count() > 0;

        /// <summary>Number of GPUs that libtorch sees.</summary>
        public static int device_count()
        {
            Tensor.Check(Shim.tap_cuda_device_count(out int count), null);
            return count;
        }

        /// <summary>Waits until a GPU has done what it was given.</summary>
        public static void synchronize(int index = 0) => Tensor.Check(Shim.tap_cuda_synchronize(index), null);
    }

    private sealed class GradMode : IDisposable
    {
        private readonly int _previous;
        private bool _ended;

        internal GradMode(bool enabled) => Tensor.Check(Shim.tap_set_grad_enabled(enabled ? 1 : 0, out _previous), null, "set_grad_enabled");

        public void Dispose()
        {
            if (!_ended)
            {
                _ended = true;
                Tensor.Check(Shim.tap_set_grad_enabled(_previous, out _), null, "set_grad_enabled");
            }
        }
    }

    private sealed class Autocast : IDisposable
    {
        private readonly int _cuda;
        private readonly int _previousEnabled;
        private readonly int _previousType;
        private bool _ended;

        internal Autocast(DeviceType type, ScalarType dtype)
        {
            _cuda = type == DeviceType.CUDA ? 1 : 0;
            Tensor.Check(Shim.tap_autocast_enter(_cuda, (int)dtype, out _previousEnabled, out _previousType), null, "autocast");
        }

        public void Dispose()
        {
            if (!_ended)
            {
                _ended = true;
                Tensor.Check(Shim.tap_autocast_leave(_cuda, _previousEnabled, _previousType), null, "autocast");
            }
        }
    }
}
