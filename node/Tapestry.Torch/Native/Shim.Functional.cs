using System.Runtime.InteropServices;

namespace Tapestry.Torch.Native;

/// <summary>Layers, fused kernels, optimiser.</summary>
internal static partial class Shim
{
    [LibraryImport(Library)]
    internal static partial int tap_linear(TensorHandle x, TensorHandle weight, TensorHandle bias, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_embedding(TensorHandle weight, TensorHandle indices, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_softmax(TensorHandle x, long dim, int dtype, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_log_softmax(TensorHandle x, long dim, int dtype, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_cross_entropy(TensorHandle logits, TensorHandle target, TensorHandle weight, long ignoreIndex, int reduction, double labelSmoothing, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_dropout(TensorHandle x, double p, int training, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_layer_norm(TensorHandle x, ReadOnlySpan<long> shape, int rank, TensorHandle weight, TensorHandle bias, double eps, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_rms_norm(TensorHandle x, TensorHandle weight, double eps, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_rope(TensorHandle x, TensorHandle cosine, TensorHandle sine, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_swiglu(TensorHandle x, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_attention(TensorHandle query, TensorHandle key, TensorHandle value, TensorHandle mask, double p, int causal, double scale, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_rotary_attention(TensorHandle projection, TensorHandle cosine, TensorHandle sine, long heads, long keyHeads, out TensorHandle result);

    [LibraryImport(Library)]
    internal static partial int tap_gradient_norm(TensorHandle gradient, out double result);

    [LibraryImport(Library)]
    internal static partial int tap_adamw(TensorHandle parameter, TensorHandle gradient, TensorHandle mean, TensorHandle square, long start, long count, double rate, double beta1, double beta2, double eps, double decay, long step, double gradientScale);
}
