using Tapestry.Torch.Modules;

namespace Tapestry.Torch;

/// <content>Optimisers by PyTorch's names.</content>
public static partial class torch
{
    /// <summary>Optimisers.</summary>
    public static class optim
    {
        /// <summary>Adam with decoupled weight decay, over single parameters.</summary>
        public static Optimisers.AdamW AdamW(
            IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0) =>
            new(parameters, lr, beta1, beta2, eps, weight_decay);

        /// <summary>Adam with decoupled weight decay, over one flat buffer: one pass over memory a step.</summary>
        /// <param name="parameters">The parameters.</param>
        /// <param name="lr">Learning rate.</param>
        /// <param name="beta1">Decay of the mean gradient.</param>
        /// <param name="beta2">Decay of the mean squared gradient.</param>
        /// <param name="eps">Added to the root of the mean square.</param>
        /// <param name="weight_decay">Share of the learning rate by which weights shrink a step.</param>
        /// <param name="decays">Which parameters decay; null means those of two or more dimensions.</param>
        public static Optimisers.FlatAdamW AdamW(
            FlatParameters parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, double weight_decay = 0,
            Predicate<FlatRange>? decays = null) =>
            new(parameters, lr, beta1, beta2, eps, weight_decay, decays ?? (range => range.Shape.Count > 1));
    }
}
