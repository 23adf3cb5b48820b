// What every file of the shim shares: handles, the exception barrier, and scalar conversion.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <atomic>
#include <new>
#include <string>

#include "tapestry_torch.h"

// 1.13 is 113, 2.4 is 204.
#define TAP_TORCH (TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR)

namespace tapestry {

// Called inside a catch block: keeps the text of the exception in flight, returns its status.
int32_t failed() noexcept;

// Live handles and the bytes that they address, views included; only ever read for the leak report.
extern std::atomic<int64_t> live_tensors;
extern std::atomic<int64_t> live_bytes;

inline const at::Tensor& get(tap_tensor handle) {
    TORCH_CHECK(handle != nullptr, "a tensor argument is null");
    return *reinterpret_cast<at::Tensor*>(handle);
}

// A null handle is an undefined tensor, which is how libtorch spells "none".
inline at::Tensor get_or_none(tap_tensor handle) {
    return handle == nullptr ? at::Tensor() : *reinterpret_cast<at::Tensor*>(handle);
}

inline void give(at::Tensor tensor, tap_tensor* out) {
    const int64_t bytes = tensor.numel() * static_cast<int64_t>(tensor.element_size());
    *out = reinterpret_cast<tap_tensor>(new at::Tensor(std::move(tensor)));
    live_tensors.fetch_add(1, std::memory_order_relaxed);
    live_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

inline at::Scalar scalar(tap_scalar value) {
    return value.is_integer != 0 ? at::Scalar(value.integer) : at::Scalar(value.real);
}

inline at::Device device(int32_t index) {
    return index < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

inline at::TensorOptions options(int32_t dtype, int32_t index) {
    return at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(device(index));
}

inline at::IntArrayRef list(const int64_t* values, int32_t count) {
    return at::IntArrayRef(values, static_cast<size_t>(count));
}

}  // namespace tapestry

// The barrier: runs the statements, turns every exception into a status.
#define TAP_GUARD(...)                  \
    try {                               \
        __VA_ARGS__;                    \
        return TAP_OK;                  \
    } catch (...) {                     \
        return tapestry::failed();      \
    }
#define TAP_GIVE(expression) TAP_GUARD(tapestry::give((expression), out))
