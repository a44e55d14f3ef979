// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/dataset.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/column_input.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/data/merge_dataset.hpp>
#include <kindred/data/row_merge.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE void check_dataset(const Dataset& data) {
  const auto expect = [](std::string_view what, std::size_t found, std::size_t wanted, std::string_view unit) {
    if (found != wanted)
      throw ShapeError("dataset." + std::string(what) + " has " + std::to_string(found) + " entries; the matrix has " +
                       std::to_string(wanted) + " " + std::string(unit));
  };
  const auto users = static_cast<std::size_t>(data.matrix.rows());
  const auto items = static_cast<std::size_t>(data.matrix.cols());
  const auto nnz = static_cast<std::size_t>(data.matrix.nnz());
  expect("users", static_cast<std::size_t>(data.users.size()), users, "users");
  expect("items", static_cast<std::size_t>(data.items.size()), items, "items");
  if (!data.item_names.empty()) expect("item_names", data.item_names.size(), items, "items");
  if (!data.profiles.empty()) expect("profiles", data.profiles.size(), users, "users");
  if (!data.times.empty()) expect("times", data.times.size(), nnz, "interactions");
  if (!data.raw_rows.empty()) expect("raw_rows", data.raw_rows.size(), nnz, "interactions");
}

KINDRED_ONCE Dataset select(const Dataset& data, std::span<const Index> users, std::span<const Index> items) {
  data.check();
  detail::check_index_list(items, "items", "an item", data.matrix.cols());
  detail::check_index_list(users, "users", "a user", data.matrix.rows());

  std::vector<Index> renumbered(static_cast<std::size_t>(data.matrix.cols()), -1);
  for (std::size_t n = 0; n < items.size(); ++n) renumbered[static_cast<std::size_t>(items[n])] = static_cast<Index>(n);

  Dataset kept;
  detail::CsrBuilder builder({static_cast<Index>(users.size()), static_cast<Index>(items.size())});
  for (const Index u : users) {
    const SparseRow row = data.matrix.row(u);
    const auto start = static_cast<std::size_t>(data.matrix.offsets()[static_cast<std::size_t>(u)]);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Index item = renumbered[static_cast<std::size_t>(row.columns[n])];
      if (item < 0) continue;
      builder.add(item, row.values[n]);
      if (!data.times.empty()) kept.times.push_back(data.times[start + n]);
      if (!data.raw_rows.empty()) kept.raw_rows.push_back(data.raw_rows[start + n]);
    }
    builder.end_row();
  }
  kept.matrix = builder.finish();
  kept.users = data.users.select(users);
  kept.items = data.items.select(items);
  if (!data.item_names.empty())
    for (const Index i : items) kept.item_names.push_back(data.item_names[static_cast<std::size_t>(i)]);
  if (!data.profiles.empty())
    for (const Index u : users) kept.profiles.push_back(data.profiles[static_cast<std::size_t>(u)]);
  kept.load = data.load;
  return kept;
}

KINDRED_ONCE Dataset Dataset::from_columns(const KeyColumn& users, const KeyColumn& items, std::span<const float> values,
                                           std::span<const std::int64_t> times) {
  detail::check_column_length(users.size(), "items", items.size(), false);
  detail::check_column_length(users.size(), "values", values.size(), true);
  detail::check_column_length(users.size(), "times", times.size(), true);
  Dataset data;
  LoadReport report;
  report.source = "columns in memory";
  report.lines = users.size();
  report.rows = users.size();
  for (std::size_t n = 0; n < values.size(); ++n) {
    if (!detail::is_finite(values[n])) throw InvalidArgument(detail::ColumnInput::name("value", n), values[n], "finite");
    if (values[n] != 0.0F) continue;
    --report.rows;
    ++report.dropped["zero value"];
  }
  const std::vector<Index> user_indices = detail::intern_column(data.users, users, "user", values);
  const std::vector<Index> item_indices = detail::intern_column(data.items, items, "item", values);
  return detail::merged_dataset(std::move(data), {user_indices, item_indices, values, times}, std::move(report));
}

}  // namespace kindred::inline v0
