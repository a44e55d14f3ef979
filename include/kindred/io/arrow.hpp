// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include <kindred/core/config.hpp>
#include <kindred/io/event_log.hpp>

// The structs of the Arrow C data and C stream interfaces (https://arrow.apache.org/docs/format/CDataInterface.html), by which libraries hand columns to each
// other without knowing each other. Whoever comes first defines them.
extern "C" {

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif  // ARROW_C_STREAM_INTERFACE

}  // extern "C"

namespace kindred::inline v0 {

/// The columns of an Arrow table that are events, by name; an empty name stands for no such column.
struct ArrowColumns {
  std::string user = "user";  ///< Whole numbers of 8 to 64 bits, text (utf8, large_utf8), or a dictionary of either; as `item` and `kind`.
  std::string item = "item";
  std::string value = {};  ///< Whole numbers, float or double.
  std::string time =
      {};  ///< Timestamps or dates, which are in UTC; or int64, seconds since the Unix epoch. Fractions of seconds are cut off.
  std::string kind = {};
};

/// Reads a stream of record batches, such as DuckDB, Arrow C++ and pyarrow export. The order of rows is kept, and the keys are those of KeyColumn: 42 is "42".
///
/// Reads the stream to its end and releases it, on errors as well. Other columns are ignored, whatever their type. O(rows + bytes of the keys).
/// @throws InvalidArgument for a column that is missing, named twice or of another type; for a null, an empty key, a value that is not finite as a float or a
/// code outside its dictionary, naming the first with its column and row; ShapeError where lengths do not belong together; IoError with the words of the
/// producer where it fails.
[[nodiscard]] KINDRED_ONCE EventLog read_arrow(ArrowArrayStream& stream, const ArrowColumns& columns = {});

/// Reads one record batch, with the columns and errors of the overload for streams. Releases both structs, on errors as well.
[[nodiscard]] KINDRED_ONCE EventLog read_arrow(ArrowSchema& schema, ArrowArray& batch, const ArrowColumns& columns = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/arrow.ipp>  // IWYU pragma: export
#endif
