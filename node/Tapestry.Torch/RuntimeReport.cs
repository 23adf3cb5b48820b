using System.Globalization;
using System.Runtime.InteropServices;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <summary>What computes here, and how fast: for the start-up line, for status, and for comparing machines.</summary>
/// <param name="TorchVersion">libtorch's version.</param>
/// <param name="Device">What was asked to compute.</param>
/// <param name="Devices">"cpu", then every GPU.</param>
/// <param name="Threads">Threads that one operator may use.</param>
/// <param name="CpuCapability">The instruction set of libtorch's own CPU kernels.</param>
/// <param name="CpuBf16">What multiplies bf16 on the CPU: "AMX", "AVX-512 BF16", or "none", and then bf16 is slower than FP32.</param>
/// <param name="Blas">What computes single-precision products on the CPU.</param>
/// <param name="MatmulGflops">Measured speed of a 512 × 512 × 512 product, in 10⁹ operations a second.</param>
/// <param name="Warning">What is wrong and what to do; empty where all is well.</param>
/// <param name="ComputeClass">Two machines with the same text here give the same bits for the same work.</param>
public sealed record RuntimeReport(
    string TorchVersion,
    string Device,
    IReadOnlyList<string> Devices,
    int Threads,
    string CpuCapability,
    string CpuBf16,
    string Blas,
    double MatmulGflops,
    string Warning,
    string ComputeClass)
{
    // The reference BLAS gives 7, an old core with a real BLAS well over 30.
    private const double GflopsFloor = 30;
    private const int MatmulEdge = 512;
    private const int MatmulRepeats = 5;

    /// <summary>The start-up line: version, device, threads and measured speed.</summary>
    public string Line => string.Create(
        CultureInfo.InvariantCulture,
        $"libtorch {TorchVersion} on {Device}, threads: {Threads}, FP32 products on the CPU: {MatmulGflops:F0} GFLOP/s");

    /// <summary>Whether bf16 autocast pays on this CPU.</summary>
    public bool CpuHasBf16 => CpuBf16 != "none";

    internal static RuntimeReport Measure(Torch.Device device)
    {
        long callsBefore = Shim.tap_blas_calls();
        Tensor.Check(Shim.tap_matmul_gflops(MatmulEdge, MatmulRepeats, (int)ScalarType.Float32, -1, out double gflops), null);
        string blas = Text(Shim.tap_blas_name());
        bool bypassed = blas.Contains("shim", StringComparison.Ordinal) && Shim.tap_blas_calls() == callsBefore;
        int gpus = torch.cuda.device_count();
        string capability = Text(Shim.tap_cpu_capability());
        string version = Text(Shim.tap_torch_version());
        return new RuntimeReport(
            version,
            device.ToString(),
            ["cpu", .. Enumerable.Range(0, gpus).Select(index => new Torch.Device(DeviceType.CUDA, index).ToString())],
            torch.get_num_threads(),
            capability,
            Shim.tap_cpu_bf16() switch { 2 => "AMX", 1 => "AVX-512 BF16", _ => "none" },
            blas,
            gflops,
            Judge(gflops, bypassed),
            $"{Text(Shim.tap_shim_hash())}/{version}/{capability}/{Text(Shim.tap_blas_isa())}/{(device.type == DeviceType.CPU ? "cpu" : "cuda")}");
    }

    /// <summary>What is wrong with what was measured, and what to do; empty where nothing is.</summary>
    /// <param name="gflops">Measured speed of a product, in 10⁹ operations a second.</param>
    /// <param name="bypassed">Whether the product never came through the shim that should compute it.</param>
    internal static string Judge(double gflops, bool bypassed)
    {
        if (bypassed)
        {
            return "libtorch was loaded before the shim, so its products bypass oneDNN: load Tapestry.Torch first in the process.";
        }

        return gflops >= GflopsFloor
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"matrix products run at {gflops:F1} GFLOP/s, below {GflopsFloor:F0}: the machine is busy, or libtorch has no fast BLAS.");
    }

    private static string Text(nint text) => Marshal.PtrToStringUTF8(text) ?? "unknown";
}

/// <content>The start-up report.</content>
public static partial class torch
{
    /// <summary>Measures what computes here. Takes a few milliseconds; set the number of threads first.</summary>
    /// <param name="device">The device that will compute; null means the CPU.</param>
    public static RuntimeReport report(Device? device = null) => RuntimeReport.Measure(device ?? CPU);
}
