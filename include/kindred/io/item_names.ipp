// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/item_names.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/item_names.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The item of an id: the same text; or, for a whole number, the other of "31" and "31.0", which is how tables of floats write it.
[[nodiscard]] inline std::optional<Index> find_item(const IdMap& items, std::string_view id, bool& other_spelling) {
  other_spelling = false;
  if (const std::optional<Index> item = items.find(id)) return item;
  const std::string_view whole = id.ends_with(".0") ? id.substr(0, id.size() - 2) : id;
  if (whole.empty() || whole.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const std::optional<Index> item = whole.size() < id.size() ? items.find(whole) : items.find(std::string(id) + ".0");
  other_spelling = item.has_value();
  return item;
}

}  // namespace detail

KINDRED_ONCE Dataset join_item_names(Dataset data, const Path& path, const ItemNameFormat& format, const ReadOptions& options) {
  if (format.id_column == format.name_column) throw InvalidArgument("name_column", format.name_column, "another column than id_column");
  detail::TableReader table(path, {format.separator, format.header, format.quoting, "", format.field_rule, format.field_count}, options);
  table.require_fields((std::max)(format.id_column, format.name_column) + 1);
  IdMap named;
  data.item_names.resize(static_cast<std::size_t>(data.items.size()));
  while (table.next()) {
    const std::string_view id = table.fields()[format.id_column];
    if (id.empty()) {
      table.bad({format.id_column + 1, "an empty item id", "an item id"});
      continue;
    }
    const std::string_view name = table.fields()[format.name_column];
    bool other_spelling = false;
    const std::optional<Index> item = detail::find_item(data.items, id, other_spelling);
    if (!item) table.noted("name of no item");
    if (!item || name.empty()) continue;
    if (other_spelling) table.noted("id met as 31.0 and 31");
    if (const Index before = named.size(); named.intern(data.items.key(*item)) == before)
      data.item_names[static_cast<std::size_t>(*item)] = name;
  }
  LoadReport report = table.finish();
  if (const Index without = data.items.size() - named.size(); without > 0)
    report.noted["item without a name"] = static_cast<std::uint64_t>(without);
  data.load.companions.push_back(std::move(report));
  return data;
}

}  // namespace kindred::inline v0
