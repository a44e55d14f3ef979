// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/load_options.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>
#include <kindred/version.hpp>

namespace kindred::inline v0 {

namespace detail {

inline constexpr std::string_view model_format = "1";

[[nodiscard]] inline std::string version_text() {
  return std::to_string(KINDRED_VERSION_MAJOR) + "." + std::to_string(KINDRED_VERSION_MINOR) + "." + std::to_string(KINDRED_VERSION_PATCH);
}

inline void write_head(TensorWriter& writer, std::string kind, const FlatObject& fields) {
  writer.set("kindred.format", std::string(model_format));
  writer.set("kindred.kind", std::move(kind));
  writer.set("kindred.version", version_text());
  writer.set("kindred.model", fields.text());
}

/// @throws FormatError if a file is of another format than this version reads.
inline void check_format(const std::string& file, const std::string& format) {
  if (format == model_format) return;
  const bool number = !format.empty() && format.size() < 9 && format.find_first_not_of("0123456789") == std::string::npos;
  const bool newer = number && (format.size() > model_format.size() || format > model_format);
  throw FormatError(file + ": it is of format '" + format + "'; this version (" + version_text() + ") reads format " +
                    std::string(model_format) + (newer ? ", and the file is newer" : ""));
}

/// @throws FormatError if the file is of another format or kind.
[[nodiscard]] inline FlatObject read_head(TensorReader& reader, std::string_view kind) {
  check_format(reader.name(), reader.metadata("kindred.format"));
  (void)reader.metadata("kindred.version");
  if (const std::string& found = reader.metadata("kindred.kind"); found != kind)
    reader.fail("it holds a model of kind " + found + "; asked for was " + std::string(kind));
  return {reader.metadata("kindred.model"), reader.name() + ", entry kindred.model"};
}

}  // namespace detail
}  // namespace kindred::inline v0

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// How one kind of model is written and read.
template <typename Model>
struct ModelFormat;

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
