// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/delimited_format.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/io/delimited_format.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE Column::Column(std::string name) : place(std::move(name)) {}

KINDRED_ONCE Column::Column(const char* name) : place(std::string(name)) {}

KINDRED_ONCE void Column::set(std::uint64_t index, bool is_negative) {
  if (is_negative) throw InvalidArgument("column", static_cast<std::int64_t>(index), "at least 0");
  place = static_cast<std::size_t>(index);
}

}  // namespace kindred::inline v0::detail
