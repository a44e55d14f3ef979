// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/storage/checksum.hpp>

// The file that csr_file_writer.hpp writes and csr_file.hpp reads: a header of 4,096 bytes, then arrays that start at multiples of 4,096 bytes, little-endian.
// Both orientations are there, and the keys of users and items where they had some. Between arrays there may be zeros.

namespace kindred::inline v0::detail {

/// The arrays of a file. Offsets are 64-bit, rows + 1 of them; columns 32-bit; values floats. Keys are one block of bytes and 64-bit ends, one a key.
enum class CsrSection : std::size_t {
  user_offsets,
  item_offsets,
  user_key_ends,
  user_key_bytes,
  item_key_ends,
  item_key_bytes,
  user_columns,
  user_values,
  item_columns,
  item_values,
};
inline constexpr std::size_t csr_section_count = 10;
inline constexpr std::size_t csr_page = 4096;

struct CsrFileHeader {
  static constexpr std::array<char, 8> the_magic = {'K', 'I', 'N', 'D', 'C', 'S', 'R', '\n'};
  static constexpr std::uint64_t the_version = 1;

  std::array<char, 8> magic = the_magic;
  std::uint64_t version = the_version;
  std::int64_t users = 0;
  std::int64_t items = 0;
  std::int64_t nnz = 0;
  std::uint64_t file_bytes = 0;
  std::array<HashedBytes, csr_section_count> sections{};
  std::uint64_t checksum = 0;  // of all before it

  [[nodiscard]] HashedBytes& at(CsrSection section) noexcept { return sections[static_cast<std::size_t>(section)]; }
  [[nodiscard]] const HashedBytes& at(CsrSection section) const noexcept { return sections[static_cast<std::size_t>(section)]; }

  [[nodiscard]] std::uint64_t checksum_of_rest() const noexcept {
    Xxh64 hash;
    hash.update(std::as_bytes(std::span(this, 1)).first(sizeof(CsrFileHeader) - sizeof(checksum)));
    return hash.digest();
  }
};
static_assert(sizeof(CsrFileHeader) == 48 + 24 * csr_section_count + 8 && sizeof(CsrFileHeader) <= csr_page,
              "without padding, in one page");

[[nodiscard]] constexpr std::uint64_t page_aligned(std::uint64_t place) noexcept { return (place + csr_page - 1) / csr_page * csr_page; }

/// The header of a file with these bytes, checked against their number: every array is where it can be, and as long as the shape says.
/// @throws FormatError naming `path` and what is wrong.
[[nodiscard]] inline CsrFileHeader read_csr_header(const std::string& path, std::span<const std::byte> file) {
  const auto refuse = [&](const std::string& why) { throw FormatError(path + ": " + why); };
  CsrFileHeader header;
  if (file.size() < csr_page) refuse("not a file of interactions: " + std::to_string(file.size()) + " bytes are less than its header");
  std::memcpy(&header, file.data(), sizeof(header));
  if (header.magic != CsrFileHeader::the_magic) refuse("not a file of interactions that CsrFileWriter wrote");
  if (header.version != CsrFileHeader::the_version)
    refuse("it is of format " + std::to_string(header.version) + "; this version (" + std::to_string(KINDRED_VERSION_MAJOR) + "." +
           std::to_string(KINDRED_VERSION_MINOR) + "." + std::to_string(KINDRED_VERSION_PATCH) + ") reads format " +
           std::to_string(CsrFileHeader::the_version) + (header.version > CsrFileHeader::the_version ? ", and the file is newer" : ""));
  if (header.checksum != header.checksum_of_rest()) refuse("the header is damaged: its checksum differs");
  if (header.file_bytes != file.size())
    refuse(std::to_string(file.size()) + " bytes long; its header says " + std::to_string(header.file_bytes));
  constexpr std::int64_t most = 0x7FFFFFFF;
  if (header.users < 0 || header.users > most || header.items < 0 || header.items > most || header.nnz < 0 ||
      static_cast<std::uint64_t>(header.nnz) > file.size() / sizeof(Index))
    refuse("a shape that cannot be");
  const auto check = [&](CsrSection section, std::uint64_t wanted, bool optional) {
    const HashedBytes& place = header.at(section);
    if (place.start % csr_page != 0 || place.start < csr_page || place.start > file.size() || place.bytes > file.size() - place.start)
      refuse("an array outside the file");
    if (place.bytes != wanted && !(optional && place.bytes == 0)) refuse("an array of another length than its shape says");
  };
  const auto users = static_cast<std::uint64_t>(header.users), items = static_cast<std::uint64_t>(header.items);
  const auto nnz = static_cast<std::uint64_t>(header.nnz);
  check(CsrSection::user_offsets, (users + 1) * sizeof(Offset), false);
  check(CsrSection::item_offsets, (items + 1) * sizeof(Offset), false);
  check(CsrSection::user_key_ends, users * sizeof(std::uint64_t), true);
  check(CsrSection::user_key_bytes, header.at(CsrSection::user_key_bytes).bytes, true);
  check(CsrSection::item_key_ends, items * sizeof(std::uint64_t), true);
  check(CsrSection::item_key_bytes, header.at(CsrSection::item_key_bytes).bytes, true);
  check(CsrSection::user_columns, nnz * sizeof(Index), false);
  check(CsrSection::user_values, nnz * sizeof(float), false);
  check(CsrSection::item_columns, nnz * sizeof(Index), false);
  check(CsrSection::item_values, nnz * sizeof(float), false);
  return header;
}

}  // namespace kindred::inline v0::detail
