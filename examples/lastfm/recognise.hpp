// SPDX-License-Identifier: MIT
// Which of the known public files is this? So that --format can be left out.
#pragma once

#include <string>

namespace study {

/// What --format would be: by the first line of the file, whatever its name; where that is not enough, by its name.
/// @throws kindred::IoError if it cannot be read; kindred::InvalidArgument if it is none of the known ones.
[[nodiscard]] std::string recognise_format(const std::string& path);

/// The file of artist names that belongs to `path` and lies beside it under its usual name; empty if there is none.
[[nodiscard]] std::string names_beside(const std::string& path, const std::string& format);

}  // namespace study
