// The BLAS forwarder, for Debian's libtorch only.
//
// Debian builds libtorch for whatever libblas.so.3 is, by default the reference BLAS: 7 GFLOP/s where oneDNN, which is
// already a dependency of libtorch, gives 430 on the same two cores. The dynamic linker searches a dlopened library
// before that library's dependencies, so the sgemm_ exported here is the one that libtorch_cpu binds to, provided that
// this library is what brings libtorch into the process. tap_blas_calls proves it at start-up. The prototypes
// are written out, so that oneDNN's headers are not needed.
#include "blas.hpp"

#include <string>

#ifdef TAPESTRY_DNNL_BLAS
extern "C" int dnnl_sgemm(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a,
                          int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc);
extern "C" int dnnl_get_effective_cpu_isa(void);
#endif

namespace tapestry {

std::atomic<int64_t> blas_calls{0};

const char* blas_name() noexcept {
#ifdef TAPESTRY_DNNL_BLAS
    return "oneDNN through the shim";
#else
    return "libtorch's own";
#endif
}

const char* blas_isa() noexcept {
#ifdef TAPESTRY_DNNL_BLAS
    static const std::string text = "dnnl-" + std::to_string(dnnl_get_effective_cpu_isa());
    return text.c_str();
#else
    return "blas";
#endif
}

}  // namespace tapestry

#ifdef TAPESTRY_DNNL_BLAS

void tapestry::product(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a,
                       int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc) noexcept {
    dnnl_sgemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

// BLAS is column-major and oneDNN row-major: the same bytes are the transposes, so the operands change places.
extern "C" __attribute__((visibility("default"))) void sgemm_(const char* transpose_a, const char* transpose_b, const int* m,
                                                              const int* n, const int* k, const float* alpha, const float* a,
                                                              const int* lda, const float* b, const int* ldb, const float* beta,
                                                              float* c, const int* ldc) {
    tapestry::blas_calls.fetch_add(1, std::memory_order_relaxed);
    const auto plain = [](char flag) { return flag == 'n' || flag == 'N' ? 'N' : 'T'; };
    dnnl_sgemm(plain(*transpose_b), plain(*transpose_a), *n, *m, *k, *alpha, b, *ldb, a, *lda, *beta, c, *ldc);
}
#endif
