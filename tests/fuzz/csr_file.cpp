// SPDX-License-Identifier: MIT
// Files of interactions from anywhere: refused by a kindred::Error, or what they promise.
//
// The first byte of an input says what its rest is: a file; or interactions, of whose file some bytes are then changed, with the header's checksum set right
// or not.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/storage/csr_file.hpp>
#include <kindred/storage/csr_file_format.hpp>
#include <kindred/storage/csr_file_writer.hpp>

#include "../support/temporary_file.hpp"
#include "input.hpp"

namespace kd = kindred;

namespace kindred_fuzz {

namespace {

using CellSums = std::map<std::pair<kd::Index, kd::Index>, float>;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void put(const std::string& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// Every row of every block, which ends where the shape says. Its columns and values are believed only once they are checked, as fit does.
void read_rows(const kd::CsrFileRows& rows) {
  kd::Index next = 0;
  kd::Offset nnz = 0;
  float sum = 0.0F;
  for (std::size_t n = 0; n < rows.block_count(); ++n) {
    const kd::RowBlock block = rows.block(n);
    check(block.first == next, "blocks follow each other");
    for (kd::Index r = 0; r < block.rows.rows(); ++r) {
      const kd::SparseRow row = block.rows.row(r);
      check(row.size() == rows.row(next + r).size(), "a row is as long in its block");
      for (std::size_t i = 0; i < row.size(); ++i) sum += row.values[i] + static_cast<float>(row.columns[i]);
      nnz += static_cast<kd::Offset>(row.size());
    }
    next += block.rows.rows();
    rows.release(n);
  }
  check(next == rows.shape().users && nnz == rows.nnz(), "blocks hold every row");
  volatile const float seen = sum;
  (void)seen;
}

void read_keys(const kd::CsrFile& file) {
  if (!file.has_keys()) return;
  try {
    for (kd::Index u = 0; u < file.shape().users; ++u) (void)std::string(file.user_key(u));
    for (kd::Index i = 0; i < file.shape().items; ++i) (void)std::string(file.item_key(i));
  } catch (const kd::Error& error) {
    refused(error);
  }
}

/// Opened, read, and whether it is what was written.
bool read_file(const std::string& path, std::size_t block_bytes) {
  try {
    const kd::CsrFile file(path, block_bytes);
    read_rows(rows_between(file, 0, file.shape().users));
    read_rows(file.by_items());
    read_keys(file);
    file.verify();
    return true;
  } catch (const kd::Error& error) {
    refused(error);
    return false;
  }
}

CellSums add_some(Input& input, kd::CsrFileWriter& writer, std::size_t most) {
  std::map<std::pair<kd::Index, kd::Index>, double> sums;
  for (std::size_t n = 0; n < most; ++n) {
    const auto user = static_cast<kd::Index>(input.below(20)), item = static_cast<kd::Index>(input.below(20));
    const float value = static_cast<float>(input.byte()) - 100.0F;
    writer.add(user, item, value);
    sums[{user, item}] += static_cast<double>(value);
  }
  CellSums cells;
  for (const auto& [cell, sum] : sums)
    if (sum != 0.0) cells[cell] = static_cast<float>(sum);
  return cells;
}

CellSums cells_of_file(const kd::CsrFile& file) {
  CellSums cells;
  for (kd::Index u = 0; u < file.shape().users; ++u)
    for (std::size_t n = 0; n < file.row(u).size(); ++n) cells[{u, file.row(u).columns[n]}] = file.row(u).values[n];
  return cells;
}

void set_header_checksum(std::string& bytes) {
  kd::detail::CsrFileHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.checksum = header.checksum_of_rest();
  std::memcpy(bytes.data(), &header, sizeof(header));
}

void any_file(Input& input, const kd::test::TemporaryDirectory& folder) {
  const std::size_t block_bytes = 1 + input.below(512);
  const bool repair = input.flag();
  std::string bytes(input.rest());
  // A file is at least a page: what the input leaves out is zeros.
  if (bytes.size() < 2 * kd::detail::csr_page) bytes.resize(2 * kd::detail::csr_page);
  if (repair) set_header_checksum(bytes);
  (void)read_file(folder.file(bytes, "any.csr"), block_bytes);
}

void changed_file(Input& input, const kd::test::TemporaryDirectory& folder) {
  const std::string path = folder.path("plays.csr");
  const std::size_t block_bytes = 1 + input.below(512);
  const bool named = input.flag();
  kd::CsrFileWriter writer(path, {.memory_limit = std::uint64_t{1} << 20});
  if (named)
    for (std::size_t n = 0; n < 4; ++n) writer.add(std::string(n + 1, 'u'), std::string(n % 2 + 1, 'i'), static_cast<float>(n + 1));
  const CellSums cells = named ? CellSums() : add_some(input, writer, 1 + input.below(40));
  writer.finish();
  check(read_file(path, block_bytes), "what was written can be read");
  if (!named) check(cells_of_file(kd::CsrFile(path)) == cells, "what was written is there");

  std::string bytes = content(path);
  const bool repair = input.flag();
  bool changed = false;
  while (!input.empty()) {
    // The header, or a place in one of the pages.
    const std::size_t at =
        input.flag() ? input.below(sizeof(kd::detail::CsrFileHeader)) : input.below(static_cast<std::uint32_t>(bytes.size()));
    const auto byte = static_cast<char>(input.byte());
    changed = changed || bytes[at] != byte;
    bytes[at] = byte;
  }
  if (repair) set_header_checksum(bytes);
  put(path, bytes);
  const bool read = read_file(path, block_bytes);
  if (!changed) check(read, "a file that is as it was can be read");
}

}  // namespace

void csr_file(Bytes bytes) {
  Input input(bytes);
  const kd::test::TemporaryDirectory folder;
  return input.below(2) == 0 ? any_file(input, folder) : changed_file(input, folder);
}

}  // namespace kindred_fuzz
