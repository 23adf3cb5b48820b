using System.Runtime.CompilerServices;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Operators as functions; those of one tensor are on <see cref="Tensor"/> too.</content>
public static partial class torch
{
    /// <summary>The matrix product, broadcast over leading dimensions.</summary>
    public static Tensor matmul(Tensor input, Tensor target) => input.matmul(target);

    /// <summary>The matrix product of each pair: [B, n, m] · [B, m, p].</summary>
    public static Tensor bmm(Tensor batch1, Tensor batch2) => batch1.bmm(batch2);

    /// <summary>x where the condition holds, y elsewhere.</summary>
    public static Tensor where(Tensor condition, Tensor x, Tensor y) =>
        Tensor.Give(Shim.tap_where(condition.Use(), x.Use(), y.Use(), out TensorHandle result), result, condition, x, y);

    /// <summary>The tensors end to end along a dimension.</summary>
    public static Tensor cat(ReadOnlySpan<Tensor> tensors, long dim = 0) =>
        Many(tensors, (handles, count) => (Shim.tap_cat(handles, count, dim, out TensorHandle result), result));

    /// <summary>The tensors side by side along a new dimension.</summary>
    public static Tensor stack(ReadOnlySpan<Tensor> tensors, long dim = 0) =>
        Many(tensors, (handles, count) => (Shim.tap_stack(handles, count, dim, out TensorHandle result), result));

    /// <summary>The tensors end to end along a dimension.</summary>
    public static Tensor cat(IEnumerable<Tensor> tensors, long dim = 0) => cat(tensors.ToArray().AsSpan(), dim);

    /// <summary>The tensors side by side along a new dimension.</summary>
    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0) => stack(tensors.ToArray().AsSpan(), dim);

    /// <summary>The lower triangle, up to a diagonal; zero elsewhere.</summary>
    public static Tensor tril(Tensor input, long diagonal = 0) => input.tril(diagonal);

    /// <summary>The upper triangle, from a diagonal; zero elsewhere.</summary>
    public static Tensor triu(Tensor input, long diagonal = 0) => input.triu(diagonal);

    /// <summary>One over the square root.</summary>
    public static Tensor rsqrt(Tensor input) => input.rsqrt();

    /// <summary>The sine, of radians.</summary>
    public static Tensor sin(Tensor input) => input.sin();

    /// <summary>The cosine, of radians.</summary>
    public static Tensor cos(Tensor input) => input.cos();

    /// <summary>e to the power x.</summary>
    public static Tensor exp(Tensor input) => input.exp();

    /// <summary>The natural logarithm.</summary>
    public static Tensor log(Tensor input) => input.log();

    /// <summary>The sum of all elements.</summary>
    public static Tensor sum(Tensor input) => input.sum();

    /// <summary>The mean of all elements.</summary>
    public static Tensor mean(Tensor input) => input.mean();

    /// <summary>The k largest elements along a dimension, in descending order, and where they are.</summary>
    public static (Tensor values, Tensor indexes) topk(Tensor input, int k, int dim = -1) => input.topk(k, dim);

    /// <summary>Exponentials along a dimension, divided by their sum.</summary>
    public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => nn.functional.softmax(input, dim, dtype);

    private delegate (int Status, TensorHandle Result) ListOperator(ReadOnlySpan<nint> handles, int count);

    private static Tensor Many(ReadOnlySpan<Tensor> tensors, ListOperator run, [CallerMemberName] string operation = "")
    {
        nint[] handles = new nint[tensors.Length];
        bool[] held = new bool[tensors.Length];
        try
        {
            for (int i = 0; i < tensors.Length; i++)
            {
                // The list crosses the boundary as plain pointers, so each handle is held by hand.
                TensorHandle handle = tensors[i].Use(operation);
                handle.DangerousAddRef(ref held[i]);
                handles[i] = handle.DangerousGetHandle();
            }

            (int status, TensorHandle result) = run(handles, handles.Length);
            return status == 0 ? new Tensor(result, operation) : throw TorchException.Of(status, operation, tensors!);
        }
        finally
        {
            for (int i = 0; i < tensors.Length; i++)
            {
                if (held[i])
                {
                    tensors[i].Release();
                }
            }
        }
    }
}
