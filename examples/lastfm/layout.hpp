// SPDX-License-Identifier: MIT
// Vectors in the plane, and in groups.
#pragma once

#include <cstdint>
#include <vector>

namespace study {

struct Layout {
  std::vector<double> x;
  std::vector<double> y;
  double variance_share = 0.0;  // of all differences, what the plane shows
  std::vector<int> group;       // from 0, numbered by their first member
};

/// `rows`: vectors of the same length; they are taken as directions, so that their lengths, in which popularity is, do not rule the map. The plane is
/// that of the first two principal components; the groups are spherical k-means, the best of twenty random starts.
[[nodiscard]] Layout lay_out(std::vector<std::vector<double>> rows, std::size_t n_groups, std::uint64_t seed);

}  // namespace study
