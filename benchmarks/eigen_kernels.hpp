// SPDX-License-Identifier: MIT
// What the kernels compute, written with Eigen and compiled with all flags on. Matrices are plain row-major, `n` x `k` where nothing else is said.
#pragma once

#include <cstddef>
#include <cstdint>

namespace eigen_kernels {

/// start (k x k, one triangle) += rows' rows.
void rank_update(float* start, const float* rows, std::size_t n, std::size_t k);
void rank_update(double* start, const double* rows, std::size_t n, std::size_t k);
/// products (n x n, one triangle) = rows rows'.
void row_products(float* products, const float* rows, std::size_t n, std::size_t k);
/// x = (v + I)^-1 rhs, v of order `size`, one triangle of it.
void solve(const float* v, const float* rhs, std::size_t size, float* x);
/// out[n] = fixed[columns[n]] o scale * weight[n].
void gather(const float* fixed, const std::int32_t* columns, const float* scale, const float* weight, std::size_t n, std::size_t k,
            float* out);
/// sum = sum_n coefficient[n] fixed[columns[n]].
void combine(const float* fixed, const std::int32_t* columns, const float* coefficient, std::size_t n, std::size_t k, float* sum);
/// `steps` steps of conjugate gradients from z on (I + B'B) z = B' target, B the gathered rows, n x k in `scratch`.
void conjugate_gradient(const float* fixed, const std::int32_t* columns, const float* scale, const float* weight, const float* target,
                        std::size_t n, std::size_t k, std::size_t steps, float* scratch, float* z);
/// out = left right, n x k times k x k.
void multiply(const float* left, const float* right, std::size_t n, std::size_t k, float* out);
void multiply(const double* left, const double* right, std::size_t n, std::size_t k, double* out);
/// Largest eigenvalue of a symmetric matrix of order k, all eigenvectors computed.
[[nodiscard]] double eigenvalues(const double* symmetric, std::size_t k);

/// The peak of vectors of `bytes` (64, 32 or 16), in single-precision operations a second: fused multiply-adds, and where `bytes` is 16 multiplications
/// and additions apart, as the base level has them. Measured anew with every call, in about 20 ms.
[[nodiscard]] double peak(std::size_t bytes);

}  // namespace eigen_kernels
