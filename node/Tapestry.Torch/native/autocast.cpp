// Gradient mode and automatic mixed precision: both belong to the calling thread.
#include <ATen/autocast_mode.h>

#include "autocast.hpp"
#include "shim.hpp"

namespace tapestry {
namespace {

#if TAP_TORCH >= 204
at::DeviceType kind(bool cuda) { return cuda ? at::kCUDA : at::kCPU; }
bool enabled(bool cuda) { return at::autocast::is_autocast_enabled(kind(cuda)); }
at::ScalarType dtype(bool cuda) { return at::autocast::get_autocast_dtype(kind(cuda)); }
void enable(bool cuda, bool value) { at::autocast::set_autocast_enabled(kind(cuda), value); }
void set_dtype(bool cuda, at::ScalarType value) { at::autocast::set_autocast_dtype(kind(cuda), value); }
#else
bool enabled(bool cuda) { return cuda ? at::autocast::is_enabled() : at::autocast::is_cpu_enabled(); }
at::ScalarType dtype(bool cuda) { return cuda ? at::autocast::get_autocast_gpu_dtype() : at::autocast::get_autocast_cpu_dtype(); }
void enable(bool cuda, bool value) { cuda ? at::autocast::set_enabled(value) : at::autocast::set_cpu_enabled(value); }
void set_dtype(bool cuda, at::ScalarType value) {
    cuda ? at::autocast::set_autocast_gpu_dtype(value) : at::autocast::set_autocast_cpu_dtype(value);
}
#endif

}  // namespace

at::ScalarType autocast_dtype(const at::Tensor& tensor) {
    const bool cuda = tensor.is_cuda();
    return tensor.is_floating_point() && enabled(cuda) ? dtype(cuda) : tensor.scalar_type();
}

}  // namespace tapestry

int32_t tap_set_grad_enabled(int32_t enabled, int32_t* previous) {
    TAP_GUARD({
        *previous = at::GradMode::is_enabled() ? 1 : 0;
        at::GradMode::set_enabled(enabled != 0);
    })
}

int32_t tap_grad_enabled(int32_t* out) { TAP_GUARD(*out = at::GradMode::is_enabled() ? 1 : 0) }

int32_t tap_autocast_enter(int32_t cuda, int32_t dtype, int32_t* previous_enabled, int32_t* previous_dtype) {
    TAP_GUARD({
        *previous_enabled = tapestry::enabled(cuda != 0) ? 1 : 0;
        *previous_dtype = static_cast<int32_t>(tapestry::dtype(cuda != 0));
        tapestry::set_dtype(cuda != 0, static_cast<at::ScalarType>(dtype));
        tapestry::enable(cuda != 0, true);
        at::autocast::increment_nesting();
    })
}

int32_t tap_autocast_leave(int32_t cuda, int32_t previous_enabled, int32_t previous_dtype) {
    TAP_GUARD({
        // The copies of weights that the outermost scope kept in low precision die with it.
        if (at::autocast::decrement_nesting() == 0) {
            at::autocast::clear_cache();
        }
        tapestry::enable(cuda != 0, previous_enabled != 0);
        tapestry::set_dtype(cuda != 0, static_cast<at::ScalarType>(previous_dtype));
    })
}
