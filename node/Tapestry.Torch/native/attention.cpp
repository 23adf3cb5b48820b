// Scaled dot-product attention, and causal self-attention over a packed projection with rotary positions.
#include <torch/csrc/autograd/custom_function.h>

#include "attention_kernel.hpp"
#include "rotary.hpp"
#include "shim.hpp"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace tapestry {
namespace {

#ifdef TAPESTRY_DNNL_BLAS
bool kernel_takes(const Tensor& x) { return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && x.numel() > 0; }

AttentionShape attention_shape(const Tensor& q, const Tensor& k, double scale, const Tensor& cosine, const Tensor& sine) {
    const Rotation rotation = cosine.defined() ? Rotation{cosine.data_ptr<float>(), sine.data_ptr<float>()} : Rotation{};
    return {q.size(0), q.size(1), k.size(1), q.size(2), k.size(2), q.size(3), static_cast<float>(scale), rotation};
}

void attend(const AttentionShape& s, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& log_sums) {
    float* sums = log_sums.data_ptr<float>();
    q.scalar_type() == at::kFloat ? AttentionForward<float>(s, q, k, v, out, sums).run() : AttentionForward<bf16>(s, q, k, v, out, sums).run();
}

void attend_backward(const AttentionShape& s, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& up,
                     const Tensor& log_sums, const Tensor& dq, const Tensor& dk, const Tensor& dv) {
    const float* sums = log_sums.data_ptr<float>();
    if (q.scalar_type() == at::kFloat) {
        AttentionBackward<float>(s, q, k, v, out, up, sums, dq, dk, dv).run();
    } else {
        AttentionBackward<bf16>(s, q, k, v, out, up, sums, dq, dk, dv).run();
    }
}

struct CausalAttention : torch::autograd::Function<CausalAttention> {
    static Tensor forward(AutogradContext* context, const Tensor& query, const Tensor& key, const Tensor& value, double scale) {
        const Tensor q = dense_rows(query);
        const Tensor k = dense_rows(key);
        const Tensor v = dense_rows(value);
        const Tensor out = empty_heads(q);
        const Tensor log_sums = at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat));
        attend(attention_shape(q, k, scale, Tensor(), Tensor()), q, k, v, out, log_sums);
        context->save_for_backward({q, k, v, out, log_sums});
        context->saved_data["scale"] = scale;
        return out;
    }

    static variable_list backward(AutogradContext* context, const variable_list& upstream) {
        const variable_list x = context->get_saved_variables();
        const Tensor up = dense_rows(upstream[0].to(x[0].scalar_type()));
        const Tensor dq = empty_heads(x[0]);
        const Tensor dk = empty_heads(x[1]);
        const Tensor dv = empty_heads(x[2]);
        const AttentionShape s = attention_shape(x[0], x[1], context->saved_data["scale"].toDouble(), Tensor(), Tensor());
        attend_backward(s, x[0], x[1], x[2], x[3], up, x[4], dq, dk, dv);
        return {dq, dk, dv, Tensor()};
    }
};

// Query heads, then key heads, then value heads, side by side: [batch, time, (heads + 2 key_heads) · size].
struct Packed {
    Packed(const Tensor& projection, int64_t heads, int64_t key_heads)
        : all(projection.view({projection.size(0), projection.size(1), heads + 2 * key_heads, -1})),
          q(all.narrow(2, 0, heads).transpose(1, 2)),
          k(all.narrow(2, heads, key_heads).transpose(1, 2)),
          v(all.narrow(2, heads + key_heads, key_heads).transpose(1, 2)) {}
    Tensor all;
    Tensor q;
    Tensor k;
    Tensor v;
};

struct RotaryAttention : torch::autograd::Function<RotaryAttention> {
    static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& cosine, const Tensor& sine, int64_t heads, int64_t key_heads,
                          double scale) {
        const Tensor projection = input.contiguous();
        const Packed x(projection, heads, key_heads);
        const Tensor out = empty_heads(x.q);
        const Tensor log_sums = at::empty({x.q.size(0), heads, x.q.size(2)}, x.q.options().dtype(at::kFloat));
        attend(attention_shape(x.q, x.k, scale, cosine, sine), x.q, x.k, x.v, out, log_sums);
        const Tensor joined = out.transpose(1, 2).view({out.size(0), out.size(2), heads * out.size(3)});
        context->save_for_backward({projection, joined, log_sums, cosine, sine});
        context->saved_data["heads"] = heads;
        context->saved_data["key_heads"] = key_heads;
        context->saved_data["scale"] = scale;
        return joined;
    }

    static variable_list backward(AutogradContext* context, const variable_list& upstream) {
        const variable_list saved = context->get_saved_variables();
        const int64_t heads = context->saved_data["heads"].toInt();
        const int64_t key_heads = context->saved_data["key_heads"].toInt();
        const Tensor gradient = at::empty_like(saved[0]);
        const Packed x(saved[0], heads, key_heads);
        const Packed dx(gradient, heads, key_heads);
        const auto by_head = [&](const Tensor& t) { return t.view({t.size(0), t.size(1), heads, -1}).transpose(1, 2); };
        const Tensor up = upstream[0].to(saved[0].scalar_type()).contiguous();
        const AttentionShape s = attention_shape(x.q, x.k, context->saved_data["scale"].toDouble(), saved[3], saved[4]);
        attend_backward(s, x.q, x.k, x.v, by_head(saved[1]), by_head(up), saved[2], dx.q, dx.k, dx.v);
        return {gradient, Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
    }
};
#endif

#if TAP_TORCH < 200
Tensor composed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool causal, double scale) {
    const double hidden = -std::numeric_limits<double>::infinity();
    Tensor scores = at::matmul(q * scale, k.transpose(-2, -1));
    if (causal) {
        const Tensor allowed = at::ones({q.size(-2), k.size(-2)}, q.options().dtype(at::kBool)).tril(k.size(-2) - q.size(-2));
        scores = scores.masked_fill(allowed.logical_not(), hidden);
    }
    if (mask.defined()) {
        scores = mask.scalar_type() == at::kBool ? scores.masked_fill(mask.logical_not(), hidden) : scores + mask;
    }
    const Tensor shares = at::softmax(scores, -1);
    return at::matmul(p > 0 ? at::dropout(shares, p, true) : shares, v);
}
#endif

// Query heads share key heads: heads of one group see the same keys.
Tensor repeated(const Tensor& x, int64_t heads) { return x.size(1) == heads ? x : x.repeat_interleave(heads / x.size(1), 1); }

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool causal, double scale) {
    TORCH_CHECK(q.dim() == 4 && k.dim() == 4 && v.sizes() == k.sizes(), "query, key and value must be [batch, heads, time, size]");
    TORCH_CHECK(q.size(0) == k.size(0) && q.size(3) == k.size(3) && q.size(1) % k.size(1) == 0,
                "batch and size must agree, and the query's heads must be a multiple of the key's");
    TORCH_CHECK(!causal || q.size(2) <= k.size(2), "causal attention needs a key for every query");
    const double factor = scale == 0 ? 1.0 / std::sqrt(static_cast<double>(q.size(3))) : scale;
#ifdef TAPESTRY_DNNL_BLAS
    if (causal && !mask.defined() && p == 0 && kernel_takes(q) && q.scalar_type() == k.scalar_type() && q.scalar_type() == v.scalar_type()) {
        return CausalAttention::apply(q, k, v, factor);
    }
#endif
    const Tensor keys = repeated(k, q.size(1));
    const Tensor values = repeated(v, q.size(1));
#if TAP_TORCH >= 200
    Tensor allowed = mask;
    const bool shifted = causal && q.size(2) != k.size(2);  // libtorch's own causal mask starts at the first key.
    if (shifted) {
        allowed = at::ones({q.size(2), k.size(2)}, q.options().dtype(at::kBool)).tril(k.size(2) - q.size(2));
    }
    const auto run = [&](const auto& allowed_or_none) {
#if TAP_TORCH >= 201
        return at::scaled_dot_product_attention(q, keys, values, allowed_or_none, p, causal && !shifted, factor);
#else
        const double built_in = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
        return at::scaled_dot_product_attention(q * (factor / built_in), keys, values, allowed_or_none, p, causal && !shifted);
#endif
    };
    return allowed.defined() ? run(allowed) : run(c10::nullopt);
#else
    return composed_attention(q, keys, values, mask, p, causal, factor);
#endif
}

Tensor rotary_attention(const Tensor& projection, const Tensor& cosine, const Tensor& sine, int64_t heads, int64_t key_heads) {
    TORCH_CHECK(projection.dim() == 3 && heads > 0 && key_heads > 0 && heads % key_heads == 0 && projection.size(2) % (heads + 2 * key_heads) == 0,
                "the projection must be [batch, time, (", heads, " + 2 · ", key_heads, ") · size]");
    const int64_t size = projection.size(2) / (heads + 2 * key_heads);
    TORCH_CHECK(cosine.dim() == 2 && cosine.size(0) == projection.size(1) && cosine.size(1) * 2 == size && cosine.sizes() == sine.sizes(),
                "the tables must be [time, half the size]: [", projection.size(1), ", ", size / 2, "]");
#ifdef TAPESTRY_DNNL_BLAS
    const bool tables = cosine.scalar_type() == at::kFloat && sine.scalar_type() == at::kFloat && cosine.is_contiguous() && sine.is_contiguous();
    if (kernel_takes(projection) && tables) {
        return RotaryAttention::apply(projection, cosine, sine, heads, key_heads, 1.0 / std::sqrt(static_cast<double>(size)));
    }
#endif
    const Tensor all = projection.view({projection.size(0), projection.size(1), heads + 2 * key_heads, size}).transpose(1, 2);
    const Tensor q = composed_rope(all.narrow(1, 0, heads), cosine, sine);
    const Tensor k = composed_rope(all.narrow(1, heads, key_heads), cosine, sine);
    const Tensor out = attention(q, k, all.narrow(1, heads + key_heads, key_heads), Tensor(), 0, true, 0);
    return out.transpose(1, 2).reshape({projection.size(0), projection.size(1), heads * size});
}

}  // namespace
}  // namespace tapestry

int32_t tap_attention(tap_tensor query, tap_tensor key, tap_tensor value, tap_tensor mask, double p, int32_t causal, double scale, tap_tensor* out) {
    TAP_GIVE(tapestry::attention(tapestry::get(query), tapestry::get(key), tapestry::get(value), tapestry::get_or_none(mask), p, causal != 0, scale))
}

int32_t tap_rotary_attention(tap_tensor projection, tap_tensor cosine, tap_tensor sine, int64_t heads, int64_t key_heads, tap_tensor* out) {
    TAP_GIVE(tapestry::rotary_attention(tapestry::get(projection), tapestry::get(cosine), tapestry::get(sine), heads, key_heads))
}
