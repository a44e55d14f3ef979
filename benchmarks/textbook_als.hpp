// SPDX-License-Identifier: MIT
// Implicit ALS as the papers write it, as fast as Eigen makes it with all flags on: what Kindred is measured against.
//
// Hu, Koren, Volinsky 2008 (exact solves) and Takacs, Pilaszy, Tikk 2011 (conjugate gradients from the last solution, as the Python package implicit
// has them). Confidence 1 + alpha r on interactions, 1 elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace textbook {

/// A CSR matrix of another owner.
struct Rows {
  std::int32_t count = 0;
  const std::int64_t* offsets = nullptr;  // length count + 1
  const std::int32_t* columns = nullptr;
  const float* values = nullptr;
};

enum class Solver { cholesky, conjugate_gradient };

struct Options {
  std::size_t factors = 0;
  float regularization = 0.0F;
  float alpha = 0.0F;
  Solver solver = Solver::cholesky;
  std::size_t cg_steps = 3;
  std::size_t threads = 1;
};

/// Solves every row of `solved` (rows.count x factors, row-major) for the fixed other side (n_fixed x factors).
void half_step(const Rows& rows, const float* fixed, std::size_t n_fixed, float* solved, const Options& options);

/// The objective, in double: sum of c (p - s)^2 over all pairs, and the penalties.
[[nodiscard]] double loss(const Rows& users, const float* user_factors, const float* item_factors, std::size_t n_items,
                          const Options& options);

/// Lanes of the vectors of multiply_add: 512 bits, which compilers split where a processor has less.
inline constexpr std::size_t peak_lanes = 16;
inline constexpr std::size_t flops_a_step = 12 * peak_lanes * 2;

/// `steps` times twelve independent fused multiply-adds.
void multiply_add(std::size_t steps);

}  // namespace textbook
