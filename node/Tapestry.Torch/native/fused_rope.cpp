// Rotary position embedding of [batch, heads, time, size] in one pass, whatever the strides.
#include <torch/csrc/autograd/custom_function.h>

#include "rotary.hpp"
#include "shim.hpp"

namespace tapestry {
namespace {

#ifdef TAPESTRY_DNNL_BLAS
template <typename T>
void rope_all(const at::Tensor& x, const at::Tensor& y, Rotation rotation, float direction) {
    const int64_t heads = x.size(1);
    at::parallel_for(0, x.size(0) * heads, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const T* from = static_cast<const T*>(x.data_ptr()) + i / heads * x.stride(0) + i % heads * x.stride(1);
            T* to = static_cast<T*>(y.data_ptr()) + i / heads * y.stride(0) + i % heads * y.stride(1);
            rows_turn(from, x.stride(2), to, y.stride(2), x.size(2), x.size(3), rotation, direction, 1.0F);
        }
    });
}

at::Tensor rope_turned(const at::Tensor& input, const at::Tensor& cosine, const at::Tensor& sine, float direction) {
    const at::Tensor x = dense_rows(input);
    const at::Tensor y = empty_heads(x);
    const Rotation rotation{cosine.data_ptr<float>(), sine.data_ptr<float>()};
    x.scalar_type() == at::kFloat ? rope_all<float>(x, y, rotation, direction) : rope_all<bf16>(x, y, rotation, direction);
    return y;
}

struct Rope : torch::autograd::Function<Rope> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
        context->save_for_backward({cosine, sine});
        return rope_turned(x, cosine, sine, 1.0F);
    }

    // A rotation's transpose is the rotation back.
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, const torch::autograd::variable_list& upstream) {
        const torch::autograd::variable_list saved = context->get_saved_variables();
        return {rope_turned(upstream[0], saved[0], saved[1], -1.0F), at::Tensor(), at::Tensor()};
    }
};
#endif

at::Tensor rope(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
    TORCH_CHECK(x.dim() == 4 && x.size(3) % 2 == 0, "the input must be [batch, heads, time, an even size]");
    TORCH_CHECK(cosine.dim() == 2 && cosine.sizes() == sine.sizes() && cosine.size(0) == x.size(2) && cosine.size(1) == x.size(3) / 2,
                "the tables must be [time, half the size]: [", x.size(2), ", ", x.size(3) / 2, "]");
#ifdef TAPESTRY_DNNL_BLAS
    const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
    const bool tables = cosine.scalar_type() == at::kFloat && sine.scalar_type() == at::kFloat && cosine.is_contiguous() && sine.is_contiguous();
    if (x.is_cpu() && known && tables && !cosine.requires_grad() && !sine.requires_grad()) {
        return Rope::apply(x, cosine, sine);
    }
#endif
    return composed_rope(x, cosine, sine);
}

}  // namespace
}  // namespace tapestry

int32_t tap_rope(tap_tensor x, tap_tensor cosine, tap_tensor sine, tap_tensor* out) {
    TAP_GIVE(tapestry::rope(tapestry::get(x), tapestry::get(cosine), tapestry::get(sine)))
}
