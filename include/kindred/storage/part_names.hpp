// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// Names for files beside `target` that are not finished: .kindred-<16 digits for the target>-<process>-<16 digits>.part. They are short, whatever the
/// length of the target's name, and no other program makes them.
class PartNames {
 public:
  explicit PartNames(const std::string& target);

  /// Another name for each `attempt`.
  [[nodiscard]] std::string next(std::uint64_t attempt) const;

  [[nodiscard]] std::string folder() const { return folder_.empty() ? "." : folder_; }

  /// Whether next() can have made this name, in this or another process.
  [[nodiscard]] bool made(std::string_view name) const;

 private:
  static constexpr std::string_view suffix = ".part";

  std::string folder_;
  std::string stem_;
};

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/storage/part_names.ipp>  // IWYU pragma: export
#endif
