// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/csr_view.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE std::string shape_text(MatrixShape shape) {
  return std::to_string(shape.users) + " users x " + std::to_string(shape.items) + " items";
}

KINDRED_ONCE std::string transposed_hint(bool would_fit) {
  return would_fit ? "; the transposed shape would fit: is the input items x users? Kindred takes users as rows" : "";
}

KINDRED_ONCE void validate_csr(MatrixShape shape, std::span<const Offset> offsets, std::span<const Index> columns,
                               std::span<const float> values) {
  if (shape.users < 0) throw InvalidArgument("users", shape.users, "at least 0");
  if (shape.items < 0) throw InvalidArgument("items", shape.items, "at least 0");
  const auto users = static_cast<std::size_t>(shape.users);
  if (offsets.size() != users + 1)
    throw ShapeError("offsets has " + std::to_string(offsets.size()) + " entries; a matrix of " + shape_text(shape) + " needs " +
                     std::to_string(users + 1) + " (users + 1)" +
                     transposed_hint(shape.users != shape.items && offsets.size() == static_cast<std::size_t>(shape.items) + 1));
  if (columns.size() != values.size())
    throw ShapeError("columns has " + std::to_string(columns.size()) + " entries and values has " + std::to_string(values.size()) +
                     "; they must be equally long");
  if (offsets.front() != 0) throw InvalidArgument("offsets[0]", offsets.front(), "0");
  for (std::size_t u = 0; u < users; ++u)
    if (offsets[u + 1] < offsets[u])
      throw InvalidArgument("offsets[" + std::to_string(u + 1) + "]", offsets[u + 1],
                            "at least offsets[" + std::to_string(u) + "], which is " + std::to_string(offsets[u]));
  if (static_cast<std::uint64_t>(offsets.back()) != columns.size())
    throw ShapeError("the last offset is " + std::to_string(offsets.back()) + "; it must be the number of columns, " +
                     std::to_string(columns.size()));

  for (std::size_t u = 0; u < users; ++u) {
    for (auto at = static_cast<std::size_t>(offsets[u]); at < static_cast<std::size_t>(offsets[u + 1]); ++at) {
      const auto where = [&](std::string_view array) {
        return std::string(array) + "[" + std::to_string(at) + "] (user " + std::to_string(u) + ")";
      };
      if (columns[at] < 0 || columns[at] >= shape.items)
        throw InvalidArgument(
            where("columns"), columns[at],
            "an item index in [0, " + std::to_string(shape.items) + ")" + transposed_hint(columns[at] >= 0 && columns[at] < shape.users));
      if (at > static_cast<std::size_t>(offsets[u]) && columns[at] <= columns[at - 1])
        throw InvalidArgument(where("columns"), columns[at], "above the column before it, which is " + std::to_string(columns[at - 1]));
      if (!is_finite(values[at])) throw InvalidArgument(where("values"), values[at], "finite");
    }
  }
}

KINDRED_ONCE void check_user(Index user, MatrixShape shape) {
  if (user < 0 || user >= shape.users) throw InvalidArgument("user", user, "a user index in [0, " + std::to_string(shape.users) + ")");
}

KINDRED_ONCE void check_item(Index item, MatrixShape shape) {
  if (item < 0 || item >= shape.items) throw InvalidArgument("item", item, "an item index in [0, " + std::to_string(shape.items) + ")");
}

KINDRED_ONCE void check_index_list(std::span<const Index> indices, std::string_view name, std::string_view noun, Index bound) {
  for (std::size_t n = 0; n < indices.size(); ++n) {
    const auto at = [&] { return std::string(name) + "[" + std::to_string(n) + "]"; };
    if (indices[n] < 0 || indices[n] >= bound)
      throw InvalidArgument(at(), indices[n], std::string(noun) + " index in [0, " + std::to_string(bound) + ")");
    if (n > 0 && indices[n] <= indices[n - 1])
      throw InvalidArgument(at(), indices[n],
                            "above the entry before it, which is " + std::to_string(indices[n - 1]) + ": sorted, without repeats");
  }
}

KINDRED_ONCE void check_shape(std::string_view what, MatrixShape found, std::string_view against, MatrixShape wanted) {
  if (found == wanted) return;
  throw ShapeError(std::string(what) + " is " + shape_text(found) + "; " + std::string(against) + " is " + shape_text(wanted) +
                   transposed_hint(found.users == wanted.items && found.items == wanted.users));
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0 {

KINDRED_ONCE CsrView CsrView::rows(Index first, Index last) const {
  if (first < 0 || first > last || last > rows())
    throw InvalidArgument("rows", "[" + std::to_string(first) + ", " + std::to_string(last) + ")",
                          "within [0, " + std::to_string(rows()) + ")");
  const std::size_t from = row_begin(first), count = row_begin(last) - from;
  return {detail::unchecked,
          {last - first, cols()},
          offsets_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first) + 1),
          columns_.subspan(from, count),
          values_.subspan(from, count)};
}

}  // namespace kindred::inline v0
