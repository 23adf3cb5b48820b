// SwiGLU: silu(gate) · up, the activation of Llama's feed-forward layer, forward and backward in one pass each. Gate and up
// are the two halves of each row, as one product with both weights leaves them.
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.hpp"
#include "shim.hpp"

namespace tapestry {
namespace {

#ifdef TAPESTRY_DNNL_BLAS
constexpr int64_t swiglu_rows = 16;

// x is [rows, 2 · width], y [rows, width].
template <typename T>
TAP_INLINE void swiglu_forward(const T* x, T* y, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const T* gate = x + 2 * r * width;
        const T* up = gate + width;
        T* to = y + r * width;
#pragma omp simd
        for (int64_t i = 0; i < width; i++) {
            const float value = load(gate[i]);
            store(value / (1.0F + exponential(-value)) * load(up[i]), to + i);
        }
    }
}

template <typename T>
TAP_INLINE void swiglu_backward(const T* g, const T* x, T* dx, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const T* gate = x + 2 * r * width;
        const T* up = gate + width;
        const T* upstream = g + r * width;
        T* dgate = dx + 2 * r * width;
        T* dup = dgate + width;
#pragma omp simd
        for (int64_t i = 0; i < width; i++) {
            const float value = load(gate[i]);
            const float sigmoid = 1.0F / (1.0F + exponential(-value));
            const float slope = load(upstream[i]);
            store(slope * value * sigmoid, dup + i);
            store(slope * load(up[i]) * sigmoid * (1.0F + value * (1.0F - sigmoid)), dgate + i);
        }
    }
}

// The compiler clones functions, not templates: one plain function for each type.
TAP_CLONES void swiglu_rows_forward(const float* x, float* y, int64_t rows, int64_t width) { swiglu_forward(x, y, rows, width); }
TAP_CLONES void swiglu_rows_forward(const bf16* x, bf16* y, int64_t rows, int64_t width) { swiglu_forward(x, y, rows, width); }
TAP_CLONES void swiglu_rows_backward(const float* g, const float* x, float* dx, int64_t rows, int64_t width) { swiglu_backward(g, x, dx, rows, width); }
TAP_CLONES void swiglu_rows_backward(const bf16* g, const bf16* x, bf16* dx, int64_t rows, int64_t width) { swiglu_backward(g, x, dx, rows, width); }

template <typename T>
void swiglu_forward_all(const at::Tensor& x, const at::Tensor& y) {
    const int64_t width = y.size(-1);
    const T* from = static_cast<const T*>(x.data_ptr());
    T* to = static_cast<T*>(y.data_ptr());
    at::parallel_for(0, y.numel() / width, swiglu_rows, [&](int64_t begin, int64_t end) {
        swiglu_rows_forward(from + 2 * begin * width, to + begin * width, end - begin, width);
    });
}

template <typename T>
void swiglu_backward_all(const at::Tensor& g, const at::Tensor& x, const at::Tensor& dx) {
    const int64_t width = g.size(-1);
    const T* upstream = static_cast<const T*>(g.data_ptr());
    const T* from = static_cast<const T*>(x.data_ptr());
    T* to = static_cast<T*>(dx.data_ptr());
    at::parallel_for(0, g.numel() / width, swiglu_rows, [&](int64_t begin, int64_t end) {
        swiglu_rows_backward(upstream + begin * width, from + 2 * begin * width, to + 2 * begin * width, end - begin, width);
    });
}

struct Swiglu : torch::autograd::Function<Swiglu> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input) {
        const at::Tensor x = input.contiguous();
        std::vector<int64_t> shape = x.sizes().vec();
        shape.back() /= 2;
        at::Tensor y = at::empty(shape, x.options());
        x.scalar_type() == at::kFloat ? swiglu_forward_all<float>(x, y) : swiglu_forward_all<bf16>(x, y);
        context->save_for_backward({x});
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& upstream) {
        const at::Tensor x = context->get_saved_variables()[0];
        const at::Tensor g = upstream[0].to(x.scalar_type()).contiguous();
        at::Tensor dx = at::empty_like(x);
        x.scalar_type() == at::kFloat ? swiglu_backward_all<float>(g, x, dx) : swiglu_backward_all<bf16>(g, x, dx);
        return {dx};
    }
};
#endif

at::Tensor swiglu(const at::Tensor& x) {
    TORCH_CHECK(x.dim() > 0 && x.size(-1) % 2 == 0, "the last dimension must be even: the gate's half, then the other");
#ifdef TAPESTRY_DNNL_BLAS
    if (x.is_cpu() && x.numel() > 0 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16)) {
        return Swiglu::apply(x);
    }
#endif
    const int64_t width = x.size(-1) / 2;
    return at::silu(x.narrow(-1, 0, width)) * x.narrow(-1, width, width);
}

}  // namespace
}  // namespace tapestry

int32_t tap_swiglu(tap_tensor x, tap_tensor* out) { TAP_GIVE(tapestry::swiglu(tapestry::get(x))) }
