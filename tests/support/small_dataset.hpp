// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>

namespace kindred_test {

/// `matrix` with keys "u0", "u1", ... and "i0", "i1", ..., names "item 0", ..., ages 20, 21, ..., times 1000, 1001, ... and one to three raw rows each.
inline kindred::Dataset dataset_of(kindred::CsrMatrix matrix, std::uint64_t seed = 1) {
  kindred::Dataset data;
  data.matrix = std::move(matrix);
  for (kindred::Index u = 0; u < data.matrix.rows(); ++u) {
    data.users.intern("u" + std::to_string(u));
    data.profiles.emplace_back().age = 20 + u;
  }
  for (kindred::Index i = 0; i < data.matrix.cols(); ++i) {
    data.items.intern("i" + std::to_string(i));
    data.item_names.push_back("item " + std::to_string(i));
  }
  kindred::detail::Random random(seed, kindred::detail::RandomStream::sample, 1'000'000);
  for (std::int64_t n = 0; n < data.matrix.nnz(); ++n) {
    data.times.push_back(1000 + n);
    data.raw_rows.push_back(1 + random.below(3));
  }
  data.load.source = "made up";
  return data;
}

}  // namespace kindred_test
