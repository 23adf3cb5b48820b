// Operators that are libtorch's own: one line each.
#include "shim.hpp"

using at::Tensor;
using tapestry::get;
using tapestry::list;
using tapestry::scalar;

#define TAP_UNARY(name) \
    int32_t tap_##name(tap_tensor x, tap_tensor* out) { TAP_GIVE(at::name(get(x))) }
#define TAP_BINARY(name) \
    int32_t tap_##name(tap_tensor x, tap_tensor y, tap_tensor* out) { TAP_GIVE(at::name(get(x), get(y))) }
#define TAP_WITH_SCALAR(name, function) \
    int32_t tap_##name(tap_tensor x, tap_scalar y, tap_tensor* out) { TAP_GIVE(at::function(get(x), scalar(y))) }

TAP_UNARY(neg)
TAP_UNARY(abs)
TAP_UNARY(exp)
TAP_UNARY(log)
TAP_UNARY(sqrt)
TAP_UNARY(rsqrt)
TAP_UNARY(reciprocal)
TAP_UNARY(sin)
TAP_UNARY(cos)
TAP_UNARY(tanh)
TAP_UNARY(sigmoid)
TAP_UNARY(relu)
TAP_UNARY(silu)
TAP_UNARY(gelu)
TAP_UNARY(logical_not)
TAP_UNARY(isfinite)
TAP_UNARY(all)
TAP_UNARY(any)

TAP_BINARY(add)
TAP_BINARY(sub)
TAP_BINARY(mul)
TAP_BINARY(div)
TAP_BINARY(maximum)
TAP_BINARY(minimum)
TAP_BINARY(matmul)
TAP_BINARY(bmm)

TAP_WITH_SCALAR(add_scalar, add)
TAP_WITH_SCALAR(sub_scalar, sub)
TAP_WITH_SCALAR(mul_scalar, mul)
TAP_WITH_SCALAR(div_scalar, div)
TAP_WITH_SCALAR(rsub_scalar, rsub)
TAP_WITH_SCALAR(pow_scalar, pow)

namespace {
template <typename Right>
Tensor compare(int32_t comparison, const Tensor& x, const Right& y) {
    switch (comparison) {
        case TAP_EQ: return at::eq(x, y);
        case TAP_NE: return at::ne(x, y);
        case TAP_LT: return at::lt(x, y);
        case TAP_LE: return at::le(x, y);
        case TAP_GT: return at::gt(x, y);
        case TAP_GE: return at::ge(x, y);
        default: TORCH_CHECK(false, "unknown comparison ", comparison);
    }
}
}  // namespace

int32_t tap_compare(int32_t comparison, tap_tensor x, tap_tensor y, tap_tensor* out) {
    TAP_GIVE(compare(comparison, get(x), get(y)))
}

int32_t tap_compare_scalar(int32_t comparison, tap_tensor x, tap_scalar y, tap_tensor* out) {
    TAP_GIVE(compare(comparison, get(x), scalar(y)))
}

int32_t tap_clamp(tap_tensor x, tap_scalar low, tap_scalar high, tap_tensor* out) {
    TAP_GIVE(at::clamp(get(x), scalar(low), scalar(high)))
}

int32_t tap_where(tap_tensor condition, tap_tensor x, tap_tensor y, tap_tensor* out) {
    TAP_GIVE(at::where(get(condition), get(x), get(y)))
}

int32_t tap_masked_fill(tap_tensor x, tap_tensor mask, tap_scalar value, tap_tensor* out) {
    TAP_GIVE(at::masked_fill(get(x), get(mask), scalar(value)))
}

int32_t tap_add_(tap_tensor x, tap_tensor y, tap_scalar alpha) { TAP_GUARD(get(x).add_(get(y), scalar(alpha))) }
int32_t tap_mul_(tap_tensor x, tap_tensor y) { TAP_GUARD(get(x).mul_(get(y))) }
int32_t tap_div_(tap_tensor x, tap_tensor y) { TAP_GUARD(get(x).div_(get(y))) }
int32_t tap_add_scalar_(tap_tensor x, tap_scalar y) { TAP_GUARD(get(x).add_(scalar(y))) }
int32_t tap_mul_scalar_(tap_tensor x, tap_scalar y) { TAP_GUARD(get(x).mul_(scalar(y))) }
int32_t tap_copy_(tap_tensor x, tap_tensor source, int32_t non_blocking) { TAP_GUARD(get(x).copy_(get(source), non_blocking != 0)) }
int32_t tap_fill_(tap_tensor x, tap_scalar value) { TAP_GUARD(get(x).fill_(scalar(value))) }
int32_t tap_zero_(tap_tensor x) { TAP_GUARD(get(x).zero_()) }
int32_t tap_normal_(tap_tensor x, double mean, double deviation) { TAP_GUARD(get(x).normal_(mean, deviation)) }
int32_t tap_uniform_(tap_tensor x, double low, double high) { TAP_GUARD(get(x).uniform_(low, high)) }

int32_t tap_sum(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out) {
    TAP_GIVE(count == 0 ? at::sum(get(x)) : at::sum(get(x), list(dims, count), keep != 0))
}

int32_t tap_mean(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out) {
    TAP_GIVE(count == 0 ? at::mean(get(x)) : at::mean(get(x), list(dims, count), keep != 0))
}

int32_t tap_amax(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out) {
    TAP_GIVE(at::amax(get(x), list(dims, count), keep != 0))
}

int32_t tap_amin(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out) {
    TAP_GIVE(at::amin(get(x), list(dims, count), keep != 0))
}

int32_t tap_norm(tap_tensor x, double p, tap_tensor* out) { TAP_GIVE(at::norm(get(x), p)) }
int32_t tap_argmax(tap_tensor x, int64_t dim, int32_t keep, tap_tensor* out) { TAP_GIVE(at::argmax(get(x), dim, keep != 0)) }
int32_t tap_cumsum(tap_tensor x, int64_t dim, tap_tensor* out) { TAP_GIVE(at::cumsum(get(x), dim)) }

int32_t tap_topk(tap_tensor x, int64_t k, int64_t dim, tap_tensor* values, tap_tensor* indices) {
    TAP_GUARD({
        std::tuple<Tensor, Tensor> top = at::topk(get(x), k, dim);
        tapestry::give(std::get<0>(top), values);
        tapestry::give(std::get<1>(top), indices);
    })
}

int32_t tap_view(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor* out) { TAP_GIVE(get(x).view(list(shape, rank))) }
int32_t tap_reshape(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor* out) { TAP_GIVE(get(x).reshape(list(shape, rank))) }
int32_t tap_expand(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor* out) { TAP_GIVE(get(x).expand(list(shape, rank))) }
int32_t tap_permute(tap_tensor x, const int64_t* dims, int32_t count, tap_tensor* out) { TAP_GIVE(get(x).permute(list(dims, count))) }
int32_t tap_transpose(tap_tensor x, int64_t dim0, int64_t dim1, tap_tensor* out) { TAP_GIVE(get(x).transpose(dim0, dim1)) }
int32_t tap_contiguous(tap_tensor x, tap_tensor* out) { TAP_GIVE(get(x).contiguous()) }
int32_t tap_narrow(tap_tensor x, int64_t dim, int64_t start, int64_t length, tap_tensor* out) { TAP_GIVE(get(x).narrow(dim, start, length)) }

int32_t tap_slice(tap_tensor x, int64_t dim, int64_t start, int64_t finish, int64_t step, tap_tensor* out) {
    TAP_GIVE(get(x).slice(dim, start, finish, step))
}

int32_t tap_select(tap_tensor x, int64_t dim, int64_t index, tap_tensor* out) { TAP_GIVE(get(x).select(dim, index)) }
int32_t tap_unsqueeze(tap_tensor x, int64_t dim, tap_tensor* out) { TAP_GIVE(get(x).unsqueeze(dim)) }
int32_t tap_squeeze(tap_tensor x, int64_t dim, tap_tensor* out) { TAP_GIVE(get(x).squeeze(dim)) }

int32_t tap_repeat_interleave(tap_tensor x, int64_t repeats, int64_t dim, tap_tensor* out) {
    TAP_GIVE(at::repeat_interleave(get(x), repeats, dim))
}

namespace {
std::vector<Tensor> gathered(const tap_tensor* tensors, int32_t count) {
    std::vector<Tensor> all;
    all.reserve(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; i++) {
        all.push_back(get(tensors[i]));
    }
    return all;
}
}  // namespace

int32_t tap_cat(const tap_tensor* tensors, int32_t count, int64_t dim, tap_tensor* out) { TAP_GIVE(at::cat(gathered(tensors, count), dim)) }
int32_t tap_stack(const tap_tensor* tensors, int32_t count, int64_t dim, tap_tensor* out) { TAP_GIVE(at::stack(gathered(tensors, count), dim)) }
int32_t tap_gather(tap_tensor x, int64_t dim, tap_tensor index, tap_tensor* out) { TAP_GIVE(at::gather(get(x), dim, get(index))) }
int32_t tap_index_select(tap_tensor x, int64_t dim, tap_tensor index, tap_tensor* out) { TAP_GIVE(at::index_select(get(x), dim, get(index))) }
int32_t tap_tril(tap_tensor x, int64_t diagonal, tap_tensor* out) { TAP_GIVE(at::tril(get(x), diagonal)) }
int32_t tap_triu(tap_tensor x, int64_t diagonal, tap_tensor* out) { TAP_GIVE(at::triu(get(x), diagonal)) }
