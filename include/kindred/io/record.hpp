// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

namespace detail {

/// One row of a file of interactions; the text belongs to the line.
struct Record {
  std::string_view user;
  std::string_view item;
  std::string_view item_name;
  float value = 1.0F;
  std::int64_t time = 0;
};

/// What the records of a file hold beside user, item and value.
struct RecordParts {
  bool item_names = false;
  bool times = false;
};

}  // namespace detail

}  // namespace kindred::inline v0
