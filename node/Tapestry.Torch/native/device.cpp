// Version, threads, devices, random numbers, and what start-up reports about them.
#include <ATen/Version.h>
#include <torch/cuda.h>

#include <chrono>
#include <limits>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "blas.hpp"
#include "shim.hpp"

#ifndef TAPESTRY_SHIM_HASH
#define TAPESTRY_SHIM_HASH "unknown"
#endif


int32_t tap_abi_version(void) { return TAP_ABI_VERSION; }
const char* tap_torch_version(void) { return TORCH_VERSION; }
const char* tap_shim_hash(void) { return TAPESTRY_SHIM_HASH; }

// The instruction set of libtorch's own kernels; 1.13 tells it only inside its configuration text.
const char* tap_cpu_capability(void) {
    static const std::string text = [] {
        try {
            const std::string key = "CPU capability usage: ";
            const std::string config = at::show_config();
            const size_t start = config.find(key);
            return start == std::string::npos
                ? std::string("unknown")
                : config.substr(start + key.size(), config.find_first_of("\r\n", start) - start - key.size());
        } catch (...) {
            return std::string("unknown");
        }
    }();
    return text.c_str();
}

const char* tap_blas_name(void) { return tapestry::blas_name(); }
const char* tap_blas_isa(void) { return tapestry::blas_isa(); }
int64_t tap_blas_calls(void) { return tapestry::blas_calls.load(std::memory_order_relaxed); }

// Whether bf16 products have instructions: 2 AMX, 1 AVX-512 BF16, 0 neither (then bf16 is slower than FP32).
int32_t tap_cpu_bf16(void) {
#if defined(__x86_64__)
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1U << 22)) != 0) {
        return 2;
    }
    if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 5)) != 0) {
        return 1;
    }
#endif
    return 0;
}

// A library built with -ffast-math turns subnormals off for the whole process when it is loaded.
int32_t tap_subnormals_kept(void) {
    volatile float tiny = std::numeric_limits<float>::min();
    return tiny / 2.0F > 0.0F ? 1 : 0;
}

int32_t tap_set_num_threads(int32_t count) { TAP_GUARD(at::set_num_threads(count)) }
int32_t tap_get_num_threads(int32_t* out) { TAP_GUARD(*out = at::get_num_threads()) }
int32_t tap_manual_seed(int64_t seed) { TAP_GUARD(at::manual_seed(static_cast<uint64_t>(seed))) }

int32_t tap_cuda_device_count(int32_t* out) {
    TAP_GUARD(*out = torch::cuda::is_available() ? static_cast<int32_t>(torch::cuda::device_count()) : 0)
}

int32_t tap_cuda_synchronize(int32_t index) { TAP_GUARD(torch::cuda::synchronize(index)) }

int32_t tap_matmul_gflops(int64_t edge, int32_t repeats, int32_t dtype, int32_t device, double* out) {
    TAP_GUARD({
        const at::NoGradGuard no_grad;
        const at::Tensor x = at::ones({edge, edge}, tapestry::options(dtype, device));
        at::Tensor product = at::mm(x, x);
        double best = 0;
        for (int32_t i = 0; i < repeats; i++) {
            if (device >= 0) {
                torch::cuda::synchronize(device);
            }
            const auto start = std::chrono::steady_clock::now();
            at::mm_out(product, x, x);
            if (device >= 0) {
                torch::cuda::synchronize(device);
            }
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
            const double operations = 2.0 * static_cast<double>(edge) * static_cast<double>(edge) * static_cast<double>(edge);
            best = std::max(best, operations / took.count() / 1e9);
        }
        *out = best;
    })
}

int32_t tap_live(int64_t* tensors, int64_t* bytes) {
    TAP_GUARD({
        *tensors = tapestry::live_tensors.load(std::memory_order_relaxed);
        *bytes = tapestry::live_bytes.load(std::memory_order_relaxed);
    })
}
