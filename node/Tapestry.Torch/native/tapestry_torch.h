/* The C ABI between Tapestry.Torch (C#) and libtorch.

   Every function that can fail returns a status: 0, or one of the tap_status values, and then
   tap_last_error() holds the text until the calling thread's next failure. Nothing is thrown across this
   boundary and nothing calls back. Tensors are opaque handles, handed out through the last parameter and owned
   by the caller, who gives each to tap_tensor_free exactly once. Scalars travel by value: no native object.
   Element types (dtype) carry libtorch's own numbers; a device is -1 for the CPU, else a CUDA index.

   The C# declarations are in Native/Shim.*.cs, in the same order and under the same names. */
#ifndef TAPESTRY_TORCH_H
#define TAPESTRY_TORCH_H

#include <stdint.h>

#define TAP_API __attribute__((visibility("default")))

/* Raised with every change of this file; the binding refuses another number. */
#define TAP_ABI_VERSION 1

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tap_tensor_s* tap_tensor;

/* A number as PyTorch sees it: an integer keeps integer tensors integer. */
typedef struct {
    double real;
    int64_t integer;
    int32_t is_integer;
} tap_scalar;

enum tap_status {
    TAP_OK = 0,
    TAP_TORCH_ERROR = 1,  /* libtorch refused: shapes, dtypes, devices */
    TAP_OUT_OF_MEMORY = 2,
    TAP_OTHER_ERROR = 3   /* any other exception */
};

enum tap_comparison { TAP_EQ = 0, TAP_NE = 1, TAP_LT = 2, TAP_LE = 3, TAP_GT = 4, TAP_GE = 5 };

/* ---- error.cpp: what went wrong, and proof that every kind of exception stops here ---- */
TAP_API const char* tap_last_error(void);
TAP_API int32_t tap_throw(int32_t kind);

/* ---- device.cpp: version, threads, devices, random numbers ---- */
TAP_API int32_t tap_abi_version(void);
TAP_API const char* tap_torch_version(void);
TAP_API const char* tap_shim_hash(void);
TAP_API const char* tap_cpu_capability(void);
TAP_API const char* tap_blas_name(void);
TAP_API const char* tap_blas_isa(void);
TAP_API int64_t tap_blas_calls(void);
TAP_API int32_t tap_cpu_bf16(void);
TAP_API int32_t tap_subnormals_kept(void);
TAP_API int32_t tap_set_num_threads(int32_t count);
TAP_API int32_t tap_get_num_threads(int32_t* out);
TAP_API int32_t tap_manual_seed(int64_t seed);
TAP_API int32_t tap_cuda_device_count(int32_t* out);
TAP_API int32_t tap_cuda_synchronize(int32_t index);
TAP_API int32_t tap_matmul_gflops(int64_t edge, int32_t repeats, int32_t dtype, int32_t device, double* out);
TAP_API int32_t tap_live(int64_t* tensors, int64_t* bytes);

/* ---- autocast.cpp: gradient mode and automatic mixed precision, both per thread ---- */
TAP_API int32_t tap_set_grad_enabled(int32_t enabled, int32_t* previous);
TAP_API int32_t tap_grad_enabled(int32_t* out);
TAP_API int32_t tap_autocast_enter(int32_t cuda, int32_t dtype, int32_t* previous_enabled, int32_t* previous_dtype);
TAP_API int32_t tap_autocast_leave(int32_t cuda, int32_t previous_enabled, int32_t previous_dtype);

/* ---- tensor.cpp: creation, properties, data, gradients ---- */
TAP_API int32_t tap_empty(const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out);
TAP_API int32_t tap_empty_pinned(const int64_t* shape, int32_t rank, int32_t dtype, tap_tensor* out);
TAP_API int32_t tap_full(const int64_t* shape, int32_t rank, tap_scalar value, int32_t dtype, int32_t device, tap_tensor* out);
TAP_API int32_t tap_arange(tap_scalar start, tap_scalar stop, tap_scalar step, int32_t dtype, int32_t device, tap_tensor* out);
TAP_API int32_t tap_randn(const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out);
TAP_API int32_t tap_rand(const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out);
TAP_API int32_t tap_from_data(const void* data, const int64_t* shape, int32_t rank, int32_t dtype, int32_t device, tap_tensor* out);
TAP_API void tap_tensor_free(tap_tensor tensor);

TAP_API int32_t tap_rank(tap_tensor tensor, int32_t* out);
TAP_API int32_t tap_shape(tap_tensor tensor, int64_t* sizes, int32_t capacity);
TAP_API int32_t tap_strides(tap_tensor tensor, int64_t* strides, int32_t capacity);
TAP_API int32_t tap_numel(tap_tensor tensor, int64_t* out);
TAP_API int32_t tap_element_size(tap_tensor tensor, int64_t* out);
TAP_API int32_t tap_dtype(tap_tensor tensor, int32_t* out);
TAP_API int32_t tap_device(tap_tensor tensor, int32_t* out);
TAP_API int32_t tap_is_contiguous(tap_tensor tensor, int32_t* out);
TAP_API int32_t tap_data(tap_tensor tensor, void** out);
TAP_API int32_t tap_item(tap_tensor tensor, tap_scalar* out);
TAP_API int32_t tap_version(tap_tensor tensor, int64_t* out);
TAP_API int32_t tap_bump_version(tap_tensor tensor);

TAP_API int32_t tap_requires_grad(tap_tensor tensor, int32_t* out);
TAP_API int32_t tap_set_requires_grad(tap_tensor tensor, int32_t value);
TAP_API int32_t tap_is_leaf(tap_tensor tensor, int32_t* out);
TAP_API int32_t tap_grad(tap_tensor tensor, tap_tensor* out); /* null where there is none */
TAP_API int32_t tap_set_grad(tap_tensor tensor, tap_tensor gradient);
TAP_API int32_t tap_set_data(tap_tensor tensor, tap_tensor data);
TAP_API int32_t tap_backward(tap_tensor tensor, tap_tensor gradient);
TAP_API int32_t tap_detach(tap_tensor tensor, tap_tensor* out);
TAP_API int32_t tap_alias(tap_tensor tensor, tap_tensor* out);
TAP_API int32_t tap_clone(tap_tensor tensor, tap_tensor* out);
TAP_API int32_t tap_to(tap_tensor tensor, int32_t dtype, int32_t device, int32_t copy, tap_tensor* out);

/* ---- operators.cpp: element by element ---- */
TAP_API int32_t tap_neg(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_abs(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_exp(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_log(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_sqrt(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_rsqrt(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_reciprocal(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_sin(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_cos(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_tanh(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_sigmoid(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_relu(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_silu(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_gelu(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_logical_not(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_isfinite(tap_tensor x, tap_tensor* out);

TAP_API int32_t tap_add(tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_sub(tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_mul(tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_div(tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_maximum(tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_minimum(tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_compare(int32_t comparison, tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_add_scalar(tap_tensor x, tap_scalar y, tap_tensor* out);
TAP_API int32_t tap_sub_scalar(tap_tensor x, tap_scalar y, tap_tensor* out);
TAP_API int32_t tap_mul_scalar(tap_tensor x, tap_scalar y, tap_tensor* out);
TAP_API int32_t tap_div_scalar(tap_tensor x, tap_scalar y, tap_tensor* out);
TAP_API int32_t tap_rsub_scalar(tap_tensor x, tap_scalar y, tap_tensor* out); /* y - x */
TAP_API int32_t tap_pow_scalar(tap_tensor x, tap_scalar y, tap_tensor* out);
TAP_API int32_t tap_compare_scalar(int32_t comparison, tap_tensor x, tap_scalar y, tap_tensor* out);
TAP_API int32_t tap_clamp(tap_tensor x, tap_scalar low, tap_scalar high, tap_tensor* out);
TAP_API int32_t tap_where(tap_tensor condition, tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_masked_fill(tap_tensor x, tap_tensor mask, tap_scalar value, tap_tensor* out);

/* In place: x is changed; autograd follows, as in PyTorch. */
TAP_API int32_t tap_add_(tap_tensor x, tap_tensor y, tap_scalar alpha);
TAP_API int32_t tap_mul_(tap_tensor x, tap_tensor y);
TAP_API int32_t tap_div_(tap_tensor x, tap_tensor y);
TAP_API int32_t tap_add_scalar_(tap_tensor x, tap_scalar y);
TAP_API int32_t tap_mul_scalar_(tap_tensor x, tap_scalar y);
TAP_API int32_t tap_copy_(tap_tensor x, tap_tensor source, int32_t non_blocking);
TAP_API int32_t tap_fill_(tap_tensor x, tap_scalar value);
TAP_API int32_t tap_zero_(tap_tensor x);
TAP_API int32_t tap_normal_(tap_tensor x, double mean, double deviation);
TAP_API int32_t tap_uniform_(tap_tensor x, double low, double high);

/* ---- operators.cpp: reductions and products. An empty list of dimensions means all of them. ---- */
TAP_API int32_t tap_sum(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out);
TAP_API int32_t tap_mean(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out);
TAP_API int32_t tap_amax(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out);
TAP_API int32_t tap_amin(tap_tensor x, const int64_t* dims, int32_t count, int32_t keep, tap_tensor* out);
TAP_API int32_t tap_norm(tap_tensor x, double p, tap_tensor* out);
TAP_API int32_t tap_all(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_any(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_argmax(tap_tensor x, int64_t dim, int32_t keep, tap_tensor* out);
TAP_API int32_t tap_topk(tap_tensor x, int64_t k, int64_t dim, tap_tensor* values, tap_tensor* indices);
TAP_API int32_t tap_cumsum(tap_tensor x, int64_t dim, tap_tensor* out);
TAP_API int32_t tap_matmul(tap_tensor x, tap_tensor y, tap_tensor* out);
TAP_API int32_t tap_bmm(tap_tensor x, tap_tensor y, tap_tensor* out);

/* ---- operators.cpp: shapes ---- */
TAP_API int32_t tap_view(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor* out);
TAP_API int32_t tap_reshape(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor* out);
TAP_API int32_t tap_expand(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor* out);
TAP_API int32_t tap_permute(tap_tensor x, const int64_t* dims, int32_t count, tap_tensor* out);
TAP_API int32_t tap_transpose(tap_tensor x, int64_t dim0, int64_t dim1, tap_tensor* out);
TAP_API int32_t tap_contiguous(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_narrow(tap_tensor x, int64_t dim, int64_t start, int64_t length, tap_tensor* out);
TAP_API int32_t tap_slice(tap_tensor x, int64_t dim, int64_t start, int64_t finish, int64_t step, tap_tensor* out);
TAP_API int32_t tap_select(tap_tensor x, int64_t dim, int64_t index, tap_tensor* out);
TAP_API int32_t tap_unsqueeze(tap_tensor x, int64_t dim, tap_tensor* out);
TAP_API int32_t tap_squeeze(tap_tensor x, int64_t dim, tap_tensor* out);
TAP_API int32_t tap_repeat_interleave(tap_tensor x, int64_t repeats, int64_t dim, tap_tensor* out);
TAP_API int32_t tap_cat(const tap_tensor* tensors, int32_t count, int64_t dim, tap_tensor* out);
TAP_API int32_t tap_stack(const tap_tensor* tensors, int32_t count, int64_t dim, tap_tensor* out);
TAP_API int32_t tap_gather(tap_tensor x, int64_t dim, tap_tensor index, tap_tensor* out);
TAP_API int32_t tap_index_select(tap_tensor x, int64_t dim, tap_tensor index, tap_tensor* out);
TAP_API int32_t tap_tril(tap_tensor x, int64_t diagonal, tap_tensor* out);
TAP_API int32_t tap_triu(tap_tensor x, int64_t diagonal, tap_tensor* out);

/* ---- functional.cpp: layers as functions. A null weight, bias or mask means none. ---- */
TAP_API int32_t tap_linear(tap_tensor x, tap_tensor weight, tap_tensor bias, tap_tensor* out);
TAP_API int32_t tap_embedding(tap_tensor weight, tap_tensor indices, tap_tensor* out);
TAP_API int32_t tap_softmax(tap_tensor x, int64_t dim, int32_t dtype, tap_tensor* out);
TAP_API int32_t tap_log_softmax(tap_tensor x, int64_t dim, int32_t dtype, tap_tensor* out);
TAP_API int32_t tap_cross_entropy(tap_tensor logits, tap_tensor target, tap_tensor weight, int64_t ignore_index,
                                  int32_t reduction, double label_smoothing, tap_tensor* out);
TAP_API int32_t tap_dropout(tap_tensor x, double p, int32_t training, tap_tensor* out);
TAP_API int32_t tap_layer_norm(tap_tensor x, const int64_t* shape, int32_t rank, tap_tensor weight, tap_tensor bias,
                               double eps, tap_tensor* out);

/* ---- fused_*.cpp: one pass over memory where libtorch 1.13 takes several ---- */
TAP_API int32_t tap_rms_norm(tap_tensor x, tap_tensor weight, double eps, tap_tensor* out);
TAP_API int32_t tap_rope(tap_tensor x, tap_tensor cosine, tap_tensor sine, tap_tensor* out);
TAP_API int32_t tap_swiglu(tap_tensor x, tap_tensor* out);
TAP_API int32_t tap_attention(tap_tensor query, tap_tensor key, tap_tensor value, tap_tensor mask, double p,
                              int32_t causal, double scale, tap_tensor* out); /* scale 0: 1/sqrt(head size) */

/* Causal self-attention over [batch, time, (heads + 2 key_heads) * size], rotary positions included: [batch, time, heads * size]. */
TAP_API int32_t tap_rotary_attention(tap_tensor projection, tap_tensor cosine, tap_tensor sine, int64_t heads, int64_t key_heads,
                                     tap_tensor* out);

/* ---- optimiser.cpp: one pass over flat buffers ---- */
TAP_API int32_t tap_gradient_norm(tap_tensor gradient, double* out);
TAP_API int32_t tap_adamw(tap_tensor parameter, tap_tensor gradient, tap_tensor mean, tap_tensor square, int64_t start,
                          int64_t count, double rate, double beta1, double beta2, double eps, double decay,
                          int64_t step, double gradient_scale);

#ifdef __cplusplus
}
#endif
#endif
