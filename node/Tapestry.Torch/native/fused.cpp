#include "autocast.hpp"
#include "blas.hpp"
#include "shim.hpp"
using at::Tensor;
using tapestry::get;
using tapestry::get_or_none;
int32_t tap_rms_norm(tap_tensor x, tap_tensor weight, double eps, tap_tensor* out) {
    TAP_GIVE(get(x) * at::rsqrt(get(x).pow(2).mean(-1, true) + eps) * get(weight))
}
int32_t tap_rope(tap_tensor x, tap_tensor cosine, tap_tensor sine, tap_tensor* out) {
    TAP_GUARD({
        const Tensor& t = get(x);
        const int64_t half = t.size(-1) / 2;
        const Tensor a = t.narrow(-1, 0, half);
        const Tensor b = t.narrow(-1, half, half);
        tapestry::give(at::cat({a * get(cosine) - b * get(sine), b * get(cosine) + a * get(sine)}, -1), out);
    })
}
int32_t tap_swiglu(tap_tensor gate, tap_tensor up, tap_tensor* out) { TAP_GIVE(at::silu(get(gate)) * get(up)) }
int32_t tap_attention(tap_tensor query, tap_tensor key, tap_tensor value, tap_tensor mask, double p, int32_t causal,
                      double scale, tap_tensor* out) {
    TAP_GUARD({
        const Tensor& q = get(query);
        Tensor k = get(key);
        Tensor v = get(value);
        if (k.size(1) != q.size(1)) {
            k = k.repeat_interleave(q.size(1) / k.size(1), 1);
            v = v.repeat_interleave(q.size(1) / v.size(1), 1);
        }
        const double factor = scale == 0 ? 1.0 / std::sqrt(static_cast<double>(q.size(-1))) : scale;
        Tensor s = at::matmul(q, k.transpose(-2, -1)) * factor;
        if (causal != 0) {
            const Tensor allowed = at::ones({q.size(-2), k.size(-2)}, q.options().dtype(at::kBool)).tril(k.size(-2) - q.size(-2));
            s = s.masked_fill(allowed.logical_not(), -std::numeric_limits<double>::infinity());
        }
        const Tensor m = get_or_none(mask);
        if (m.defined()) {
            s = m.scalar_type() == at::kBool ? s.masked_fill(m.logical_not(), -std::numeric_limits<double>::infinity()) : s + m;
        }
        tapestry::give(at::matmul(at::dropout(at::softmax(s, -1), p, p > 0), v), out);
    })
}
int32_t tap_gradient_norm(tap_tensor gradient, double* out) { TAP_GUARD(*out = get(gradient).norm().item().toDouble()) }
int32_t tap_adamw(tap_tensor parameter, tap_tensor gradient, tap_tensor mean, tap_tensor square, int64_t start, int64_t count,
                  double rate, double beta1, double beta2, double eps, double decay, int64_t step, double gradient_scale) {
    TAP_GUARD({
        const at::NoGradGuard no_grad;
        const auto part = [&](tap_tensor t) { return get(t).detach().view(-1).narrow(0, start, count); };
        Tensor p = part(parameter);
        const Tensor g = part(gradient) * gradient_scale;
        Tensor m = part(mean);
        Tensor v = part(square);
        m.mul_(beta1).add_(g, 1 - beta1);
        v.mul_(beta2).addcmul_(g, g, 1 - beta2);
        const double bias1 = 1 - std::pow(beta1, static_cast<double>(step));
        const double bias2 = 1 - std::pow(beta2, static_cast<double>(step));
        p.mul_(1 - rate * decay).addcdiv_(m, v.sqrt().div_(std::sqrt(bias2)).add_(eps), -rate / bias1);
    })
}
