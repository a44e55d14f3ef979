// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// The form of a text file of item names: one line for each item, its id and its name in two of the columns.
struct ItemNameFormat {
  std::string separator = "\t";
  detail::Header header = detail::Header::none;
  detail::Quoting quoting = detail::Quoting::none;
  detail::FieldRule field_rule = detail::FieldRule::same;
  std::size_t field_count = 0;  ///< Fields of every line under DelimitedFormat::FieldRule::same; 0: as many as the header or first line.
  std::size_t id_column = 0;    ///< From 0.
  std::size_t name_column = 1;  ///< From 0.
};

/// The dataset with the names of a file beside its items; items that the file lacks keep the name they have, or none.
///
/// Of two names for one item the first stays; an empty name is ignored. A whole number as an id meets an item whose key is the same number as a float,
/// 31.0, or the other way round. The file's report joins `load.companions`; its `noted` counts what did not meet: "name of no item" (a row whose id no
/// item has), "item without a name" (an item that the file does not name), and "id met as 31.0 and 31". O(bytes of the file).
/// @throws IoError if the file cannot be read; ParseError for a bad line, an empty id, or no rows; InvalidArgument if the format makes no sense.
[[nodiscard]] KINDRED_ONCE Dataset join_item_names(Dataset data, const Path& path, const ItemNameFormat& format = {},
                                                   const ReadOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/item_names.ipp>  // IWYU pragma: export
#endif
