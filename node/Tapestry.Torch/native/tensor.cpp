// Tensors: creation, properties, data, gradients.
#include <torch/csrc/autograd/generated/variable_factories.h>

#include "shim.hpp"

using tapestry::get;
using tapestry::get_or_none;
using tapestry::list;
using tapestry::options;
using tapestry::scalar;

int32_t tap_empty(const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out) {
    TAP_GIVE(torch::empty(list(shape, rank), options(dtype, device)))
}

int32_t tap_empty_pinned(const int64_t* shape, int32_t rank, int32_t dtype, tap_tensor* out) {
    // Only a CUDA build can pin, and only a copy to the GPU gains from it.
    TAP_GIVE(torch::empty(list(shape, rank), options(dtype, -1).pinned_memory(at::hasCUDA())))
}

int32_t tap_full(const int64_t* shape, int32_t rank, tap_scalar value, int32_t dtype, int32_t device, tap_tensor* out) {
    TAP_GIVE(torch::full(list(shape, rank), scalar(value), options(dtype, device)))
}

int32_t tap_arange(tap_scalar start, tap_scalar stop, tap_scalar step, int32_t dtype, int32_t device, tap_tensor* out) {
    TAP_GIVE(torch::arange(scalar(start), scalar(stop), scalar(step), options(dtype, device)))
}

int32_t tap_randn(const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out) {
    TAP_GIVE(torch::randn(list(shape, rank), options(dtype, device)))
}

int32_t tap_rand(const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out) {
    TAP_GIVE(torch::rand(list(shape, rank), options(dtype, device)))
}

int32_t tap_from_data(const void* data, const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out) {
    // from_blob only borrows; the copy that follows is what the caller gets.
    TAP_GIVE(at::from_blob(const_cast<void*>(data), list(shape, rank), options(dtype, -1))
                 .to(tapestry::device(device), static_cast<at::ScalarType>(dtype), false, true))
}

void tap_tensor_free(tap_tensor tensor) {
    if (tensor == nullptr) {
        return;
    }
    at::Tensor* owned = reinterpret_cast<at::Tensor*>(tensor);
    tapestry::live_tensors.fetch_sub(1, std::memory_order_relaxed);
    tapestry::live_bytes.fetch_sub(owned->numel() * static_cast<int64_t>(owned->element_size()), std::memory_order_relaxed);
    delete owned;
}

int32_t tap_rank(tap_tensor tensor, int32_t* out) { TAP_GUARD(*out = static_cast<int32_t>(get(tensor).dim())) }

int32_t tap_shape(tap_tensor tensor, int64_t* sizes, int32_t capacity) {
    TAP_GUARD({
        const at::Tensor& t = get(tensor);
        TORCH_CHECK(t.dim() <= capacity, "room for ", capacity, " sizes, the tensor has ", t.dim());
        std::copy(t.sizes().begin(), t.sizes().end(), sizes);
    })
}

int32_t tap_strides(tap_tensor tensor, int64_t* strides, int32_t capacity) {
    TAP_GUARD({
        const at::Tensor& t = get(tensor);
        TORCH_CHECK(t.dim() <= capacity, "room for ", capacity, " strides, the tensor has ", t.dim());
        std::copy(t.strides().begin(), t.strides().end(), strides);
    })
}

int32_t tap_numel(tap_tensor tensor, int64_t* out) { TAP_GUARD(*out = get(tensor).numel()) }
int32_t tap_element_size(tap_tensor tensor, int64_t* out) { TAP_GUARD(*out = static_cast<int64_t>(get(tensor).element_size())) }
int32_t tap_dtype(tap_tensor tensor, int32_t* out) { TAP_GUARD(*out = static_cast<int32_t>(get(tensor).scalar_type())) }

int32_t tap_device(tap_tensor tensor, int32_t* out) {
    TAP_GUARD({
        const at::Device where = get(tensor).device();
        *out = where.is_cpu() ? -1 : where.index();
    })
}

int32_t tap_is_contiguous(tap_tensor tensor, int32_t* out) { TAP_GUARD(*out = get(tensor).is_contiguous() ? 1 : 0) }
int32_t tap_data(tap_tensor tensor, void** out) { TAP_GUARD(*out = get(tensor).data_ptr()) }

int32_t tap_item(tap_tensor tensor, tap_scalar* out) {
    TAP_GUARD({
        const at::Scalar value = get(tensor).item();
        out->is_integer = value.isFloatingPoint() ? 0 : 1;
        out->integer = value.isFloatingPoint() ? 0 : value.toLong();
        out->real = value.toDouble();
    })
}

int32_t tap_version(tap_tensor tensor, int64_t* out) { TAP_GUARD(*out = static_cast<int64_t>(get(tensor)._version())) }
int32_t tap_bump_version(tap_tensor tensor) { TAP_GUARD(get(tensor).unsafeGetTensorImpl()->bump_version()) }

int32_t tap_requires_grad(tap_tensor tensor, int32_t* out) { TAP_GUARD(*out = get(tensor).requires_grad() ? 1 : 0) }
int32_t tap_set_requires_grad(tap_tensor tensor, int32_t value) { TAP_GUARD(get(tensor).set_requires_grad(value != 0)) }
int32_t tap_is_leaf(tap_tensor tensor, int32_t* out) { TAP_GUARD(*out = get(tensor).is_leaf() ? 1 : 0) }

int32_t tap_grad(tap_tensor tensor, tap_tensor* out) {
    TAP_GUARD({
        const at::Tensor gradient = get(tensor).grad();
        *out = nullptr;
        if (gradient.defined()) {
            tapestry::give(gradient, out);
        }
    })
}

int32_t tap_set_grad(tap_tensor tensor, tap_tensor gradient) {
    TAP_GUARD(get(tensor).mutable_grad() = get_or_none(gradient))
}

int32_t tap_set_data(tap_tensor tensor, tap_tensor data) { TAP_GUARD(get(tensor).set_data(get(data))) }

int32_t tap_backward(tap_tensor tensor, tap_tensor gradient) {
    TAP_GUARD({
        const at::Tensor seed = get_or_none(gradient);
        get(tensor).backward(seed);
    })
}

int32_t tap_detach(tap_tensor tensor, tap_tensor* out) { TAP_GIVE(get(tensor).detach()) }
int32_t tap_alias(tap_tensor tensor, tap_tensor* out) { TAP_GIVE(get(tensor)) }
int32_t tap_clone(tap_tensor tensor, tap_tensor* out) { TAP_GIVE(get(tensor).clone()) }

int32_t tap_to(tap_tensor tensor, int32_t dtype, int32_t device, int32_t copy, tap_tensor* out) {
    TAP_GIVE(get(tensor).to(tapestry::device(device), static_cast<at::ScalarType>(dtype), false, copy != 0))
}
