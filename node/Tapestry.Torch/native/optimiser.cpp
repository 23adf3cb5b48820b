// AdamW and the norm of a gradient, one pass over memory each. Sums run in fixed chunks, so the number of threads changes nothing.
#include "kernels.hpp"
#include "shim.hpp"

using at::Tensor;
using tapestry::get;

namespace tapestry {
namespace {

struct AdamW {
    double rate;
    double beta1;
    double beta2;
    double eps;
    double decay;
    int64_t step;
    double gradient_scale;

    double bias1() const { return 1.0 - std::pow(beta1, static_cast<double>(step)); }
    double bias2() const { return 1.0 - std::pow(beta2, static_cast<double>(step)); }
};

void composed_adamw(Tensor p, const Tensor& gradient, Tensor mean, Tensor square, const AdamW& a) {
    const Tensor g = gradient * a.gradient_scale;
    mean.mul_(a.beta1).add_(g, 1.0 - a.beta1);
    square.mul_(a.beta2).addcmul_(g, g, 1.0 - a.beta2);
    p.mul_(1.0 - a.rate * a.decay);
    p.addcdiv_(mean, square.sqrt().div_(std::sqrt(a.bias2())).add_(a.eps), -a.rate / a.bias1());
}

#ifdef TAPESTRY_DNNL_BLAS
constexpr int64_t chunk = 16384;

TAP_CLONES void adamw_range(float* p, const float* gradient, float* mean, float* square, int64_t n, float scale, float beta1, float beta2,
                            float eps, float keep, float step_size, float root_bias2) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float g = gradient[i] * scale;
        const float m = beta1 * mean[i] + (1.0F - beta1) * g;
        const float v = beta2 * square[i] + (1.0F - beta2) * g * g;
        mean[i] = m;
        square[i] = v;
        p[i] = p[i] * keep - step_size * m / (std::sqrt(v) / root_bias2 + eps);
    }
}

TAP_CLONES double square_sum(const float* x, int64_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    }
    return sum;
}

bool plain(const Tensor& t) { return t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous(); }
#endif

void adamw(const Tensor& p, const Tensor& g, const Tensor& mean, const Tensor& square, const AdamW& a) {
    const at::NoGradGuard no_grad;
#ifdef TAPESTRY_DNNL_BLAS
    if (plain(p) && plain(g) && plain(mean) && plain(square)) {
        at::parallel_for(0, p.numel(), chunk, [&](int64_t begin, int64_t end) {
            adamw_range(p.data_ptr<float>() + begin, g.data_ptr<float>() + begin, mean.data_ptr<float>() + begin,
                        square.data_ptr<float>() + begin, end - begin, static_cast<float>(a.gradient_scale), static_cast<float>(a.beta1),
                        static_cast<float>(a.beta2), static_cast<float>(a.eps), static_cast<float>(1.0 - a.rate * a.decay),
                        static_cast<float>(a.rate / a.bias1()), static_cast<float>(std::sqrt(a.bias2())));
        });
        p.unsafeGetTensorImpl()->bump_version();
        return;
    }
#endif
    composed_adamw(p, g, mean, square, a);
}

double gradient_norm(const Tensor& gradient) {
    const at::NoGradGuard no_grad;
#ifdef TAPESTRY_DNNL_BLAS
    if (plain(gradient)) {
        const int64_t n = gradient.numel();
        std::vector<double> sums(static_cast<size_t>((n + chunk - 1) / chunk));
        at::parallel_for(0, static_cast<int64_t>(sums.size()), 1, [&](int64_t first, int64_t last) {
            for (int64_t i = first; i < last; i++) {
                sums[static_cast<size_t>(i)] = square_sum(gradient.data_ptr<float>() + i * chunk, std::min(chunk, n - i * chunk));
            }
        });
        return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
    }
#endif
    return at::norm(gradient.to(at::kFloat)).item().toDouble();
}

}  // namespace
}  // namespace tapestry

int32_t tap_gradient_norm(tap_tensor gradient, double* out) { TAP_GUARD(*out = tapestry::gradient_norm(get(gradient))) }

int32_t tap_adamw(tap_tensor parameter, tap_tensor gradient, tap_tensor mean, tap_tensor square, int64_t start, int64_t count, double rate,
                  double beta1, double beta2, double eps, double decay, int64_t step, double gradient_scale) {
    TAP_GUARD({
        const auto range = [&](tap_tensor whole) { return get(whole).detach().view(-1).narrow(0, start, count); };
        tapestry::adamw(range(parameter), range(gradient), range(mean), range(square),
                        tapestry::AdamW{rate, beta1, beta2, eps, decay, step, gradient_scale});
    })
}
