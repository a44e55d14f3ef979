// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/row_merge.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Interactions one after the other, as an input of gather_rows and check_input.
struct TripletInput {
  std::span<const Interaction> triplets;

  [[nodiscard]] std::size_t size() const noexcept { return triplets.size(); }
  [[nodiscard]] Index user(std::size_t n) const noexcept { return triplets[n].user; }
  [[nodiscard]] Index item(std::size_t n) const noexcept { return triplets[n].item; }
  [[nodiscard]] float value(std::size_t n) const noexcept { return triplets[n].value; }
  [[nodiscard]] bool has_times() const noexcept { return false; }
  [[nodiscard]] std::int64_t time(std::size_t) const noexcept { return 0; }
  /// "triplets[3].user": `field` is user, item or value.
  [[nodiscard]] static std::string name(std::string_view field, std::size_t n) {
    return "triplets[" + std::to_string(n) + "]." + std::string(field);
  }
};

/// Columns in memory, as an input of gather_rows and check_input. Values may be empty (1 each), and times.
struct ColumnInput {
  std::span<const Index> users;
  std::span<const Index> items;
  std::span<const float> values;
  std::span<const std::int64_t> times;

  [[nodiscard]] std::size_t size() const noexcept { return users.size(); }
  [[nodiscard]] Index user(std::size_t n) const noexcept { return users[n]; }
  [[nodiscard]] Index item(std::size_t n) const noexcept { return items[n]; }
  [[nodiscard]] float value(std::size_t n) const noexcept { return values.empty() ? 1.0F : values[n]; }
  [[nodiscard]] bool has_times() const noexcept { return !times.empty(); }
  [[nodiscard]] std::int64_t time(std::size_t n) const noexcept { return times[n]; }
  /// "users[3]": `field` is user, item or value.
  [[nodiscard]] static std::string name(std::string_view field, std::size_t n) {
    return std::string(field) + "s[" + std::to_string(n) + "]";
  }
};

/// @throws ShapeError unless a column of `size` entries belongs to `users` users; `optional`: it may be empty too.
inline void check_column_length(std::size_t users, std::string_view column, std::size_t size, bool optional) {
  if (size == users || (optional && size == 0)) return;
  throw ShapeError("users has " + std::to_string(users) + " entries and " + std::string(column) + " has " + std::to_string(size) +
                   "; they must be equally long" + (optional ? ", or " + std::string(column) + " empty" : ""));
}

/// The least shape that holds the interactions of `input`, all of which are checked against `bounds`.
/// @throws InvalidArgument if an index is out of bounds or a value is not finite, naming the first.
template <typename Input>
[[nodiscard]] MatrixShape check_input(MatrixShape bounds, const Input& input) {
  if (bounds.users < 0) throw InvalidArgument("users", bounds.users, "at least 0");
  if (bounds.items < 0) throw InvalidArgument("items", bounds.items, "at least 0");
  MatrixShape found;
  for (std::size_t n = 0; n < input.size(); ++n) {
    const Index user = input.user(n), item = input.item(n);
    if (user < 0 || user >= bounds.users)
      throw InvalidArgument(Input::name("user", n), user,
                            "a user index in [0, " + std::to_string(bounds.users) + ")" +
                                transposed_hint(user >= 0 && user < bounds.items && item >= 0 && item < bounds.users));
    if (item < 0 || item >= bounds.items)
      throw InvalidArgument(Input::name("item", n), item,
                            "an item index in [0, " + std::to_string(bounds.items) + ")" +
                                transposed_hint(item >= 0 && item < bounds.users && user < bounds.items));
    if (!is_finite(input.value(n))) throw InvalidArgument(Input::name("value", n), input.value(n), "finite");
    found.users = (std::max)(found.users, user + 1);
    found.items = (std::max)(found.items, item + 1);
  }
  return found;
}

/// The rows of gathered interactions as a matrix. @throws InvalidArgument if a sum is beyond the range of a float.
[[nodiscard]] inline CsrMatrix merged_matrix(MatrixShape shape, GatheredRows gathered) {
  RowMerge merge(std::move(gathered));
  merge.add(merge.merge(0, static_cast<std::size_t>(shape.users)));
  if (const auto& failed = merge.too_large())
    throw InvalidArgument("the sum of user " + std::to_string(failed->user) + " and item " + std::to_string(failed->item), failed->sum,
                          "within the range of a float");
  std::vector<std::uint32_t> raw_rows;
  GatheredRows rows = merge.finish(raw_rows);
  return {shape, std::move(rows.offsets), std::move(rows.columns), std::move(rows.values)};
}

}  // namespace detail

}  // namespace kindred::inline v0
