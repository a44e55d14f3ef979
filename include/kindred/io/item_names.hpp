// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

/// The form of a text file of item names: one line for each item, its id and its name in two of the columns.
struct NameFormat {
  std::string separator = "\t";
  Header header = Header::none;
  Quoting quoting = Quoting::none;
  FieldRule field_rule = FieldRule::same;
  std::size_t field_count = 0;  ///< Fields of every line under FieldRule::same; 0: as many as the header or first line.
  std::size_t id_column = 0;    ///< From 0.
  std::size_t name_column = 1;  ///< From 0.
};

/// The dataset with the names of a file beside its items; items that the file lacks keep the name they have, or none.
///
/// Names of other items are ignored, and so is an empty name; of two names for one item the first stays. The file's report joins
/// `load.companions`. O(bytes of the file).
/// @throws IoError if the file cannot be read; ParseError for a bad line, an empty id, or no rows; InvalidArgument if the format makes no sense.
[[nodiscard]] inline Dataset join_item_names(Dataset data, const std::string& path, const NameFormat& format = {},
                                             const ReadOptions& options = {}) {
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
    const std::optional<Index> item = data.items.find(id);
    if (!item || name.empty()) continue;
    if (const Index before = named.size(); named.intern(id) == before) data.item_names[static_cast<std::size_t>(*item)] = name;
  }
  data.load.companions.push_back(table.finish());
  return data;
}

}  // namespace kindred::inline v0
