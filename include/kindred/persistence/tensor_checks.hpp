// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/persistence/tensor_reader.hpp>

namespace kindred::inline v0::detail {

/// @throws FormatError unless all values are finite.
template <typename T>
void check_finite(const TensorReader& reader, std::string_view name, std::span<const T> values) {
  for (std::size_t n = 0; n < values.size(); ++n)
    if (!is_finite(values[n])) reader.fail("tensor '" + std::string(name) + "', entry " + std::to_string(n) + ", is not finite");
}
template <Real Scalar>
void check_finite(const TensorReader& reader, std::string_view name, const FactorMatrix<Scalar>& factors, const Execution& execution) {
  parallel_for(static_cast<std::size_t>(factors.rows()), loop_of(execution, 4096), [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t r = first; r < last; ++r)
      for (const Scalar value : factors.row(static_cast<Index>(r)))
        if (!is_finite(value)) reader.fail("tensor '" + std::string(name) + "', row " + std::to_string(r) + ", is not finite");
  });
}

/// Interactions of rows, each of at most `others`.
[[nodiscard]] inline std::vector<Index> read_counts(TensorReader& reader, const std::string& name, std::uint64_t rows,
                                                    std::uint64_t others) {
  std::vector<Index> counts = reader.values<Index>(name, rows);
  for (const Index count : counts)
    if (count < 0 || static_cast<std::uint64_t>(count) > others)
      reader.fail("tensor '" + name + "' holds " + std::to_string(count) + "; it must be in [0, " + std::to_string(others) + "]");
  return counts;
}

}  // namespace kindred::inline v0::detail
