// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/split.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws InvalidArgument unless `fraction` is strictly between 0 and 1.
inline void check_fraction(double fraction, std::string_view name) {
  if (!(fraction > 0.0 && fraction < 1.0)) throw InvalidArgument(name, fraction, "above 0 and below 1");
}

/// @throws ShapeError unless there is a time for every stored interaction.
inline void check_times(std::span<const std::int64_t> times, const CsrView& matrix) {
  if (times.size() == static_cast<std::size_t>(matrix.nnz())) return;
  throw ShapeError("times has " + std::to_string(times.size()) + " entries; the matrix has " + std::to_string(matrix.nnz()) +
                   " interactions" + (times.empty() ? "; does the source of the data have times?" : ""));
}

/// floor(fraction * count), where the billionth keeps a product like 0.29 * 100 = 28.999999999999996 from losing one.
[[nodiscard]] inline std::size_t floor_share(double fraction, std::size_t count) {
  return static_cast<std::size_t>(std::floor(fraction * static_cast<double>(count) + 1e-9));
}

/// `count` entries of a row of `size`, drawn for `user`: a 1 for each entry that was drawn, length `size`. A function of the arguments alone.
inline void draw_entries(std::uint64_t seed, Index user, std::size_t size, std::size_t count, std::vector<Index>& order,
                         std::vector<char>& drawn) {
  drawn.assign(size, 0);
  order.resize(size);
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, RandomStream::split, static_cast<std::uint64_t>(user));
  shuffle_front(std::span<Index>(order), count, random);
  for (std::size_t n = 0; n < count; ++n) drawn[static_cast<std::size_t>(order[n])] = 1;
}

/// As draw_entries, each with a chance about proportional to 1 / users of its item: the `count` entries of least u * users, u uniform.
inline void draw_flat_entries(std::uint64_t seed, Index user, const SparseRow& row, std::span<const Index> item_users, std::size_t count,
                              std::vector<Index>& order, std::vector<char>& drawn) {
  drawn.assign(row.size(), 0);
  order.resize(row.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, RandomStream::split, static_cast<std::uint64_t>(user));
  std::vector<double> keys(row.size());
  for (std::size_t n = 0; n < row.size(); ++n)
    keys[n] = random.uniform() * static_cast<double>(item_users[static_cast<std::size_t>(row.columns[n])]);
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)]; });
  for (std::size_t n = 0; n < count; ++n) drawn[static_cast<std::size_t>(order[n])] = 1;
}

/// Users with at least `min_interactions` stored interactions, rising.
[[nodiscard]] inline std::vector<Index> users_with(const CsrView& matrix, Index min_interactions) {
  std::vector<Index> users;
  for (Index u = 0; u < matrix.rows(); ++u)
    if (matrix.row(u).size() >= static_cast<std::size_t>(min_interactions)) users.push_back(u);
  return users;
}

/// 1 for each of `count` users drawn from `candidates`, length `n_users`.
[[nodiscard]] inline std::vector<char> sample_users(std::vector<Index> candidates, std::size_t count, Index n_users, std::uint64_t seed) {
  Random random(seed, RandomStream::sample);
  shuffle_front(std::span<Index>(candidates), count, random);
  std::vector<char> sampled(static_cast<std::size_t>(n_users), 0);
  for (std::size_t n = 0; n < count; ++n) sampled[static_cast<std::size_t>(candidates[n])] = 1;
  return sampled;
}

/// Deals the entries of a matrix out to train and test, row by row.
class SplitBuilder {
 public:
  explicit SplitBuilder(MatrixShape shape) : train_(shape), test_(shape) {}

  /// The whole row to train.
  void add_to_train(const SparseRow& row) {
    for (std::size_t n = 0; n < row.size(); ++n) train_.add(row.columns[n], row.values[n]);
    end_row();
  }

  /// Entries with a 1 in `held_out` (as long as the row) to test, the others to train.
  void add(const SparseRow& row, std::span<const char> held_out) {
    KINDRED_ASSERT(held_out.size() == row.size());
    for (std::size_t n = 0; n < row.size(); ++n) (held_out[n] ? test_ : train_).add(row.columns[n], row.values[n]);
    end_row();
  }

  [[nodiscard]] TrainTestSplit finish() { return {train_.finish(), test_.finish()}; }

 private:
  void end_row() {
    train_.end_row();
    test_.end_row();
  }

  CsrBuilder train_;
  CsrBuilder test_;
};

}  // namespace detail

}  // namespace kindred::inline v0
