// SPDX-License-Identifier: MIT
// Recommending without an index, as fast as Eigen makes it with all flags on: what Kindred is measured against. Factors are plain row-major floats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace opponents {

/// The `count` best items of each user, best first, ties by the lower item: ids and scores are n_users x count. Products of a tile of users with a strip
/// of items (512 x 2,048, the best of the sizes tried), then a heap a user.
void tiled_full_scan(const float* users, std::size_t n_users, const float* items, std::size_t n_items, std::size_t factors,
                     std::size_t count, std::int32_t* ids, float* scores);

/// The same for one user: a dot product an item.
void plain_scan(const float* user, const float* items, std::size_t n_items, std::size_t factors, std::size_t count, std::int32_t* ids,
                float* scores);

/// Forms (gram + sum_n (c_n - 1) y_n y_n') x = sum_n c_n y_n of one row (gram: factors x factors, lambda in it) and factorises it.
void fold_in(const float* gram, const float* items, const std::int32_t* columns, const float* confidences, std::size_t n,
             std::size_t factors, float* x);

}  // namespace opponents
