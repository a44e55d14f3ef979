// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/path.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/csr_file_format.hpp>
#include <kindred/storage/csr_orientation_writer.hpp>
#include <kindred/storage/external_sort.hpp>
#include <kindred/storage/hashed_writer.hpp>

namespace kindred::inline v0 {

/// How a file of interactions is made.
struct CsrFileOptions {
  /// Bytes, at least 2^20: what is allocated at a time, half of it for sorting and a quarter for keys. More means fewer and longer runs to merge.
  std::uint64_t memory_limit = std::uint64_t{1} << 30;
  /// Where the interactions come from, for error texts; write_csr_file says its text file unless this is set.
  std::string input = {};
};

/// Makes a file for CsrFile of interactions in any order, more than memory holds: sorted runs on the disk are merged at the end into both orientations.
/// Repeats of a pair are summed, in double and in the order given; pairs that sum to 0 are dropped.
///
/// finish() puts the whole file at `path`; before that, `path` is unchanged. A build always starts anew: the runs are in files without a name beside
/// `path`, and the system frees them however the process ends. Disk: up to 24 bytes an interaction for the runs and 16 for the file.
/// Every method throws IoError where the system refuses a file.
class CsrFileWriter {
 public:
  /// @throws InvalidArgument if memory_limit is too low; IoError if a folder, pipe, device or socket is at `path`.
  explicit CsrFileWriter(const Path& path, CsrFileOptions options = {})
      : path_(detail::replaceable_target(path)), options_(checked(std::move(options))), sorted_by_user_(path_) {
    buffer_ = std::make_unique<detail::SortBuffer>(options_.memory_limit / 2);
  }

  /// Interactions so far.
  [[nodiscard]] std::uint64_t added() const noexcept { return added_; }

  /// @throws InvalidArgument if an index is negative or 2^31 - 1, the value is not finite, or the writer is finished.
  void add(Index user, Index item, float value) {
    constexpr Index end = (std::numeric_limits<Index>::max)();
    if (user < 0 || user == end) throw InvalidArgument("user", user, "in [0, 2^31 - 1)");
    if (item < 0 || item == end) throw InvalidArgument("item", item, "in [0, 2^31 - 1)");
    if (!detail::is_finite(value)) throw InvalidArgument("value", value, "finite");
    make_room();
    buffer_->add({user, item, value});
    shape_ = {(std::max)(shape_.users, user + 1), (std::max)(shape_.items, item + 1)};
    ++added_;
  }

  /// The same by names, which the file will hold; users and items are numbered as they come. Not to be mixed with the other.
  /// @throws InvalidArgument also if the names take more than a quarter of memory_limit.
  void add(std::string_view user, std::string_view item, float value) {
    if (!detail::is_finite(value)) throw InvalidArgument("value", value, "finite");  // before it leaves a name behind
    make_room();
    add(users_.intern(user), items_.intern(item), value);
    if ((added_ & 0xFFFF) == 0) check_key_memory();
  }

  /// Merges, and puts the file into place. `shape`: at least as large as the indices that came; by default just so, and with names no other.
  /// @throws InvalidArgument if `shape` is too small or not that of the names, nothing was added, a sum is beyond the range of a float, or the writer
  /// is finished; FormatError if what is on the disk changed meanwhile.
  void finish(std::optional<MatrixShape> shape = std::nullopt) {
    const detail::RoundToNearest rounding;
    if (shape && (shape->users < shape_.users || shape->items < shape_.items))
      throw InvalidArgument("shape", detail::shape_text(*shape), "at least " + detail::shape_text(shape_));
    check_open();
    if (added_ == 0) throw InvalidArgument("interactions", "none", "at least one");
    const MatrixShape named{users_.size(), items_.size()}, wanted = shape.value_or(shape_);
    if (named != MatrixShape{} && named != wanted)
      throw InvalidArgument("shape", detail::shape_text(wanted), detail::shape_text(named) + ", one name for each user and item");
    shape_ = wanted;
    if (!buffer_->empty()) write_run();
    buffer_.reset();
    write_file();
  }

 private:
  [[nodiscard]] static CsrFileOptions checked(CsrFileOptions options) {
    if (options.memory_limit < (std::uint64_t{1} << 20)) throw InvalidArgument("memory_limit", options.memory_limit, "at least 2^20 bytes");
    return options;
  }

  /// finish() uses the writer up, also where it throws after the merge began.
  void check_open() const {
    if (!buffer_) throw InvalidArgument("the writer", "finished or moved from", "one that finish() was not called on");
  }

  void make_room() {
    check_open();
    if (buffer_->full()) write_run();
  }

  void write_run() {
    check_key_memory();
    buffer_->sort();
    runs_.push_back(detail::write_run(sorted_by_user_, *buffer_));
    buffer_->clear();
  }

  void check_key_memory() const {
    const std::uint64_t taken = users_.memory_bytes() + items_.memory_bytes();
    if (taken > options_.memory_limit / 4)
      throw InvalidArgument("memory_limit", options_.memory_limit,
                            "at least " + std::to_string(4 * taken) + ", four times what the names of " + std::to_string(users_.size()) +
                                " users and " + std::to_string(items_.size()) + " items take");
  }

  void write_file() {
    using detail::CsrSection;
    detail::AtomicFile file(path_);
    detail::CsrFileHeader header;
    std::uint64_t end = detail::csr_page;
    const auto place = [&](std::uint64_t bytes) { return std::exchange(end, end + detail::page_aligned(bytes)); };
    const auto users = static_cast<std::uint64_t>(shape_.users), items = static_cast<std::uint64_t>(shape_.items);
    const std::uint64_t user_offsets = place((users + 1) * sizeof(Offset)), item_offsets = place((items + 1) * sizeof(Offset));
    write_keys(file, users_, header.at(CsrSection::user_key_ends), header.at(CsrSection::user_key_bytes), end);
    write_keys(file, items_, header.at(CsrSection::item_key_ends), header.at(CsrSection::item_key_bytes), end);
    // How many are left once repeats are summed is known only at the end: a file with repeats has gaps, which take no room on the disk.
    const std::uint64_t user_columns = place(added_ * sizeof(Index)), user_values = place(added_ * sizeof(float));
    detail::CsrOrientationWriter by_user(file, user_offsets, user_columns, user_values);

    detail::ScratchFile sorted_by_item(path_);
    const std::vector<detail::HashedBytes> item_runs = merge_users(by_user, sorted_by_item);
    by_user.finish(shape_.users, header.at(CsrSection::user_offsets), header.at(CsrSection::user_columns),
                   header.at(CsrSection::user_values));

    const auto nnz = static_cast<std::uint64_t>(by_user.nnz());
    const std::uint64_t item_columns = place(nnz * sizeof(Index)), item_values = place(nnz * sizeof(float));
    const std::byte nothing{0};
    file.write_at(end - 1, {&nothing, 1});  // as long as the header will say, however much of the last page is used
    detail::CsrOrientationWriter by_item(file, item_offsets, item_columns, item_values);
    {
      detail::RunMerger merger(sorted_by_item, item_runs, options_.memory_limit / 8);
      for (detail::SortEntry entry; merger.next(entry);) by_item.add(entry);
    }
    by_item.finish(shape_.items, header.at(CsrSection::item_offsets), header.at(CsrSection::item_columns),
                   header.at(CsrSection::item_values));
    header.users = shape_.users;
    header.items = shape_.items;
    header.nnz = by_user.nnz();
    header.file_bytes = end;
    header.checksum = header.checksum_of_rest();
    file.write_at(0, std::as_bytes(std::span(&header, 1)));
    file.commit();
  }

  /// Merges the runs into the rows of users, repeats summed, and sorts these by item into runs of `sorted_by_item`.
  [[nodiscard]] std::vector<detail::HashedBytes> merge_users(detail::CsrOrientationWriter& by_user,
                                                             detail::ScratchFile& sorted_by_item) const {
    std::vector<detail::HashedBytes> item_runs;
    const auto write_item_run = [&](detail::SortBuffer& buffer) {
      buffer.sort();
      item_runs.push_back(detail::write_run(sorted_by_item, buffer));
      buffer.clear();
    };
    detail::RunMerger merger(sorted_by_user_, runs_, options_.memory_limit / 8);
    detail::SortBuffer buffer(options_.memory_limit / 2);
    detail::SortEntry next;
    bool more = merger.next(next);
    while (more) {
      detail::SortEntry entry = next;
      double sum = 0.0;
      for (; more && next.row == entry.row && next.column == entry.column; more = merger.next(next)) sum += static_cast<double>(next.value);
      // Checked as a double: converting one beyond the range of float is undefined.
      if (std::abs(sum) > static_cast<double>((std::numeric_limits<float>::max)()))
        throw InvalidArgument("the sum of " + name_of("user", users_, entry.row) + " and " + name_of("item", items_, entry.column) +
                                  (options_.input.empty() ? "" : " in " + options_.input),
                              sum, "within the range of a float");
      entry.value = static_cast<float>(sum);
      if (entry.value == 0.0F) continue;
      by_user.add(entry);
      if (buffer.full()) write_item_run(buffer);
      buffer.add({entry.column, entry.row, entry.value});
    }
    if (!buffer.empty()) write_item_run(buffer);
    return item_runs;
  }

  static void write_keys(detail::AtomicFile& file, const IdMap& keys, detail::HashedBytes& ends, detail::HashedBytes& bytes,
                         std::uint64_t& at) {
    detail::HashedWriter end_writer(file, at);
    std::uint64_t length = 0;
    for (Index n = 0; n < keys.size(); ++n) end_writer.put(length += keys.key(n).size());
    ends = end_writer.finish();
    at += detail::page_aligned(ends.bytes);
    detail::HashedWriter byte_writer(file, at);
    for (Index n = 0; n < keys.size(); ++n) {
      const std::string_view key = keys.key(n);
      byte_writer.put_bytes(std::as_bytes(std::span(key.data(), key.size())));
    }
    bytes = byte_writer.finish();
    at += detail::page_aligned(bytes.bytes);
  }

  [[nodiscard]] static std::string name_of(std::string_view what, const IdMap& keys, Index index) {
    return std::string(what) + " " + (index < keys.size() ? detail::printable(keys.key(index)) : std::to_string(index));
  }

  std::string path_;  // the target of all links
  CsrFileOptions options_;
  detail::ScratchFile sorted_by_user_;
  std::vector<detail::HashedBytes> runs_;
  std::unique_ptr<detail::SortBuffer> buffer_;
  IdMap users_;
  IdMap items_;
  MatrixShape shape_;
  std::uint64_t added_ = 0;
};

}  // namespace kindred::inline v0
