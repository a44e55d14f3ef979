// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/path.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

namespace detail {
class ArrowReader;
}

/// The events of a file or a table, one a row, with times and kinds: what Dataset has summed away. Each key is held once; a row takes 64 bytes at most.
class EventLog {
 public:
  EventLog() = default;
  EventLog(EventLog&&) = default;
  EventLog& operator=(EventLog&&) = default;

  /// The columns; they refer to this object, which must outlive them.
  [[nodiscard]] Events events() const noexcept {
    return {.users = users_, .items = items_, .values = values_, .times = times_, .kinds = kinds_};
  }

  [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }

  /// What was read.
  [[nodiscard]] const LoadReport& load() const noexcept { return load_; }

 private:
  friend EventLog read_events(const Path& path, const DelimitedFormat& format, const DelimitedFormat::Column& kind,
                              const ReadOptions& options);
  friend class detail::ArrowReader;

  /// Of each row the indices of its keys; `kinds` and `times` may be empty.
  struct Rows {
    const std::vector<Index>& users;
    const std::vector<Index>& items;
    const std::vector<Index>& kinds;
  };
  EventLog(IdMap user_keys, IdMap item_keys, IdMap kind_keys, const Rows& rows, std::vector<float> values, std::vector<std::int64_t> times,
           LoadReport load);

  IdMap user_keys_, item_keys_, kind_keys_;
  std::vector<std::string_view> users_, items_, kinds_;  // into the maps, whose bytes stay where they are when this object is moved
  std::vector<float> values_;
  std::vector<std::int64_t> times_;
  LoadReport load_;
};

/// Reads a text file of events: one line for each `user item [value [time]]`, in the columns that `format` names, and `kind`, if the file has kinds.
///
/// Rows stay apart, in the order of the file. Doubtful lines are decided as read_delimited does; an empty kind is a bad line. `format.item_name` stays unset.
/// Last.fm 1K: `{.item = 2, .item_fallback = 3, .value = {}, .time = 1, .time_format = DelimitedFormat::TimeFormat::iso_8601}`; u.data of MovieLens: `{}`.
/// O(bytes of the file), on one thread.
/// @throws IoError, ParseError, InvalidArgument as read_delimited does; InvalidArgument if `format` has names of items or an optional kind.
[[nodiscard]] KINDRED_ONCE EventLog read_events(const Path& path, const DelimitedFormat& format = {},
                                                const DelimitedFormat::Column& kind = {}, const ReadOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/event_log.ipp>  // IWYU pragma: export
#endif
