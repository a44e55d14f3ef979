// SPDX-License-Identifier: MIT
#pragma once

// The one reader that needs a library beside Kindred's own: zlib. Link target kindred::gzip, or add -lz.

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <kindred/core/error.hpp>
#include <kindred/io/line_source.hpp>

namespace kindred::inline v0 {

/// Opens a gzip file (several members one after the other too) or one that is not compressed, for ReadOptions::open:
/// `read_lastfm_360k("plays.tsv.gz", {.read = {.open = open_gzip}})`. One thread unpacks while the others parse.
/// @throws IoError if the file cannot be opened or read; reading throws FormatError if its compression is damaged or ends too early.
[[nodiscard]] inline ReadBytes open_gzip(const std::string& path) {
  errno = 0;
  const std::shared_ptr<gzFile_s> file(gzopen(path.c_str(), "rb"), [](gzFile_s* opened) {
    if (opened != nullptr) gzclose(opened);
  });
  if (!file) throw IoError(path, "open", errno != 0 ? errno : ENOMEM);
  gzbuffer(file.get(), 1U << 18);
  return [file, path](char* to, std::size_t most) -> std::size_t {
    errno = 0;
    const int got = gzread(file.get(), to, static_cast<unsigned>((std::min)(most, std::size_t{1} << 30)));
    int error = Z_OK;
    const char* const words = gzerror(file.get(), &error);
    if (error == Z_ERRNO) throw IoError(path, "read", errno != 0 ? errno : EIO);
    if (got < 0 || error != Z_OK) throw FormatError(path + ": damaged gzip data: " + std::string(words));
    return static_cast<std::size_t>(got);
  };
}

}  // namespace kindred::inline v0
