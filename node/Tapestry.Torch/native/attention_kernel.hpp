// Causal attention, one head at a time, in blocks of query rows (in the manner of FlashAttention, arXiv:2205.14135).
//
// libtorch 1.13 has no fused attention on a CPU: composed, it writes every score to memory four times and computes the
// half that the mask then hides. Here a block of scores lives in cache, keys after the block are never touched, and
// backward computes the scores again from the saved logarithm of each row's sum. Scores and sums are FP32 whatever the
// inputs are. One task is one key head of one sequence, so sums have one order whatever the number of threads.
#pragma once

#ifdef TAPESTRY_DNNL_BLAS

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "blas.hpp"
#include "rotary.hpp"

namespace tapestry {

// Query rows whose scores are computed together: at 256 keys a block of 64 KiB, which stays in the second-level cache.
constexpr int64_t block_rows = 64;

// softmax of the first `valid` of `width` scores, zero after them; returns the logarithm of the sum of exponentials.
TAP_CLONES inline float softmax_row(float* row, int64_t valid, int64_t width) {
    float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
    for (int64_t j = 0; j < valid; j++) {
        largest = row[j] > largest ? row[j] : largest;
    }
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < valid; j++) {
        row[j] = exponential(row[j] - largest);
        sum += row[j];
    }
    const float scale = 1.0F / sum;
#pragma omp simd
    for (int64_t j = 0; j < valid; j++) {
        row[j] *= scale;
    }
    std::fill(row + valid, row + width, 0.0F);
    return largest + std::log(sum);
}

// From scores to probabilities, and from their gradients to the scores' gradients: p · (dp - delta).
TAP_CLONES inline void softmax_row_backward(float* p, float* dp, float log_sum, float delta, int64_t valid, int64_t width) {
#pragma omp simd
    for (int64_t j = 0; j < valid; j++) {
        p[j] = exponential(p[j] - log_sum);
        dp[j] = p[j] * (dp[j] - delta);
    }
    std::fill(p + valid, p + width, 0.0F);
    std::fill(dp + valid, dp + width, 0.0F);
}

TAP_CLONES inline float dot(const float* x, const float* y, int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

// Strided [batch, heads, time, size] tensors; the last dimension is dense.
template <typename T>
struct Heads {
    T* data;
    int64_t batch;
    int64_t head;
    int64_t time;

    explicit Heads(const at::Tensor& x) : data(static_cast<T*>(x.data_ptr())), batch(x.stride(0)), head(x.stride(1)), time(x.stride(2)) {}
    T* at(int64_t b, int64_t h) const { return data + b * batch + h * head; }
};

struct AttentionShape {
    int64_t batch;
    int64_t heads;
    int64_t key_heads;
    int64_t time;
    int64_t keys;
    int64_t size;
    float scale;
    Rotation rotation;

    int64_t valid(int64_t row) const { return row + 1 + keys - time; }
};

template <typename T>
class AttentionForward {
public:
    AttentionForward(const AttentionShape& shape, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& out, float* log_sums)
        : s_(shape), q_(q), k_(k), v_(v), out_(out), log_sums_(log_sums) {}

    void run() const {
        at::parallel_for(0, s_.batch * s_.key_heads, 1, [&](int64_t begin, int64_t end) {
            const size_t key_count = static_cast<size_t>(s_.keys * s_.size);
            std::vector<float> k(key_count);
            std::vector<float> v(key_count);
            std::vector<float> q(static_cast<size_t>(block_rows * s_.size));
            std::vector<float> p(static_cast<size_t>(block_rows * s_.keys));
            for (int64_t i = begin; i < end; i++) {
                const int64_t b = i / s_.key_heads;
                const int64_t g = i % s_.key_heads;
                rows_turn(k_.at(b, g), k_.time, k.data(), s_.size, s_.keys, s_.size, s_.rotation, 1.0F, 1.0F);
                rows_turn(v_.at(b, g), v_.time, v.data(), s_.size, s_.keys, s_.size, Rotation{}, 1.0F, 1.0F);
                const int64_t group = s_.heads / s_.key_heads;
                for (int64_t h = g * group; h < (g + 1) * group; h++) {
                    for (int64_t row = 0; row < s_.time; row += block_rows) {
                        block(b, h, row, std::min(block_rows, s_.time - row), k.data(), v.data(), q.data(), p.data());
                    }
                }
            }
        });
    }

private:
    void block(int64_t b, int64_t h, int64_t row, int64_t rows, const float* k, const float* v, float* q, float* p) const {
        const int64_t d = s_.size;
        const int64_t n = s_.valid(row + rows - 1);
        const Rotation turned = shifted(s_.rotation, row, d);
        rows_turn(q_.at(b, h) + row * q_.time, q_.time, q, d, rows, d, turned, 1.0F, s_.scale);
        product('N', 'T', rows, n, d, 1.0F, q, d, k, d, 0.0F, p, n);
        for (int64_t r = 0; r < rows; r++) {
            log_sums_[(b * s_.heads + h) * s_.time + row + r] = softmax_row(p + r * n, s_.valid(row + r), n);
        }
        product('N', 'N', rows, d, n, 1.0F, p, n, v, d, 0.0F, q, d);
        rows_turn(q, d, out_.at(b, h) + row * out_.time, out_.time, rows, d, Rotation{}, 1.0F, 1.0F);
    }

    static Rotation shifted(Rotation r, int64_t row, int64_t size) {
        return r.cosine == nullptr ? r : Rotation{r.cosine + row * size / 2, r.sine + row * size / 2};
    }

    const AttentionShape s_;
    const Heads<T> q_;
    const Heads<T> k_;
    const Heads<T> v_;
    const Heads<T> out_;
    float* const log_sums_;
};

template <typename T>
class AttentionBackward {
public:
    AttentionBackward(const AttentionShape& shape, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& out,
                      const at::Tensor& upstream, const float* log_sums, const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv)
        : s_(shape), q_(q), k_(k), v_(v), out_(out), up_(upstream), log_sums_(log_sums), dq_(dq), dk_(dk), dv_(dv) {}

    void run() const {
        at::parallel_for(0, s_.batch * s_.key_heads, 1, [&](int64_t begin, int64_t end) {
            Scratch scratch(s_);
            for (int64_t i = begin; i < end; i++) {
                head(i / s_.key_heads, i % s_.key_heads, scratch);
            }
        });
    }

private:
    struct Scratch {
        explicit Scratch(const AttentionShape& s)
            : k(count(s.keys, s.size)), v(k.size()), dk(k.size()), dv(k.size()), q(count(block_rows, s.size)), up(q.size()), out(q.size()),
              dq(q.size()), p(count(block_rows, s.keys)), dp(p.size()) {}
        static size_t count(int64_t rows, int64_t columns) { return static_cast<size_t>(rows * columns); }
        std::vector<float> k, v, dk, dv, q, up, out, dq, p, dp;
    };

    void head(int64_t b, int64_t g, Scratch& x) const {
        const int64_t d = s_.size;
        rows_turn(k_.at(b, g), k_.time, x.k.data(), d, s_.keys, d, s_.rotation, 1.0F, 1.0F);
        rows_turn(v_.at(b, g), v_.time, x.v.data(), d, s_.keys, d, Rotation{}, 1.0F, 1.0F);
        std::fill(x.dk.begin(), x.dk.end(), 0.0F);
        std::fill(x.dv.begin(), x.dv.end(), 0.0F);
        const int64_t group = s_.heads / s_.key_heads;
        for (int64_t h = g * group; h < (g + 1) * group; h++) {
            for (int64_t row = 0; row < s_.time; row += block_rows) {
                block(b, h, row, std::min(block_rows, s_.time - row), x);
            }
        }
        rows_turn(x.dk.data(), d, dk_.at(b, g), dk_.time, s_.keys, d, s_.rotation, -1.0F, 1.0F);
        rows_turn(x.dv.data(), d, dv_.at(b, g), dv_.time, s_.keys, d, Rotation{}, 1.0F, 1.0F);
    }

    void block(int64_t b, int64_t h, int64_t row, int64_t rows, Scratch& x) const {
        const int64_t d = s_.size;
        const int64_t n = s_.valid(row + rows - 1);
        const Rotation turned = s_.rotation.cosine == nullptr
            ? s_.rotation
            : Rotation{s_.rotation.cosine + row * d / 2, s_.rotation.sine + row * d / 2};
        rows_turn(q_.at(b, h) + row * q_.time, q_.time, x.q.data(), d, rows, d, turned, 1.0F, s_.scale);
        rows_turn(up_.at(b, h) + row * up_.time, up_.time, x.up.data(), d, rows, d, Rotation{}, 1.0F, 1.0F);
        rows_turn(out_.at(b, h) + row * out_.time, out_.time, x.out.data(), d, rows, d, Rotation{}, 1.0F, 1.0F);
        product('N', 'T', rows, n, d, 1.0F, x.q.data(), d, x.k.data(), d, 0.0F, x.p.data(), n);
        product('N', 'T', rows, n, d, 1.0F, x.up.data(), d, x.v.data(), d, 0.0F, x.dp.data(), n);
        for (int64_t r = 0; r < rows; r++) {
            const float delta = dot(x.up.data() + r * d, x.out.data() + r * d, d);
            softmax_row_backward(x.p.data() + r * n, x.dp.data() + r * n, log_sums_[(b * s_.heads + h) * s_.time + row + r], delta,
                                 s_.valid(row + r), n);
        }
        product('T', 'N', n, d, rows, 1.0F, x.p.data(), n, x.up.data(), d, 1.0F, x.dv.data(), d);
        product('N', 'N', rows, d, n, 1.0F, x.dp.data(), n, x.k.data(), d, 0.0F, x.dq.data(), d);
        product('T', 'N', n, d, rows, 1.0F, x.dp.data(), n, x.q.data(), d, 1.0F, x.dk.data(), d);
        rows_turn(x.dq.data(), d, dq_.at(b, h) + row * dq_.time, dq_.time, rows, d, turned, -1.0F, s_.scale);
    }

    const AttentionShape s_;
    const Heads<T> q_;
    const Heads<T> k_;
    const Heads<T> v_;
    const Heads<T> out_;
    const Heads<T> up_;
    const float* const log_sums_;
    const Heads<T> dq_;
    const Heads<T> dk_;
    const Heads<T> dv_;
};

}  // namespace tapestry

#endif
