// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/event_log.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/column_places.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/event_log.hpp>
#include <kindred/io/read_options.hpp>
#include <kindred/io/record.hpp>
#include <kindred/io/record_parser.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The keys of `indices`, in the bytes of `map`.
[[nodiscard]] inline std::vector<std::string_view> keys_of(const IdMap& map, const std::vector<Index>& indices) {
  std::vector<std::string_view> keys;
  keys.reserve(indices.size());
  for (const Index index : indices) keys.push_back(map.key(index));
  return keys;
}

}  // namespace detail

KINDRED_ONCE EventLog::EventLog(IdMap user_keys, IdMap item_keys, IdMap kind_keys, const Rows& rows, std::vector<float> values,
                                std::vector<std::int64_t> times, LoadReport load)
    : user_keys_(std::move(user_keys)),
      item_keys_(std::move(item_keys)),
      kind_keys_(std::move(kind_keys)),
      users_(detail::keys_of(user_keys_, rows.users)),
      items_(detail::keys_of(item_keys_, rows.items)),
      kinds_(detail::keys_of(kind_keys_, rows.kinds)),
      values_(std::move(values)),
      times_(std::move(times)),
      load_(std::move(load)) {}

KINDRED_ONCE EventLog read_events(const Path& path, const DelimitedFormat& format, const DelimitedFormat::Column& kind,
                                  const ReadOptions& options) {
  if (!format.item_name.is_none()) throw InvalidArgument("item_name", "a column", "none: an EventLog has no names");
  if (kind.optional) throw InvalidArgument("kind", "an optional column", "a column or none");
  const detail::RoundToNearest rounding;
  DelimitedFormat with_kind = format;
  with_kind.item_name = kind;  // the field of a record that holds the kind
  detail::check_format(with_kind);
  detail::TableReader table(detail::TableReader::open(path, options), detail::table_format(with_kind), options);
  detail::ColumnPlaces places;
  bool more = detail::find_first_row(with_kind, table, places);
  const detail::RecordParser parser(with_kind, places);
  const bool has_kinds = !kind.is_none(), has_times = places.time != detail::no_place;
  IdMap user_keys, item_keys, kind_keys;
  std::vector<Index> users, items, kinds;
  std::vector<float> values;
  std::vector<std::int64_t> times;
  for (; more; more = table.next()) {
    detail::Record record;
    detail::LineProblem problem;
    using Outcome = detail::RecordParser::Outcome;
    Outcome outcome = parser.parse(table.fields(), record, problem);
    if (outcome != Outcome::bad && has_kinds && record.item_name.empty()) {
      problem = {places.item_name + 1, "an empty kind", "a kind"};
      outcome = Outcome::bad;
    }
    if (outcome == Outcome::bad) {
      table.bad(problem);
      continue;
    }
    if (outcome != Outcome::kept) {
      table.dropped(detail::RecordParser::reasons[detail::RecordParser::reason_of(outcome)]);
      continue;
    }
    users.push_back(user_keys.intern(record.user));
    items.push_back(item_keys.intern(record.item));
    values.push_back(record.value);
    if (has_times) times.push_back(record.time);
    if (has_kinds) kinds.push_back(kind_keys.intern(record.item_name));
  }
  return EventLog(std::move(user_keys), std::move(item_keys), std::move(kind_keys), {users, items, kinds}, std::move(values),
                  std::move(times), table.finish());
}

}  // namespace kindred::inline v0
