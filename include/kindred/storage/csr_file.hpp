// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/path.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/csr_file_format.hpp>
#include <kindred/storage/mapped_file.hpp>

namespace kindred::inline v0 {

/// One orientation of a CsrFile, as a RowSource: blocks are read from the file as they are asked for, and let go of behind. Cheap to copy; copies may be read
/// at the same time.
class CsrFileRows {
 public:
  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] Offset nnz() const noexcept {
    return offsets_[static_cast<std::size_t>(starts_->back())] - offsets_[static_cast<std::size_t>(starts_->front())];
  }
  [[nodiscard]] std::size_t block_count() const noexcept { return starts_->size() - 1; }

  /// Block n, while the one after it is fetched in the background.
  [[nodiscard]] RowBlock block(std::size_t n) const noexcept {
    if (n + 1 < block_count()) advise(n + 1, Advice::will_need);
    const Index first = (*starts_)[n], count = (*starts_)[n + 1] - first;
    const auto [from, to] = places_of(n);
    return {first,
            {detail::unchecked,
             {count, shape_.items},
             offsets_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count) + 1),
             columns_.subspan(from, to - from),
             values_.subspan(from, to - from)}};
  }
  /// Its pages leave the process; the system may keep them.
  void release(std::size_t n) const noexcept { advise(n, Advice::not_needed); }

  /// The rows [first, last) alone, at their places in a matrix of the same shape: what a process reads that solves these. Nothing else of the file is touched.
  /// @throws InvalidArgument if there are no such rows.
  friend CsrFileRows rows_between(const CsrFileRows& rows, Index first, Index last) {
    if (first < 0 || first > last || last > rows.shape_.users)
      throw InvalidArgument("rows", "[" + std::to_string(first) + ", " + std::to_string(last) + ")",
                            "within [0, " + std::to_string(rows.shape_.users) + ")");
    std::vector<Index> starts = {first};
    for (const Index start : *rows.starts_)
      if (start > first && start < last) starts.push_back(start);
    if (last > first) starts.push_back(last);
    CsrFileRows some = rows;
    some.starts_ = std::make_shared<const std::vector<Index>>(std::move(starts));
    return some;
  }
  /// Interactions of each row of the file, read off its offsets.
  friend std::vector<Index> row_counts(const CsrFileRows& rows) {
    std::vector<Index> counts;
    counts.reserve(rows.offsets_.size());
    for (std::size_t r = 0; r + 1 < rows.offsets_.size(); ++r)
      counts.push_back(static_cast<Index>(rows.offsets_[r + 1] - rows.offsets_[r]));
    return counts;
  }

  /// One row. @throws InvalidArgument if there is none of that index.
  [[nodiscard]] SparseRow row(Index index) const {
    if (index < 0 || index >= shape_.users) throw InvalidArgument("row", index, "in [0, " + std::to_string(shape_.users) + ")");
    const auto at = static_cast<std::size_t>(index);
    const auto from = static_cast<std::size_t>(offsets_[at]), count = static_cast<std::size_t>(offsets_[at + 1]) - from;
    return {columns_.subspan(from, count), values_.subspan(from, count)};
  }

 private:
  friend class CsrFile;
  enum class Advice { will_need, not_needed };

  CsrFileRows(std::shared_ptr<const detail::MappedFile> file, const std::string& path, MatrixShape shape, std::span<const Offset> offsets,
              std::span<const Index> columns, std::span<const float> values, std::size_t block_bytes)
      : file_(std::move(file)), shape_(shape), offsets_(offsets), columns_(columns), values_(values) {
    // Offsets are what everything else is found by, and few: they are never believed unread.
    constexpr std::size_t bytes_each = sizeof(Index) + sizeof(float);
    std::vector<Index> starts = {0};
    if (offsets.front() != 0) refuse(path, 0);
    for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
      if (offsets[r + 1] < offsets[r] || offsets[r + 1] - offsets[r] > shape.items) refuse(path, r + 1);
      const auto in_block = static_cast<std::size_t>(offsets[r + 1] - offsets[static_cast<std::size_t>(starts.back())]);
      if (in_block * bytes_each > block_bytes && static_cast<Index>(r) > starts.back()) starts.push_back(static_cast<Index>(r));
    }
    if (offsets.back() != static_cast<Offset>(columns.size())) refuse(path, offsets.size() - 1);
    if (shape.users > 0) starts.push_back(shape.users);
    starts_ = std::make_shared<const std::vector<Index>>(std::move(starts));
  }

  [[noreturn]] static void refuse(const std::string& path, std::size_t row) {
    throw FormatError(path + ": the file is damaged: offset " + std::to_string(row) + " of its rows cannot be");
  }

  [[nodiscard]] std::pair<std::size_t, std::size_t> places_of(std::size_t n) const noexcept {
    return {static_cast<std::size_t>(offsets_[static_cast<std::size_t>((*starts_)[n])]),
            static_cast<std::size_t>(offsets_[static_cast<std::size_t>((*starts_)[n + 1])])};
  }

  /// Whole pages of the block, or those it shares with its neighbours too. This is a hint; failure is ignored.
  void advise([[maybe_unused]] std::size_t n, [[maybe_unused]] Advice advice) const noexcept {
#if KINDRED_POSIX_FILES
    const auto [from, to] = places_of(n);
    const auto advise_bytes = [&](const void* start, std::size_t bytes) {
      const bool inner = advice == Advice::not_needed;
      const auto address = reinterpret_cast<std::uintptr_t>(start);
      const std::uintptr_t first = (address + (inner ? detail::csr_page - 1 : 0)) / detail::csr_page * detail::csr_page;
      const std::uintptr_t last = (address + bytes + (inner ? 0 : detail::csr_page - 1)) / detail::csr_page * detail::csr_page;
      const std::ptrdiff_t shift = static_cast<std::ptrdiff_t>(first) - static_cast<std::ptrdiff_t>(address);
      char* const page = static_cast<char*>(const_cast<void*>(start)) + shift;
      if (last > first) (void)::madvise(page, last - first, inner ? MADV_DONTNEED : MADV_WILLNEED);
    };
    advise_bytes(columns_.data() + from, (to - from) * sizeof(Index));
    advise_bytes(values_.data() + from, (to - from) * sizeof(float));
#endif
  }

  std::shared_ptr<const detail::MappedFile> file_;
  MatrixShape shape_;
  std::span<const Offset> offsets_;
  std::span<const Index> columns_;
  std::span<const float> values_;
  std::shared_ptr<const std::vector<Index>> starts_;  // of blocks, then the number of rows
};

/// Interactions in a file that CsrFileWriter or write_csr_file wrote, by user and by item: an InteractionSource that needs no more memory than two blocks.
///
/// Header and offsets are checked when it is opened, O(users + items); columns and values when fit reads them first, or by verify(). The file must not be
/// changed in place meanwhile; to replace it, as its writer does, is safe.
class CsrFile {
 public:
  /// `block_bytes`: how much of the file is at hand at a time, at least 1; a row is never cut.
  /// @throws IoError if it cannot be opened or mapped; FormatError if it is damaged, cut short, of another kind or a newer format.
  explicit CsrFile(const Path& path, std::size_t block_bytes = std::size_t{64} << 20)
      : CsrFile(path, std::make_shared<const detail::MappedFile>(path, detail::MappedAccess::read_only), block_bytes) {}

  [[nodiscard]] MatrixShape shape() const noexcept { return users_.shape(); }
  [[nodiscard]] Offset nnz() const noexcept { return users_.nnz(); }
  [[nodiscard]] std::size_t block_count() const noexcept { return users_.block_count(); }
  [[nodiscard]] RowBlock block(std::size_t n) const noexcept { return users_.block(n); }
  void release(std::size_t n) const noexcept { users_.release(n); }

  /// The interactions of one user. @throws InvalidArgument if there is none of that index.
  [[nodiscard]] SparseRow row(Index user) const { return users_.row(user); }

  /// Items as rows.
  [[nodiscard]] const CsrFileRows& by_items() const noexcept { return items_; }
  friend CsrFileRows transpose(const CsrFile& file) { return file.items_; }
  friend CsrFileRows rows_between(const CsrFile& file, Index first, Index last) { return rows_between(file.users_, first, last); }
  friend std::vector<Index> row_counts(const CsrFile& file) { return row_counts(file.users_); }

  /// Whether users and items have names, as those from a text file have.
  [[nodiscard]] bool has_keys() const noexcept { return !user_keys_.ends.empty() || !item_keys_.ends.empty(); }
  /// What the text file called this user, in the file's own bytes. @throws InvalidArgument if there is none of that index, or no keys; FormatError.
  [[nodiscard]] std::string_view user_key(Index user) const { return user_keys_.at(user, "user", path_); }
  /// The same for an item.
  [[nodiscard]] std::string_view item_key(Index item) const { return item_keys_.at(item, "item", path_); }

  /// Of the header, and so of the checksums of all arrays: another one for other content.
  [[nodiscard]] std::uint64_t checksum() const noexcept { return header_.checksum; }

  /// Reads all of it once. @throws FormatError if any byte of an array is not what was written, naming the array.
  void verify() const {
    static constexpr std::array<std::string_view, detail::csr_section_count> names = {
        "user offsets", "item offsets", "user key ends", "user keys",    "item key ends",
        "item keys",    "user columns", "user values",   "item columns", "item values"};
    for (std::size_t n = 0; n < detail::csr_section_count; ++n) {
      const detail::HashedBytes& place = header_.sections[n];
      constexpr std::size_t at_once = std::size_t{1} << 24;
      detail::Xxh64 hash;
      for (std::uint64_t done = 0; done < place.bytes; done += at_once)
        hash.update(file_->original().subspan(place.start + done, (std::min)(static_cast<std::uint64_t>(at_once), place.bytes - done)));
      if (hash.digest() != place.checksum)
        throw FormatError(path_ + ": the file is damaged: the checksum of its " + std::string(names[n]) + " differs");
    }
  }

 private:
  struct Keys {
    std::span<const std::uint64_t> ends;
    std::string_view bytes;

    [[nodiscard]] std::string_view at(Index index, std::string_view what, const std::string& path) const {
      if (index < 0 || static_cast<std::size_t>(index) >= ends.size())
        throw InvalidArgument(what, index, "in [0, " + std::to_string(ends.size()) + "), the number of keys in " + path);
      const auto n = static_cast<std::size_t>(index);
      const std::uint64_t first = n == 0 ? 0 : ends[n - 1];
      if (ends[n] < first || ends[n] > bytes.size()) throw FormatError(path + ": the file is damaged: a key outside its keys");
      return bytes.substr(first, ends[n] - first);
    }
  };

  CsrFile(const std::string& path, std::shared_ptr<const detail::MappedFile> file, std::size_t block_bytes)
      : path_(path),
        file_(std::move(file)),
        header_(detail::read_csr_header(path, file_->original())),
        users_(rows_of({static_cast<Index>(header_.users), static_cast<Index>(header_.items)}, detail::CsrSection::user_offsets,
                       detail::CsrSection::user_columns, detail::CsrSection::user_values, block_bytes)),
        items_(rows_of({static_cast<Index>(header_.items), static_cast<Index>(header_.users)}, detail::CsrSection::item_offsets,
                       detail::CsrSection::item_columns, detail::CsrSection::item_values, block_bytes)),
        user_keys_(keys_of(detail::CsrSection::user_key_ends, detail::CsrSection::user_key_bytes)),
        item_keys_(keys_of(detail::CsrSection::item_key_ends, detail::CsrSection::item_key_bytes)) {
    if (block_bytes < 1) throw InvalidArgument("block_bytes", block_bytes, "at least 1");
  }

  template <typename T>
  [[nodiscard]] std::span<const T> array(detail::CsrSection section) const noexcept {
    const detail::HashedBytes& place = header_.at(section);
    return {reinterpret_cast<const T*>(file_->original().data() + place.start), static_cast<std::size_t>(place.bytes / sizeof(T))};
  }
  [[nodiscard]] CsrFileRows rows_of(MatrixShape shape, detail::CsrSection offsets, detail::CsrSection columns, detail::CsrSection values,
                                    std::size_t block_bytes) const {
    return {file_, path_, shape, array<Offset>(offsets), array<Index>(columns), array<float>(values), block_bytes};
  }
  [[nodiscard]] Keys keys_of(detail::CsrSection ends, detail::CsrSection bytes) const noexcept {
    const std::span<const char> text = array<char>(bytes);
    return {array<std::uint64_t>(ends), {text.data(), text.size()}};
  }

  std::string path_;
  std::shared_ptr<const detail::MappedFile> file_;
  detail::CsrFileHeader header_;
  CsrFileRows users_;
  CsrFileRows items_;
  Keys user_keys_;
  Keys item_keys_;
};

}  // namespace kindred::inline v0
