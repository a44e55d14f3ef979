// SPDX-License-Identifier: MIT
#pragma once

// Model files taken apart and put together again, with whatever a test wants to change between.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include <doctest/doctest.h>

#include <kindred/persistence/safetensors.hpp>
#include <kindred/storage/checksum.hpp>

namespace kindred_test {

/// A file of this header and data, with the right checksum where the header has sixteen zeros for it.
inline std::string file_of(std::string header, const std::string& data) {
  const std::string zeros = "\"0000000000000000\"";
  if (const std::size_t at = header.find(zeros); at != std::string::npos) {
    kindred::detail::Xxh64 hash;
    hash.update(std::as_bytes(std::span(header)));
    hash.update(std::as_bytes(std::span(data)));
    header.replace(at + 1, 16, kindred::detail::digest_text(hash.digest()));
  }
  std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + data;
}

/// Of a file.
struct Parts {
  std::string header;
  std::string data;
};

inline Parts parts_of(const std::string& file) {
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  return {file.substr(8, static_cast<std::size_t>(length)), file.substr(8 + static_cast<std::size_t>(length))};
}

/// The file with `from` in its header replaced, checksum and length set right again.
inline std::string with_header(const std::string& file, const std::string& from, const std::string& to) {
  Parts parts = parts_of(file);
  const std::size_t digits = parts.header.find("xxh64\":\"");
  REQUIRE(digits != std::string::npos);
  parts.header.replace(digits + 8, 16, 16, '0');
  const std::size_t at = parts.header.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  parts.header.replace(at, from.size(), to);
  return file_of(parts.header, parts.data);
}

/// The file with one number of a tensor replaced, checksum set right again.
template <typename T>
std::string with_value(const std::string& file, const std::string& tensor, std::size_t n, T value) {
  Parts parts = parts_of(file);
  const kindred::detail::SafetensorsHeader header = kindred::detail::parse_header(parts.header, parts.data.size(), "file");
  for (const kindred::detail::Tensor& t : header.tensors)
    if (t.name == tensor) std::memcpy(parts.data.data() + t.begin + n * sizeof(T), &value, sizeof(T));
  return with_header(file_of(parts.header, parts.data), "{", "{");
}

}  // namespace kindred_test
