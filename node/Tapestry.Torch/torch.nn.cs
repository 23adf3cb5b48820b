using Tapestry.Torch.Modules;
using ParameterTensor = Tapestry.Torch.Modules.Parameter;

namespace Tapestry.Torch;

/// <content>Modules by PyTorch's names.</content>
public static partial class torch
{
    /// <summary>Neural networks: modules, functions, utilities.</summary>
    public static partial class nn
    {
        /// <summary>A tensor that a module learns. It takes the tensor's storage, not a copy.</summary>
        public static ParameterTensor Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);

        /// <summary>x · weightᵀ + bias. The weights are zero until somebody initialises them.</summary>
        public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null) =>
            new(inputSize, outputSize, hasBias, device);

        /// <summary>A learned table of rows. The rows are zero until somebody initialises them.</summary>
        public static Embedding Embedding(long num_embeddings, long embedding_dims, Device? device = null) =>
            new(num_embeddings, embedding_dims, device);

        /// <summary>Root mean square normalisation with a learned scale, one at first.</summary>
        public static RMSNorm RMSNorm(long size, double eps = 1e-5, Device? device = null) => new(size, eps, device);

        /// <summary>Modules in order.</summary>
        /// <typeparam name="T">Their type.</typeparam>
        public static ModuleList<T> ModuleList<T>(params ReadOnlySpan<T> modules)
            where T : Module => new(modules);

        /// <summary>Utilities over parameters.</summary>
        public static class utils
        {
            /// <summary>Scales the gradients so that their joint 2-norm is at most <paramref name="max_norm"/>.</summary>
            /// <returns>The norm before.</returns>
            public static double clip_grad_norm_(IEnumerable<ParameterTensor> tensors, double max_norm)
            {
                ArgumentNullException.ThrowIfNull(tensors);
                using DisposeScope scope = NewDisposeScope();
                List<Tensor> gradients = [.. tensors.Select(tensor => tensor.grad).OfType<Tensor>()];
                double square = 0;
                foreach (Tensor gradient in gradients)
                {
                    double norm = GradientNorm(gradient);
                    square += norm * norm;
                }

                double total = Math.Sqrt(square);
                double scale = ClipScale(total, max_norm);
                if (scale < 1)
                {
                    gradients.ForEach(gradient => gradient.mul_(scale));
                }

                return total;
            }
        }

        /// <summary>PyTorch's factor: the small number keeps a zero norm harmless.</summary>
        internal static double ClipScale(double norm, double maxNorm) => Math.Min(1, maxNorm / (norm + 1e-6));

        internal static double GradientNorm(Tensor gradient)
        {
            Tensor.Check(Native.Shim.tap_gradient_norm(gradient.Use(), out double norm), gradient);
            return norm;
        }
    }
}
