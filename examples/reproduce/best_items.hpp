// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <kindred/core/types.hpp>

namespace reproduce {

/// The `count` items of the highest scores, best first.
inline std::vector<kindred::Scored> best_items(const std::vector<double>& scores, std::size_t count) {
  std::vector<kindred::Scored> list;
  for (std::size_t i = 0; i < scores.size(); ++i) list.push_back({static_cast<kindred::Index>(i), scores[i]});
  const auto kept = static_cast<std::ptrdiff_t>(std::min(count, list.size()));
  std::partial_sort(list.begin(), list.begin() + kept, list.end(), kindred::ranks_before);
  return {list.begin(), list.begin() + kept};
}

}  // namespace reproduce
