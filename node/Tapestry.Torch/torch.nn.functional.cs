using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Layers as functions.</content>
public static partial class torch
{
    /// <summary>How the losses of a batch become one.</summary>
    public enum Reduction
    {
        /// <summary>They do not.</summary>
        None = 0,

        /// <summary>Their mean.</summary>
        Mean = 1,

        /// <summary>Their sum.</summary>
        Sum = 2,
    }

    public static partial class nn
    {
        /// <summary>Layers as functions. Legend: B batch, T time, H heads, D head size, C channels, V vocabulary.</summary>
        public static class functional
        {
            /// <summary>x · weightᵀ + bias.</summary>
            /// <param name="input">[…, in].</param>
            /// <param name="weights">[out, in].</param>
            /// <param name="bias">[out], or none.</param>
            /// <returns>[…, out].</returns>
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) =>
                Tensor.Give(Shim.tap_linear(input.Use(), weights.Use(), Optional(bias), out TensorHandle result), result, input, weights, bias);

            /// <summary>Rows of a table.</summary>
            /// <param name="input">Row numbers, int64, of any shape.</param>
            /// <param name="weight">[V, C].</param>
            /// <returns>[…, C].</returns>
            public static Tensor embedding(Tensor input, Tensor weight) =>
                Tensor.Give(Shim.tap_embedding(weight.Use(), input.Use(), out TensorHandle result), result, input, weight);

            /// <summary>x · sigmoid(x).</summary>
            public static Tensor silu(Tensor x) => x.silu();

            /// <summary>silu(gate) · up, in one pass.</summary>
            /// <param name="gateAndUp">[…, 2 · F]: the gate's half, then the other.</param>
            /// <returns>[…, F].</returns>
            /// <remarks>Shazeer 2020, arXiv:2002.05202.</remarks>
            public static Tensor swiglu(Tensor gateAndUp) =>
                Tensor.Give(Shim.tap_swiglu(gateAndUp.Use(), out TensorHandle result), result, gateAndUp);

            /// <summary>Exponentials along a dimension, divided by their sum.</summary>
            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) =>
                Tensor.Give(Shim.tap_softmax(input.Use(), dim, dtype is null ? -1 : (int)dtype, out TensorHandle result), result, input);

            /// <summary>The logarithm of <see cref="softmax"/>.</summary>
            public static Tensor log_softmax(Tensor input, long dim, ScalarType? dtype = null) =>
                Tensor.Give(Shim.tap_log_softmax(input.Use(), dim, dtype is null ? -1 : (int)dtype, out TensorHandle result), result, input);

            /// <summary>Negative log likelihood of the targets, in nats.</summary>
            /// <param name="input">Logits [N, V].</param>
            /// <param name="target">Classes [N], int64.</param>
            /// <param name="weight">A weight a class, [V], or none.</param>
            /// <param name="ignore_index">Targets of this class count nothing.</param>
            /// <param name="reduction">How the N losses become one.</param>
            /// <param name="label_smoothing">0 to 1: the share of the target spread over all classes.</param>
            public static Tensor cross_entropy(
                Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean, double label_smoothing = 0) =>
                Tensor.Give(
                    Shim.tap_cross_entropy(input.Use(), target.Use(), Optional(weight), ignore_index, (int)reduction, label_smoothing, out TensorHandle result),
                    result, input, target, weight);

            /// <summary>softmax(q·kᵀ·scale + mask)·v, with as many query heads a key head as the shapes say.</summary>
            /// <param name="query">[B, H, T, D], of any strides: a transposed view costs nothing.</param>
            /// <param name="key">[B, H or a divisor of H, S, D].</param>
            /// <param name="value">As <paramref name="key"/>.</param>
            /// <param name="attn_mask">Broadcast to [B, H, T, S]: true where attention is allowed, or numbers to add; none.</param>
            /// <param name="p">Dropout of the attention, 0 to 1.</param>
            /// <param name="is_causal">Whether position t sees only the first t + 1 + S - T keys.</param>
            /// <param name="scale">0 means 1/√D.</param>
            /// <returns>[B, H, T, D], laid out so that transpose(1, 2) is contiguous.</returns>
            public static Tensor scaled_dot_product_attention(
                Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0, bool is_causal = false, double scale = 0) =>
                Tensor.Give(
                    Shim.tap_attention(query.Use(), key.Use(), value.Use(), Optional(attn_mask), p, is_causal ? 1 : 0, scale, out TensorHandle result),
                    result, query, key, value);

            /// <summary>Rotary position embedding: turns each pair (i, i + D/2) by its position's angle.</summary>
            /// <param name="input">[B, H, T, D], of any strides.</param>
            /// <param name="cosine">[T, D/2].</param>
            /// <param name="sine">[T, D/2].</param>
            /// <returns>Shape and layout of <paramref name="input"/>.</returns>
            /// <remarks>The pairing of Llama's published weights ("rotate half"). Su et al. 2021, arXiv:2104.09864.</remarks>
            public static Tensor rope(Tensor input, Tensor cosine, Tensor sine) =>
                Tensor.Give(Shim.tap_rope(input.Use(), cosine.Use(), sine.Use(), out TensorHandle result), result, input, cosine, sine);

            /// <summary>Causal self-attention over one packed projection, rotary positions included: what a Llama layer needs, in one pass.</summary>
            /// <param name="projection">[B, T, (heads + 2 · keyHeads) · D]: query heads, key heads, value heads.</param>
            /// <param name="cosine">[T, D/2].</param>
            /// <param name="sine">[T, D/2].</param>
            /// <param name="heads">Query heads.</param>
            /// <param name="keyHeads">Key and value heads, a divisor of <paramref name="heads"/>.</param>
            /// <returns>[B, T, heads · D].</returns>
            /// <remarks>The same values as <see cref="rope"/> and <see cref="scaled_dot_product_attention"/>, without their copies.</remarks>
            public static Tensor rotary_attention(Tensor projection, Tensor cosine, Tensor sine, long heads, long keyHeads) =>
                Tensor.Give(
                    Shim.tap_rotary_attention(projection.Use(), cosine.Use(), sine.Use(), heads, keyHeads, out TensorHandle result),
                    result, projection, cosine, sine);

            /// <summary>x / √(mean(x²) + eps) · weight, over the last dimension.</summary>
            /// <param name="input">[…, C].</param>
            /// <param name="weight">[C].</param>
            /// <param name="eps">Added to the mean square.</param>
            /// <remarks>Zhang and Sennrich 2019, arXiv:1910.07467.</remarks>
            public static Tensor rms_norm(Tensor input, Tensor weight, double eps = 1e-5) =>
                Tensor.Give(Shim.tap_rms_norm(input.Use(), weight.Use(), eps, out TensorHandle result), result, input, weight);

            /// <summary>Mean 0 and variance 1 over the last dimensions, then scale and shift.</summary>
            public static Tensor layer_norm(Tensor input, ReadOnlySpan<long> normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                Tensor.Give(
                    Shim.tap_layer_norm(input.Use(), normalized_shape, normalized_shape.Length, Optional(weight), Optional(bias), eps, out TensorHandle result),
                    result, input, weight, bias);

            /// <summary>Zeroes elements with probability p and scales the rest by 1/(1 - p); nothing outside training.</summary>
            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true) =>
                Tensor.Give(Shim.tap_dropout(input.Use(), p, training ? 1 : 0, out TensorHandle result), result, input);

            private static TensorHandle Optional(Tensor? tensor) => tensor?.Use() ?? TensorHandle.None;
        }
    }
}
