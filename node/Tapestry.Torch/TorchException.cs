using System.Runtime.InteropServices;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <summary>An operator refused: which, on what shapes, and libtorch's own words.</summary>
public sealed class TorchException : Exception
{
    /// <summary>An error that is not an operator's, such as a library that does not load.</summary>
    /// <param name="operation">What was tried.</param>
    /// <param name="text">What is wrong and what to do.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public TorchException(string operation, string text, Exception? inner = null)
        : base($"{operation}: {text}", inner)
    {
        Operation = operation;
        NativeText = text;
    }

    /// <summary>The name of the operator, as in <see cref="torch"/> or <see cref="Tensor"/>.</summary>
    public string Operation { get; }

    /// <summary>libtorch's own text, without its C++ stack.</summary>
    public string NativeText { get; }

    /// <summary>Whether memory, of the host or of a GPU, ran out.</summary>
    public bool IsOutOfMemory { get; private init; }

    /// <summary>Makes the exception of a status that is not zero, from the calling thread's last native error.</summary>
    internal static TorchException Of(int status, string operation, params ReadOnlySpan<Tensor?> operands)
    {
        const int OutOfMemory = 2;
        string text = Marshal.PtrToStringUTF8(Shim.tap_last_error()) ?? "no text";
        List<string> shapes = [];
        foreach (Tensor? operand in operands)
        {
            if (operand is not null)
            {
                shapes.Add(operand.Describe());
            }
        }

        return new TorchException($"{operation}({string.Join(", ", shapes)})", text, operation, status == OutOfMemory);
    }

    internal static TorchException Disposed(string operation, string origin) =>
        new(operation, $"the tensor, made by {origin}, is disposed: its scope ended, or Dispose was called.");

    private TorchException(string call, string text, string operation, bool isOutOfMemory)
        : base($"{call}: {text}")
    {
        Operation = operation;
        NativeText = text;
        IsOutOfMemory = isOutOfMemory;
    }
}
