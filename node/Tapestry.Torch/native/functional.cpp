// Layers as functions, where libtorch's own are good enough.
#include "shim.hpp"

using tapestry::get;
using tapestry::get_or_none;
using tapestry::list;

namespace {
// A negative dtype means: the tensor's own.
at::ScalarType dtype_or(int32_t dtype, const at::Tensor& x) {
    return dtype < 0 ? x.scalar_type() : static_cast<at::ScalarType>(dtype);
}
}  // namespace

int32_t tap_linear(tap_tensor x, tap_tensor weight, tap_tensor bias, tap_tensor* out) {
    TAP_GIVE(at::linear(get(x), get(weight), get_or_none(bias)))
}

int32_t tap_embedding(tap_tensor weight, tap_tensor indices, tap_tensor* out) {
    TAP_GIVE(at::embedding(get(weight), get(indices)))
}

int32_t tap_softmax(tap_tensor x, int64_t dim, int32_t dtype, tap_tensor* out) {
    TAP_GIVE(at::softmax(get(x), dim, dtype_or(dtype, get(x))))
}

int32_t tap_log_softmax(tap_tensor x, int64_t dim, int32_t dtype, tap_tensor* out) {
    TAP_GIVE(at::log_softmax(get(x), dim, dtype_or(dtype, get(x))))
}

int32_t tap_cross_entropy(tap_tensor logits, tap_tensor target, tap_tensor weight, int64_t ignore_index, int32_t reduction,
                          double label_smoothing, tap_tensor* out) {
    TAP_GIVE(at::cross_entropy_loss(get(logits), get(target), get_or_none(weight), reduction, ignore_index, label_smoothing))
}

int32_t tap_dropout(tap_tensor x, double p, int32_t training, tap_tensor* out) {
    TAP_GIVE(at::dropout(get(x), p, training != 0))
}

int32_t tap_layer_norm(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor weight, tap_tensor bias, double eps,
                       tap_tensor* out) {
    TAP_GIVE(at::layer_norm(get(x), list(shape, rank), get_or_none(weight), get_or_none(bias), eps))
}
