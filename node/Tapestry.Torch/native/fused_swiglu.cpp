// SwiGLU: silu(gate) · up, the activation of Llama's feed-forward layer, forward and backward in one pass each.
#include <torch/csrc/autograd/custom_function.h>

#include "autocast.hpp"
#include "kernels.hpp"
#include "shim.hpp"

namespace tapestry {
namespace {

#ifdef TAPESTRY_DNNL_BLAS
constexpr int64_t swiglu_grain = 16384;

template <typename T>
TAP_INLINE void swiglu_forward(const T* gate, const T* up, T* y, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float x = load(gate[i]);
        store(x / (1.0F + exponential(-x)) * load(up[i]), y + i);
    }
}

template <typename T>
TAP_INLINE void swiglu_backward(const T* g, const T* gate, const T* up, T* dgate, T* dup, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float x = load(gate[i]);
        const float sigmoid = 1.0F / (1.0F + exponential(-x));
        const float upstream = load(g[i]);
        store(upstream * x * sigmoid, dup + i);
        store(upstream * load(up[i]) * sigmoid * (1.0F + x * (1.0F - sigmoid)), dgate + i);
    }
}

#define TAP_SWIGLU(T, name)                                                                                     \
    TAP_CLONES void name##_forward(const T* gate, const T* up, T* y, int64_t n) { swiglu_forward(gate, up, y, n); } \
    TAP_CLONES void name##_backward(const T* g, const T* gate, const T* up, T* dgate, T* dup, int64_t n) {      \
        swiglu_backward(g, gate, up, dgate, dup, n);                                                            \
    }
TAP_SWIGLU(float, swiglu_plain)
TAP_SWIGLU(bf16, swiglu_narrow)
#undef TAP_SWIGLU

struct Swiglu : torch::autograd::Function<Swiglu> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& gate_any, const at::Tensor& up_any) {
        const at::Tensor gate = gate_any.contiguous();
        const at::Tensor up = up_any.contiguous();
        at::Tensor y = at::empty_like(gate);
        at::parallel_for(0, gate.numel(), swiglu_grain, [&](int64_t begin, int64_t end) {
            if (gate.scalar_type() == at::kFloat) {
                swiglu_plain_forward(gate.data_ptr<float>() + begin, up.data_ptr<float>() + begin, y.data_ptr<float>() + begin, end - begin);
            } else {
                swiglu_narrow_forward(static_cast<bf16*>(gate.data_ptr()) + begin, static_cast<bf16*>(up.data_ptr()) + begin,
                                      static_cast<bf16*>(y.data_ptr()) + begin, end - begin);
            }
        });
        context->save_for_backward({gate, up});
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& upstream) {
        const torch::autograd::variable_list saved = context->get_saved_variables();
        const at::Tensor& gate = saved[0];
        const at::Tensor& up = saved[1];
        const at::Tensor g = upstream[0].to(gate.scalar_type()).contiguous();
        at::Tensor dgate = at::empty_like(gate);
        at::Tensor dup = at::empty_like(up);
        at::parallel_for(0, gate.numel(), swiglu_grain, [&](int64_t begin, int64_t end) {
            const auto run = [&](auto* u, auto* x, auto* y, auto* dx, auto* dy, auto kernel) {
                kernel(u + begin, x + begin, y + begin, dx + begin, dy + begin, end - begin);
            };
            if (gate.scalar_type() == at::kFloat) {
                run(g.data_ptr<float>(), gate.data_ptr<float>(), up.data_ptr<float>(), dgate.data_ptr<float>(), dup.data_ptr<float>(),
                    swiglu_plain_backward);
            } else {
                run(static_cast<bf16*>(g.data_ptr()), static_cast<bf16*>(gate.data_ptr()), static_cast<bf16*>(up.data_ptr()),
                    static_cast<bf16*>(dgate.data_ptr()), static_cast<bf16*>(dup.data_ptr()), swiglu_narrow_backward);
            }
        });
        return {dgate, dup};
    }
};
#endif

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) {
#ifdef TAPESTRY_DNNL_BLAS
    const bool known = gate.scalar_type() == at::kFloat || gate.scalar_type() == at::kBFloat16;
    if (gate.is_cpu() && up.is_cpu() && known && gate.scalar_type() == up.scalar_type() && gate.sizes() == up.sizes()) {
        return Swiglu::apply(gate, up);
    }
#endif
    return at::silu(gate) * up;
}

}  // namespace
}  // namespace tapestry

int32_t tap_swiglu(tap_tensor gate, tap_tensor up, tap_tensor* out) {
    TAP_GIVE(tapestry::swiglu(tapestry::get(gate), tapestry::get(up)))
}
