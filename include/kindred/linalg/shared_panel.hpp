// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/simd/score_block.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Scores a few rows for each of some queries: the rows of a query take columns of a panel, and queries share the panel.
template <Real Scalar>
class SharedPanel {
 public:
  SharedPanel(const ScoreKernels<Scalar>* kernels, const FactorMatrix<Scalar>& matrix)
      : kernels_(kernels), matrix_(&matrix), panel_(static_cast<std::size_t>(matrix.factors()) * score_block), scores_(score_block) {}

  /// Lays out `rows` for the query of this number and these factors. Whenever the panel is full, `take(query, rows, scores)` gets a few rows of one query.
  template <typename Take>
  void add(std::size_t query, const Scalar* factors, std::span<const Index> rows, TopKCounters& counters, const Take& take) {
    counters.scores += rows.size();
    counters.packed += rows.size();
    for (std::size_t first = 0; first < rows.size(); first += score_group) {
      Group& group = groups_[n_groups_];
      group.query = query;
      group.count = (std::min)(score_group, rows.size() - first);
      std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(first), group.count, group.rows.begin());
      queries_[n_groups_] = factors;
      kernels_->pack(matrix_->data(), matrix_->stride(), group.rows.data(), group.count, static_cast<std::size_t>(matrix_->factors()),
                     panel_.data() + n_groups_ * score_group);
      if (++n_groups_ == groups_of_block) finish(take);
    }
  }

  /// Scores what is laid out. Until then the lists of its queries stay behind.
  template <typename Take>
  void finish(const Take& take) {
    if (n_groups_ == 0) return;
    for (std::size_t g = n_groups_; g < groups_of_block; ++g) queries_[g] = queries_[0];
    kernels_->score_groups(queries_.data(), panel_.data(), static_cast<std::size_t>(matrix_->factors()), scores_.data());
    const std::size_t n_groups = std::exchange(n_groups_, 0);
    for (std::size_t g = 0; g < n_groups; ++g)
      take(groups_[g].query, std::span<const Index>(groups_[g].rows).first(groups_[g].count), scores_.data() + g * score_group);
  }

 private:
  struct Group {
    std::size_t query, count;
    std::array<Index, score_group> rows;
  };

  const ScoreKernels<Scalar>* kernels_;
  const FactorMatrix<Scalar>* matrix_;
  std::array<Group, groups_of_block> groups_;
  std::array<const Scalar*, groups_of_block> queries_;
  std::size_t n_groups_ = 0;
  AlignedVector<Scalar> panel_, scores_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
