// Which BLAS serves single-precision products, and the row-major product that our own kernels call.
#pragma once

#include <atomic>
#include <cstdint>

namespace tapestry {

// Calls of sgemm_ that went through the shim: proof that libtorch found ours and not the system's.
extern std::atomic<int64_t> blas_calls;

const char* blas_name() noexcept;

// The instruction set that it uses, as a short text.
const char* blas_isa() noexcept;

#ifdef TAPESTRY_DNNL_BLAS
// C = alpha * op(A) * op(B) + beta * C, all row-major; transpose is 'N' or 'T'. Serial inside a parallel region.
void product(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
             const float* b, int64_t ldb, float beta, float* c, int64_t ldc) noexcept;
#endif

}  // namespace tapestry
