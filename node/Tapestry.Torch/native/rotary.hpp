// Rows of one head, read from and written to strided memory, turned by their positions on the way if asked.
#pragma once

#include <ATen/ATen.h>

#include "kernels.hpp"

namespace tapestry {

// Angles of a rotary embedding, [time, half]; null tables mean no rotation.
struct Rotation {
    const float* cosine = nullptr;
    const float* sine = nullptr;
};

// Llama's pairing: (i, i + half). direction +1 turns forward, -1 back; every value is scaled too.
template <typename From, typename To>
TAP_INLINE void turn_rows(const From* from, int64_t from_stride, To* to, int64_t to_stride, int64_t rows, int64_t size, Rotation r,
                          float direction, float scale) {
    const int64_t half = size / 2;
    for (int64_t t = 0; t < rows; t++) {
        const From* x = from + t * from_stride;
        To* y = to + t * to_stride;
        if (r.cosine == nullptr) {
#pragma omp simd
            for (int64_t i = 0; i < size; i++) {
                store(load(x[i]) * scale, y + i);
            }
            continue;
        }
        const float* cosine = r.cosine + t * half;
        const float* sine = r.sine + t * half;
#pragma omp simd
        for (int64_t i = 0; i < half; i++) {
            const float c = cosine[i] * scale;
            const float s = sine[i] * scale * direction;
            const float left = load(x[i]);
            const float right = load(x[i + half]);
            store(left * c - right * s, y + i);
            store(right * c + left * s, y + i + half);
        }
    }
}

TAP_CLONES inline void rows_turn(const float* from, int64_t from_stride, float* to, int64_t to_stride, int64_t rows, int64_t size, Rotation r,
                                 float direction, float scale) {
    turn_rows(from, from_stride, to, to_stride, rows, size, r, direction, scale);
}

TAP_CLONES inline void rows_turn(const bf16* from, int64_t from_stride, float* to, int64_t to_stride, int64_t rows, int64_t size, Rotation r,
                                 float direction, float scale) {
    turn_rows(from, from_stride, to, to_stride, rows, size, r, direction, scale);
}

TAP_CLONES inline void rows_turn(const float* from, int64_t from_stride, bf16* to, int64_t to_stride, int64_t rows, int64_t size, Rotation r,
                                 float direction, float scale) {
    turn_rows(from, from_stride, to, to_stride, rows, size, r, direction, scale);
}

TAP_CLONES inline void rows_turn(const bf16* from, int64_t from_stride, bf16* to, int64_t to_stride, int64_t rows, int64_t size, Rotation r,
                                 float direction, float scale) {
    turn_rows(from, from_stride, to, to_stride, rows, size, r, direction, scale);
}

// [batch, heads, time, size] laid out as [batch, time, heads, size], so that transpose(1, 2) is contiguous.
inline at::Tensor empty_heads(const at::Tensor& like) {
    return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)}, like.options()).transpose(1, 2);
}

inline at::Tensor dense_rows(const at::Tensor& x) { return x.stride(-1) == 1 ? x : x.contiguous(); }

// Composed of libtorch's operators: the reference, and what runs on a GPU.
inline at::Tensor composed_rope(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
    const int64_t half = x.size(-1) / 2;
    const at::Tensor left = x.narrow(-1, 0, half);
    const at::Tensor right = x.narrow(-1, half, half);
    return at::cat({left * cosine - right * sine, right * cosine + left * sine}, -1).to(x.scalar_type());
}

}  // namespace tapestry
