// RMSNorm: y = x / sqrt(mean(x²) + eps) · w over the last dimension. Composed, libtorch 1.13 passes over x six times.
#include <torch/csrc/autograd/custom_function.h>

#include "autocast.hpp"
#include "kernels.hpp"
#include "shim.hpp"

namespace tapestry {
namespace {

#ifdef TAPESTRY_DNNL_BLAS
// Rows summed into one partial gradient of the weight, whatever the number of threads.
constexpr int64_t chunk_rows = 64;

// n rows of c channels; scales gets 1 / rms of each row.
template <typename In, typename Out>
TAP_INLINE void rms_forward(const In* x, const float* w, Out* y, float* scales, int64_t n, int64_t c, float eps) {
    for (int64_t i = 0; i < n; i++) {
        const In* row = x + i * c;
        Out* to = y + i * c;
        float square = 0;
#pragma omp simd reduction(+ : square)
        for (int64_t j = 0; j < c; j++) {
            square += load(row[j]) * load(row[j]);
        }
        const float scale = 1.0F / std::sqrt(square / static_cast<float>(c) + eps);
        scales[i] = scale;
#pragma omp simd
        for (int64_t j = 0; j < c; j++) {
            store(load(row[j]) * scale * w[j], to + j);
        }
    }
}

// dx = (g·w - x · scale² · mean(g·w·x)) · scale; dw sums g · x · scale over the rows.
template <typename In, typename Out>
TAP_INLINE void rms_backward(const Out* g, const In* x, const float* w, const float* scales, In* dx, float* dw, int64_t n, int64_t c) {
    std::memset(dw, 0, static_cast<size_t>(c) * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        const In* row = x + i * c;
        const Out* up = g + i * c;
        In* to = dx + i * c;
        const float scale = scales[i];
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t j = 0; j < c; j++) {
            dot += load(up[j]) * w[j] * load(row[j]);
        }
        const float shrink = scale * scale * scale * dot / static_cast<float>(c);
#pragma omp simd
        for (int64_t j = 0; j < c; j++) {
            const float upstream = load(up[j]);
            const float value = load(row[j]);
            store(upstream * w[j] * scale - value * shrink, to + j);
            dw[j] += upstream * value * scale;
        }
    }
}

// The compiler clones functions, not templates: one plain function for each pair of types.
#define TAP_RMS(In, Out, name)                                                                                                 \
    TAP_CLONES void name##_forward(const In* x, const float* w, Out* y, float* s, int64_t n, int64_t c, float eps) {           \
        rms_forward(x, w, y, s, n, c, eps);                                                                                    \
    }                                                                                                                          \
    TAP_CLONES void name##_backward(const Out* g, const In* x, const float* w, const float* s, In* dx, float* dw, int64_t n,   \
                                    int64_t c) {                                                                               \
        rms_backward(g, x, w, s, dx, dw, n, c);                                                                                \
    }
TAP_RMS(float, float, rms_plain)
TAP_RMS(float, bf16, rms_narrowing)
TAP_RMS(bf16, bf16, rms_narrow)
#undef TAP_RMS

struct RmsNorm : torch::autograd::Function<RmsNorm> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& weight, double eps,
                              at::ScalarType type) {
        const at::Tensor x = input.contiguous();
        const int64_t c = x.size(-1);
        const int64_t n = x.numel() / c;
        at::Tensor y = at::empty(x.sizes(), x.options().dtype(type));
        const at::Tensor scales = at::empty({n}, weight.options());
        const float* w = weight.data_ptr<float>();
        float* s = scales.data_ptr<float>();
        const float e = static_cast<float>(eps);
        at::parallel_for(0, n, chunk_rows, [&](int64_t begin, int64_t end) {
            const auto run = [&](auto* from, auto* to, auto kernel) { kernel(from + begin * c, w, to + begin * c, s + begin, end - begin, c, e); };
            if (type == at::kFloat) {
                run(x.data_ptr<float>(), y.data_ptr<float>(), rms_plain_forward);
            } else if (x.scalar_type() == at::kFloat) {
                run(x.data_ptr<float>(), static_cast<bf16*>(y.data_ptr()), rms_narrowing_forward);
            } else {
                run(static_cast<bf16*>(x.data_ptr()), static_cast<bf16*>(y.data_ptr()), rms_narrow_forward);
            }
        });
        context->save_for_backward({x, weight, scales});
        context->saved_data["narrow"] = type != at::kFloat;
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& upstream) {
        const torch::autograd::variable_list saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const bool narrow = context->saved_data["narrow"].toBool();
        const at::Tensor g = upstream[0].to(narrow ? at::kBFloat16 : at::kFloat).contiguous();
        const int64_t c = x.size(-1);
        const int64_t n = x.numel() / c;
        const int64_t chunks = (n + chunk_rows - 1) / chunk_rows;
        at::Tensor dx = at::empty_like(x);
        const at::Tensor partial = at::empty({chunks, c}, saved[1].options());
        const float* w = saved[1].data_ptr<float>();
        const float* s = saved[2].data_ptr<float>();
        float* dw = partial.data_ptr<float>();
        at::parallel_for(0, chunks, 1, [&](int64_t first, int64_t last) {
            for (int64_t chunk = first; chunk < last; chunk++) {
                const int64_t begin = chunk * chunk_rows;
                const int64_t rows = std::min(chunk_rows, n - begin);
                const auto run = [&](auto* up, auto* from, auto* to, auto kernel) {
                    kernel(up + begin * c, from + begin * c, w, s + begin, to + begin * c, dw + chunk * c, rows, c);
                };
                if (!narrow) {
                    run(g.data_ptr<float>(), x.data_ptr<float>(), dx.data_ptr<float>(), rms_plain_backward);
                } else if (x.scalar_type() == at::kFloat) {
                    run(static_cast<bf16*>(g.data_ptr()), x.data_ptr<float>(), dx.data_ptr<float>(), rms_narrowing_backward);
                } else {
                    run(static_cast<bf16*>(g.data_ptr()), static_cast<bf16*>(x.data_ptr()), static_cast<bf16*>(dx.data_ptr()), rms_narrow_backward);
                }
            }
        });
        return {dx, partial.sum(0), at::Tensor(), at::Tensor()};
    }
};
#endif

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
    TORCH_CHECK(x.dim() > 0 && weight.dim() == 1 && x.size(-1) == weight.size(0), "the last dimension of the input and the weight must agree");
#ifdef TAPESTRY_DNNL_BLAS
    const at::ScalarType type = autocast_dtype(x);
    const bool plain = x.scalar_type() == at::kFloat && (type == at::kFloat || type == at::kBFloat16);
    const bool narrow = x.scalar_type() == at::kBFloat16 && type == at::kBFloat16;
    if (x.is_cpu() && weight.scalar_type() == at::kFloat && weight.is_contiguous() && x.numel() > 0 && (plain || narrow)) {
        return RmsNorm::apply(x, weight, eps, type);
    }
#endif
#if TAP_TORCH >= 204
    return at::rms_norm(x, {x.size(-1)}, weight, eps);
#else
    return x * at::rsqrt(x.pow(2).mean(-1, true) + eps) * weight;
#endif
}

}  // namespace
}  // namespace tapestry

int32_t tap_rms_norm(tap_tensor x, tap_tensor weight, double eps, tap_tensor* out) {
    TAP_GIVE(tapestry::rms_norm(tapestry::get(x), tapestry::get(weight), eps))
}
