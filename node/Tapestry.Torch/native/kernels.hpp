// What our own CPU kernels share. They exist in the Debian build only (TAPESTRY_DNNL_BLAS): there OpenMP is libtorch's
// own, while beside a wheel it would be a second pool of threads that fights the first. Elsewhere the operators are
// libtorch's.
//
// A kernel works on one range of rows, is called from at::parallel_for, and sums in an order that depends on the shape
// only, so the number of threads never changes a bit of the result.
#pragma once

#include <cstdint>
#include <cstring>

namespace tapestry {

// Compiled once for each generation of processors; the loader picks. Results may differ in the last bit between them.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define TAP_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TAP_CLONES
#endif
#define TAP_INLINE static inline __attribute__((always_inline))

// bfloat16 is the upper half of a float; rounding is to nearest even, as in libtorch. NaN stays NaN.
struct bf16 {
    uint16_t bits;
};

TAP_INLINE float load(float value) { return value; }

TAP_INLINE float load(bf16 value) {
    const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
    float wide;
    std::memcpy(&wide, &bits, sizeof wide);
    return wide;
}

TAP_INLINE void store(float value, float* to) { *to = value; }

TAP_INLINE void store(float value, bf16* to) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    to->bits = static_cast<uint16_t>(value != value ? 0x7FC0U : rounded);
}

// e to the power x to within 2 units in the last place, in a form that the compiler turns into vectors: the C library's
// would be a call. Below -87 it gives the smallest normal number instead of zero.
TAP_INLINE float exponential(float x) {
    const float low = -87.0F;
    const float high = 88.0F;
    x = x < low ? low : x;
    x = x > high ? high : x;
    const float to_integer = 12582912.0F;  // 1.5 · 2^23: adding it rounds to the nearest integer.
    const float n = (x * 1.44269504F + to_integer) - to_integer;
    const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;  // ln 2 in two parts
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * r * r + r + 1.0F;
    const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

}  // namespace tapestry
