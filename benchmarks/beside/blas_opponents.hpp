// SPDX-License-Identifier: MIT
// What programs made of BLAS calls do, compiled with -O3 -march=native: solvers in the form of the packages implicit and cmfrec, and lists by a matrix
// product and a selection. OpenBLAS runs one thread; rows are dealt out to threads here, which is faster (implicit asks its users for the same).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "../textbook_als.hpp"

namespace blas {

/// The name of the kernels that OpenBLAS chose for this processor; makes it run one thread.
std::string prepare();

/// textbook::half_step by BLAS: exact rows by ssyrk over gathered rows and sposv, others by ssymv, and sdot and saxpy for each interaction.
void half_step(const textbook::Rows& rows, const float* fixed, std::size_t n_fixed, float* solved, const textbook::Options& options);

/// The best `count` items of each user by sgemm and a selection, best first; `users` and `items` are row-major.
void scan(const float* users, std::size_t n_users, const float* items, std::size_t n_items, std::size_t factors, std::size_t count,
          std::size_t threads, std::int64_t* ids, float* scores);

}  // namespace blas
