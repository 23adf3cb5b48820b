using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tapestry.Torch.Native;

/// <summary>The C ABI of native/tapestry_torch.h, in its order and under its names. Loaded by the first call, never before.</summary>
/// <remarks>
/// The shim must be what brings libtorch into the process (native/blas.cpp says why), so nothing else here loads it.
/// </remarks>
internal static partial class Shim
{
    private const string Library = "tapestry_torch";
    private const string FileName = "libtapestry_torch.so";
    private const int AbiVersion = 1;

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "Only registers where to look; nothing is loaded before the first call.")]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(Shim).Assembly, Resolve);

    /// <summary>The file that will be loaded, or null where there is none.</summary>
    internal static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable("TAPESTRY_TORCH_SHIM");
        if (!string.IsNullOrEmpty(named))
        {
            return File.Exists(named) ? named : null;
        }

        string beside = Path.Combine(AppContext.BaseDirectory, FileName);
        if (File.Exists(beside))
        {
            return beside;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string built = Path.Combine(folder.FullName, "artifacts", "native", FileName);
            if (File.Exists(built))
            {
                return built;
            }
        }

        return null;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? paths)
    {
        if (name != Library)
        {
            return 0;
        }

        string path = Find() ?? throw new TorchException(
            "load",
            $"{FileName} is not there: run ./tapestry once, or node/Tapestry.Torch/native/build.sh, or set TAPESTRY_TORCH_SHIM to its path.");
        nint library;
        try
        {
            library = NativeLibrary.Load(path);
        }
        catch (DllNotFoundException missing)
        {
            throw new TorchException(
                "load", $"{path} does not load, most likely because its libtorch is not installed: {missing.Message}", missing);
        }

        Check(library, path);
        return library;
    }

    private static unsafe void Check(nint library, string path)
    {
        int version = ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, nameof(tap_abi_version)))();
        if (version != AbiVersion)
        {
            throw new TorchException("load", $"{path} has ABI {version}, this program needs {AbiVersion}: run node/Tapestry.Torch/native/build.sh.");
        }

        // A library built with -ffast-math, loaded by anyone, flushes subnormals in the whole process: other results, silently.
        if (((delegate* unmanaged<int>)NativeLibrary.GetExport(library, nameof(tap_subnormals_kept)))() == 0)
        {
            throw new TorchException("load", "subnormal numbers are flushed to zero in this process: a library built with -ffast-math is loaded.");
        }
    }
}
