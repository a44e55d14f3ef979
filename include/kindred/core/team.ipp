// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/team.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <kindred/core/keyed_hash.hpp>
#include <kindred/core/team.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE void Digest::add(std::string_view name, std::span<const std::byte> bytes) {
  values_.push_back({name, keyed_hash({}, {reinterpret_cast<const char*>(bytes.data()), bytes.size()})});
}

KINDRED_ONCE std::vector<std::uint64_t> Team::even_shares(std::size_t units) const {
  std::vector<std::uint64_t> starts;
  for (std::size_t r = 0; r <= size_; ++r) starts.push_back(units * r / size_);
  return starts;
}

KINDRED_ONCE std::vector<double> Team::all_of(double own) const {
  std::vector<double> numbers(size_, 0.0);
  numbers[rank_] = own;
  sum(numbers);
  return numbers;
}

}  // namespace kindred::inline v0::detail
