// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/arrow.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/dataset.ipp>
#include <kindred/data/events.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/io/arrow.hpp>
#include <kindred/io/event_log.hpp>
#include <kindred/io/event_log.ipp>

namespace kindred::inline v0 {

namespace detail {

/// Releases a struct of Arrow at the end of its scope. One that was released, or never filled, has no `release`.
template <typename Struct>
class ArrowOwner {
 public:
  explicit ArrowOwner(Struct& owned) noexcept : owned_(owned) {}
  ArrowOwner(const ArrowOwner&) = delete;
  ArrowOwner& operator=(const ArrowOwner&) = delete;
  ~ArrowOwner() {
    if (owned_.release != nullptr) owned_.release(&owned_);
  }

 private:
  Struct& owned_;
};

/// One column of a batch. Rows count from 0; `first_row`: of the batch, in the whole stream.
class ArrowColumn {
 public:
  ArrowColumn(const ArrowSchema& schema, const ArrowArray& array, std::string_view name, std::int64_t offset, std::int64_t length,
              std::uint64_t first_row)
      : schema_(schema), array_(array), name_(name), offset_(offset + array.offset), length_(length), first_row_(first_row) {
    if (array.length < offset + length || array.offset < 0)
      throw ShapeError("column " + printable(name) + " has " + std::to_string(array.length) + " rows; its batch needs " +
                       std::to_string(offset + length));
  }

  [[nodiscard]] std::string_view format() const noexcept { return schema_.format; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(length_); }

  /// "column 'user', row 17" of the stream.
  [[nodiscard]] std::string place(std::size_t row) const {
    return "column " + printable(name_) + ", row " + std::to_string(first_row_ + row);
  }

  /// @throws InvalidArgument at the first null.
  void refuse_nulls() const {
    const auto* const valid = static_cast<const std::uint8_t*>(buffer(0, 1));
    if (valid == nullptr || array_.null_count == 0) return;
    for (std::size_t row = 0; row < size(); ++row) {
      const std::size_t at = static_cast<std::size_t>(offset_) + row;
      if ((valid[at / 8] >> (at % 8) & 1) == 0) throw InvalidArgument(place(row), "null", "a value: leave such rows out before");
    }
  }

  /// The values of a column of fixed size.
  template <typename T>
  [[nodiscard]] std::span<const T> values() const {
    const void* const data = buffer(1, 2);
    if (data == nullptr && length_ > 0) throw ShapeError("column " + printable(name_) + " has no buffer of values");
    return {static_cast<const T*>(data) + offset_, size()};
  }

  /// The texts of a column of utf8 (32-bit offsets) or large_utf8.
  template <typename OffsetOf>
  [[nodiscard]] std::vector<std::string_view> texts() const {
    const auto* const ends = static_cast<const OffsetOf*>(buffer(1, 3));
    const auto* const bytes = static_cast<const char*>(buffer(2, 3));
    std::vector<std::string_view> texts;
    texts.reserve(size());
    for (std::size_t row = 0; row < size(); ++row) {
      const OffsetOf first = ends[offset_ + static_cast<std::int64_t>(row)], last = ends[offset_ + static_cast<std::int64_t>(row) + 1];
      if (first < 0 || last < first) throw ShapeError(place(row) + ": its text has a length below 0");
      if (last > first && bytes == nullptr) throw ShapeError("column " + printable(name_) + " has no buffer of texts");
      texts.emplace_back(bytes + first, static_cast<std::size_t>(last - first));
    }
    return texts;
  }

  /// The dictionary that codes of this column refer to, whole; none for plain columns.
  [[nodiscard]] std::optional<ArrowColumn> dictionary() const {
    if (schema_.dictionary == nullptr) return std::nullopt;
    if (array_.dictionary == nullptr) throw ShapeError("column " + printable(name_) + " has no dictionary in a batch");
    return ArrowColumn(*schema_.dictionary, *array_.dictionary, name_, 0, array_.dictionary->length, 0);
  }

  /// @throws InvalidArgument naming the type that was found.
  [[noreturn]] void refuse_type(std::string_view expected) const {
    throw InvalidArgument("the Arrow type of column " + printable(name_), printable(format()), expected);
  }

 private:
  [[nodiscard]] const void* buffer(std::int64_t n, std::int64_t count) const {
    if (array_.n_buffers < count || array_.buffers == nullptr)
      throw ShapeError("column " + printable(name_) + " has " + std::to_string(array_.n_buffers) + " buffers; its type needs " +
                       std::to_string(count));
    return array_.buffers[n];
  }

  const ArrowSchema& schema_;
  const ArrowArray& array_;
  std::string_view name_;
  std::int64_t offset_;
  std::int64_t length_;
  std::uint64_t first_row_;
};

/// Calls use(values) with the whole numbers of a column, whatever their width. False for other types.
template <typename Use>
[[nodiscard]] bool with_whole_numbers(const ArrowColumn& column, Use&& use) {
  const std::string_view format = column.format();
  if (format == "c") return use(column.values<std::int8_t>()), true;
  if (format == "C") return use(column.values<std::uint8_t>()), true;
  if (format == "s") return use(column.values<std::int16_t>()), true;
  if (format == "S") return use(column.values<std::uint16_t>()), true;
  if (format == "i") return use(column.values<std::int32_t>()), true;
  if (format == "I") return use(column.values<std::uint32_t>()), true;
  if (format == "l") return use(column.values<std::int64_t>()), true;
  if (format == "L") return use(column.values<std::uint64_t>()), true;
  return false;
}

/// The indices in `ids` of the keys of a column.
[[nodiscard]] inline std::vector<Index> intern_arrow(IdMap& ids, const ArrowColumn& column) {
  column.refuse_nulls();
  const auto every = [](std::size_t) { return true; };
  std::vector<Index> indices;
  const auto take_texts = [&](const std::vector<std::string_view>& texts) {
    for (std::size_t row = 0; row < texts.size(); ++row)
      if (texts[row].empty()) throw InvalidArgument(column.place(row), "''", "a key that is not empty");
    indices = intern_column(ids, texts, "key", every);
  };
  if (const std::optional<ArrowColumn> dictionary = column.dictionary()) {
    // A code may stand for a key that no row has: keys come in with the first row that has them.
    IdMap own;
    const std::vector<Index> keys = intern_arrow(own, *dictionary);
    std::vector<Index> known(keys.size(), -1);
    indices.reserve(column.size());
    const bool whole = with_whole_numbers(column, [&]<typename T>(std::span<const T> codes) {
      for (std::size_t row = 0; row < codes.size(); ++row) {
        const auto code = static_cast<std::uint64_t>(static_cast<std::int64_t>(codes[row]));
        if (code >= keys.size())
          throw InvalidArgument(column.place(row), codes[row], "a code of its dictionary, below " + std::to_string(keys.size()));
        Index& index = known[static_cast<std::size_t>(code)];
        if (index < 0) index = ids.intern(own.key(keys[static_cast<std::size_t>(code)]));
        indices.push_back(index);
      }
    });
    if (!whole) column.refuse_type("a dictionary with codes of whole numbers");
    return indices;
  }
  if (column.format() == "u") return take_texts(column.texts<std::int32_t>()), indices;
  if (column.format() == "U") return take_texts(column.texts<std::int64_t>()), indices;
  const bool whole = with_whole_numbers(column, [&]<typename T>(std::span<const T> numbers) {
    if constexpr (sizeof(T) == 1) {
      const std::vector<std::int16_t> wide(numbers.begin(), numbers.end());
      indices = intern_column(ids, wide, "key", every);
    } else {
      indices = intern_column(ids, numbers, "key", every);
    }
  });
  if (!whole) column.refuse_type("whole numbers, utf8, large_utf8 or a dictionary of these");
  return indices;
}

/// Adds the values of a column.
inline void add_arrow_values(const ArrowColumn& column, std::vector<float>& values) {
  column.refuse_nulls();
  const auto add = [&](const auto& numbers) {
    for (std::size_t row = 0; row < numbers.size(); ++row) {
      const auto number = static_cast<double>(numbers[row]);
      if (!(std::abs(number) <= static_cast<double>((std::numeric_limits<float>::max)())))
        throw InvalidArgument(column.place(row), number, "finite, in the range of a float");
      values.push_back(static_cast<float>(number));
    }
  };
  if (column.dictionary()) column.refuse_type("whole numbers, float or double, not a dictionary");
  if (column.format() == "f")
    add(column.values<float>());
  else if (column.format() == "g")
    add(column.values<double>());
  else if (!with_whole_numbers(column, add))
    column.refuse_type("whole numbers, float or double");
}

/// Adds the times of a column, in seconds.
inline void add_arrow_times(const ArrowColumn& column, std::vector<std::int64_t>& times) {
  column.refuse_nulls();
  const std::string_view format = column.format();
  if (column.dictionary()) column.refuse_type("timestamps, dates or int64, not a dictionary");
  if (format == "tdD") {
    for (const std::int32_t days : column.values<std::int32_t>()) times.push_back(std::int64_t{days} * 86'400);
    return;
  }
  std::int64_t unit = 0;  // of a second
  if (format == "l" || format.substr(0, 4) == "tss:") unit = 1;
  if (format == "tdm" || format.substr(0, 4) == "tsm:") unit = 1'000;
  if (format.substr(0, 4) == "tsu:") unit = 1'000'000;
  if (format.substr(0, 4) == "tsn:") unit = 1'000'000'000;
  if (unit == 0) column.refuse_type("timestamps, dates or int64");
  for (const std::int64_t time : column.values<std::int64_t>()) times.push_back(time / unit - (time % unit < 0 ? 1 : 0));
}

/// Where the columns of events are in a table. @throws InvalidArgument unless each that is asked for is there once.
struct ArrowPlaces {
  std::optional<std::size_t> user, item, value, time, kind;

  ArrowPlaces(const ArrowSchema& schema, const ArrowColumns& columns) {
    if (schema.format == nullptr || std::string_view(schema.format) != "+s")
      throw InvalidArgument("the Arrow type of the table", printable(schema.format != nullptr ? schema.format : ""), "a struct, '+s'");
    const std::pair<std::optional<std::size_t>*, const std::string*> wanted[] = {
        {&user, &columns.user}, {&item, &columns.item}, {&value, &columns.value}, {&time, &columns.time}, {&kind, &columns.kind}};
    std::string names;
    for (std::int64_t n = 0; n < schema.n_children; ++n) {
      const char* const name = schema.children[n]->name;
      names.append(n > 0 ? ", " : "").append(printable(name != nullptr ? name : ""));
      for (const auto& [place, of] : wanted) {
        if (of->empty() || name == nullptr || *of != name) continue;
        if (*place) throw InvalidArgument("column " + printable(*of), "there twice", "there once");
        *place = static_cast<std::size_t>(n);
      }
    }
    for (const auto& [place, of] : wanted)
      if (!of->empty() && !*place) throw InvalidArgument("column " + printable(*of), "missing", "one of the table's: " + names);
    if (!user || !item) throw InvalidArgument("columns.user and columns.item", "an empty name", "names of columns");
  }
};

/// Puts the batches of a table into an EventLog.
class ArrowReader {
 public:
  ArrowReader(const ArrowSchema& schema, const ArrowColumns& columns) : schema_(schema), places_(schema, columns) {}

  void add(const ArrowArray& batch) {
    if (batch.n_children != schema_.n_children)
      throw ShapeError("a batch has " + std::to_string(batch.n_children) + " columns; its table has " + std::to_string(schema_.n_children));
    if (batch.null_count > 0) throw InvalidArgument("the number of null rows in a batch", batch.null_count, "0");
    const auto interned = [&](IdMap& ids, std::size_t place, std::vector<Index>& all) {
      const std::vector<Index> some = intern_arrow(ids, column(batch, place));
      all.insert(all.end(), some.begin(), some.end());
    };
    interned(user_keys_, *places_.user, users_);
    interned(item_keys_, *places_.item, items_);
    if (places_.kind) interned(kind_keys_, *places_.kind, kinds_);
    if (places_.value) add_arrow_values(column(batch, *places_.value), values_);
    if (places_.time) add_arrow_times(column(batch, *places_.time), times_);
    rows_ += static_cast<std::uint64_t>(batch.length);
  }

  [[nodiscard]] EventLog finish() {
    LoadReport report;
    report.source = "Arrow batches";
    report.lines = report.rows = rows_;
    return EventLog(std::move(user_keys_), std::move(item_keys_), std::move(kind_keys_), {users_, items_, kinds_}, std::move(values_),
                    std::move(times_), std::move(report));
  }

 private:
  [[nodiscard]] ArrowColumn column(const ArrowArray& batch, std::size_t place) const {
    const ArrowSchema& schema = *schema_.children[place];
    return ArrowColumn(schema, *batch.children[place], schema.name, batch.offset, batch.length, rows_);
  }

  const ArrowSchema& schema_;
  ArrowPlaces places_;
  IdMap user_keys_, item_keys_, kind_keys_;
  std::vector<Index> users_, items_, kinds_;
  std::vector<float> values_;
  std::vector<std::int64_t> times_;
  std::uint64_t rows_ = 0;
};

/// @throws IoError with the producer's words unless `error` is 0.
inline void check_arrow(ArrowArrayStream& stream, int error, std::string_view action) {
  if (error == 0) return;
  const char* const words = stream.get_last_error != nullptr ? stream.get_last_error(&stream) : nullptr;
  throw IoError(words != nullptr ? "an Arrow stream (" + printable(words) + ")" : std::string("an Arrow stream"), action, error);
}

}  // namespace detail

KINDRED_ONCE EventLog read_arrow(ArrowArrayStream& stream, const ArrowColumns& columns) {
  const detail::ArrowOwner<ArrowArrayStream> owner(stream);
  ArrowSchema schema{};
  detail::check_arrow(stream, stream.get_schema(&stream, &schema), "reading the schema of");
  const detail::ArrowOwner<ArrowSchema> schema_owner(schema);
  detail::ArrowReader reader(schema, columns);
  for (;;) {
    ArrowArray batch{};
    detail::check_arrow(stream, stream.get_next(&stream, &batch), "reading");
    if (batch.release == nullptr) return reader.finish();
    const detail::ArrowOwner<ArrowArray> batch_owner(batch);
    reader.add(batch);
  }
}

KINDRED_ONCE EventLog read_arrow(ArrowSchema& schema, ArrowArray& batch, const ArrowColumns& columns) {
  const detail::ArrowOwner<ArrowSchema> schema_owner(schema);
  const detail::ArrowOwner<ArrowArray> batch_owner(batch);
  detail::ArrowReader reader(schema, columns);
  reader.add(batch);
  return reader.finish();
}

}  // namespace kindred::inline v0
