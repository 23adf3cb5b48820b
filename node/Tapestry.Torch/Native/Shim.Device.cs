using System.Runtime.InteropServices;

namespace Tapestry.Torch.Native;

/// <summary>Version, threads, devices, random numbers, gradient mode, autocast.</summary>
internal static partial class Shim
{
    [LibraryImport(Library)]
    internal static partial nint tap_last_error();

    [LibraryImport(Library)]
    internal static partial int tap_throw(int kind);

    [LibraryImport(Library)]
    internal static partial int tap_abi_version();

    [LibraryImport(Library)]
    internal static partial nint tap_torch_version();

    [LibraryImport(Library)]
    internal static partial nint tap_shim_hash();

    [LibraryImport(Library)]
    internal static partial nint tap_cpu_capability();

    [LibraryImport(Library)]
    internal static partial nint tap_blas_name();

    [LibraryImport(Library)]
    internal static partial nint tap_blas_isa();

    [LibraryImport(Library)]
    internal static partial long tap_blas_calls();

    [LibraryImport(Library)]
    internal static partial int tap_cpu_bf16();

    [LibraryImport(Library)]
    internal static partial int tap_subnormals_kept();

    [LibraryImport(Library)]
    internal static partial int tap_set_num_threads(int count);

    [LibraryImport(Library)]
    internal static partial int tap_get_num_threads(out int result);

    [LibraryImport(Library)]
    internal static partial int tap_manual_seed(long seed);

    [LibraryImport(Library)]
    internal static partial int tap_cuda_device_count(out int result);

    [LibraryImport(Library)]
    internal static partial int tap_cuda_synchronize(int index);

    [LibraryImport(Library)]
    internal static partial int tap_matmul_gflops(long edge, int repeats, int dtype, int device, out double result);

    [LibraryImport(Library)]
    internal static partial int tap_live(out long tensors, out long bytes);

    [LibraryImport(Library)]
    internal static partial int tap_set_grad_enabled(int enabled, out int previous);

    [LibraryImport(Library)]
    internal static partial int tap_grad_enabled(out int result);

    [LibraryImport(Library)]
    internal static partial int tap_autocast_enter(int cuda, int dtype, out int previousEnabled, out int previousDtype);

    [LibraryImport(Library)]
    internal static partial int tap_autocast_leave(int cuda, int previousEnabled, int previousDtype);
}
