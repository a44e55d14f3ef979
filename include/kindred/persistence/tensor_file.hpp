// SPDX-License-Identifier: MIT
// Long because reading and writing are here side by side: what one may write the other must refuse to misread.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <istream>
#include <limits>
#include <memory>
#include <new>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/persistence/safetensors.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/mapped_file.hpp>

#if !KINDRED_POSIX_FILES
#include <fstream>
#endif

namespace kindred::inline v0 {

/// What a file without a checksum is.
enum class ChecksumRule {
  required,    ///< Damaged: every file that Kindred writes has one.
  if_present,  ///< For files of other tools: a checksum is compared if there is one.
};

namespace detail {

template <typename T>
inline constexpr std::string_view dtype_of = "";
template <>
inline constexpr std::string_view dtype_of<float> = "F32";
template <>
inline constexpr std::string_view dtype_of<double> = "F64";
template <>
inline constexpr std::string_view dtype_of<std::int32_t> = "I32";
template <>
inline constexpr std::string_view dtype_of<std::int64_t> = "I64";
template <>
inline constexpr std::string_view dtype_of<std::uint8_t> = "U8";
template <>
inline constexpr std::string_view dtype_of<std::uint16_t> = "U16";

/// Takes the next bytes of a file.
using ByteSink = std::function<void(std::span<const std::byte>)>;

inline constexpr std::string_view checksum_key = "kindred.xxh64";

/// Tensors on their way into a file. What it refers to must stay until it is written.
///
/// The metadata entry "kindred.xxh64" is the XXH64 of the header, with sixteen zeros for the digits of the entry itself, and all that follows it.
class TensorWriter {
 public:
  void set(std::string key, std::string value) { header_.metadata[std::move(key)] = std::move(value); }

  /// `dtype`: what the numbers are, where T does not say.
  template <typename T>
  void add(std::string name, std::span<const T> values, std::vector<std::uint64_t> shape, std::string_view dtype = dtype_of<T>) {
    const auto bytes = std::as_bytes(values);
    add_part({std::move(name), std::string(dtype), std::move(shape), 0, bytes.size()}, sizeof(T),
             [bytes](const ByteSink& sink) { sink(bytes); });
  }
  template <typename T>
  void add(std::string name, const std::vector<T>& values) {
    add(std::move(name), std::span<const T>(values), {values.size()});
  }

  /// n_rows x factors without padding. Rows that are as long in memory come first, so that a mapped file has them at multiples of 64 bytes.
  template <Real Scalar>
  void add(std::string name, const FactorMatrix<Scalar>& factors) {
    add(std::move(name), factors, 0, factors.rows());
  }
  /// Rows [first, last) of them.
  template <Real Scalar>
  void add(std::string name, const FactorMatrix<Scalar>& factors, Index first_row, Index last_row) {
    const auto first = static_cast<std::size_t>(first_row), last = static_cast<std::size_t>(last_row);
    const std::size_t rows = last - first, k = static_cast<std::size_t>(factors.factors());
    const bool plain = factors.stride() == k;
    add_part({std::move(name), std::string(dtype_of<Scalar>), {rows, k}, 0, rows * k * sizeof(Scalar)}, plain ? 64 : sizeof(Scalar),
             [&factors, first, last, k, plain](const ByteSink& sink) {
               if (plain) return sink(std::as_bytes(std::span<const Scalar>(factors.data() + first * k, (last - first) * k)));
               constexpr std::size_t block = std::size_t{1} << 16;
               std::vector<Scalar> buffer;
               for (std::size_t r = first; r < last; ++r) {
                 const std::span<const Scalar> row = factors.row(static_cast<Index>(r));
                 buffer.insert(buffer.end(), row.begin(), row.end());
                 if (buffer.size() < block && r + 1 < last) continue;
                 sink(std::as_bytes(std::span<const Scalar>(buffer)));
                 buffer.clear();
               }
             });
  }

  /// The checksum of what write will write. Nothing can be added after it. O(size).
  [[nodiscard]] std::uint64_t checksum() {
    if (!text_.empty()) return checksum_;
    std::stable_sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) { return a.alignment > b.alignment; });
    std::uint64_t place = 0;
    for (const Part& part : parts_) {
      header_.tensors.push_back(part.tensor);
      header_.tensors.back().begin = place;
      place += part.tensor.end;
      header_.tensors.back().end = place;
    }
    const std::string zeros(16, '0');
    set(std::string(checksum_key), zeros);
    text_ = header_text(header_);
    Xxh64 hash;
    hash.update(std::as_bytes(std::span(text_)));
    write_parts([&](std::span<const std::byte> bytes) { hash.update(bytes); });
    const std::string entry = "\"" + std::string(checksum_key) + "\":\"";
    checksum_ = hash.digest();
    text_.replace(text_.find(entry + zeros) + entry.size(), zeros.size(), digest_text(checksum_));
    return checksum_;
  }

  void write(const ByteSink& sink) {
    (void)checksum();
    const std::uint64_t length = text_.size();
    sink(std::as_bytes(std::span(&length, 1)));
    sink(std::as_bytes(std::span(text_)));
    write_parts(sink);
  }

 private:
  struct Part {
    Tensor tensor;  // its end is its size
    std::size_t alignment;
    std::function<void(const ByteSink&)> write;
  };
  void add_part(Tensor tensor, std::size_t alignment, std::function<void(const ByteSink&)> write) {
    parts_.push_back({std::move(tensor), alignment, std::move(write)});
  }
  void write_parts(const ByteSink& sink) const {
    for (const Part& part : parts_) part.write(sink);
  }

  SafetensorsHeader header_;
  std::vector<Part> parts_;
  std::string text_;  // of the header, once the checksum is known
  std::uint64_t checksum_ = 0;
};

/// @throws IoError; what was at `path` is then as it was.
inline void write_file(TensorWriter& writer, const std::string& path) {
  AtomicFile file(path);
  writer.write([&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

/// @throws IoError.
inline void write_stream(TensorWriter& writer, std::ostream& stream) {
  writer.write([&](std::span<const std::byte> bytes) {
    errno = 0;
    if (!stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
      throw IoError("the stream", "write", errno != 0 ? errno : EIO);
  });
  if (!stream.flush()) throw IoError("the stream", "write", EIO);
}

/// Where the bytes of a file are: in the file system, in memory, or mapped.
class ByteStore {
 public:
  /// @throws IoError if the file cannot be read.
  static ByteStore of_file(const std::string& path) {
    ByteStore store(path);
#if KINDRED_POSIX_FILES
    // Opened once: the writer of a pipe takes its first reader for the only one.
    check_path(path);
    store.file_ =
        std::shared_ptr<const int>(new int(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); })), [](const int* file) {
          if (*file >= 0) ::close(*file);
          delete file;
        });
    if (*store.file_ < 0) throw IoError(path, "open", errno);
    struct stat info {};
    if (::fstat(*store.file_, &info) != 0) throw IoError(path, "read", errno);
    if (S_ISREG(info.st_mode)) {
      store.size_ = static_cast<std::uint64_t>(info.st_size);
      return store;
    }
    return of_pieces(
        [&](std::byte* to, std::size_t most) {
          const ssize_t got = uninterrupted([&] { return ::read(*store.file_, to, most); });
          if (got < 0) throw IoError(path, "read", errno);
          return static_cast<std::size_t>(got);
        },
        path);
#else
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw IoError(path, "open", errno != 0 ? errno : EIO);
    return of_stream(stream, path);
#endif
  }

  /// Reads one model file from `stream`, no byte more.
  static ByteStore of_stream(std::istream& stream, const std::string& name = "the stream") {
    return of_pieces(
        [&](std::byte* to, std::size_t most) {
          stream.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(most));
          return static_cast<std::size_t>(stream.gcount());
        },
        name);
  }

  /// Reads one model file, no byte more, by `read_some(to, most)`, which returns how many bytes it put there, 0 at the end. Memory grows with what has
  /// arrived, whatever the file says of its size.
  template <typename ReadSome>
  static ByteStore of_pieces(const ReadSome& read_some, const std::string& name) {
    ByteStore store(name);
    auto buffer = std::make_shared<std::vector<std::byte>>();
    const auto read = [&](std::uint64_t bytes) {
      constexpr std::uint64_t piece = std::uint64_t{1} << 24;
      while (bytes > 0) {
        const auto now = static_cast<std::size_t>((std::min)(bytes, piece));
        const std::size_t before = buffer->size();
        buffer->resize(before + now);
        const std::size_t got = read_some(buffer->data() + before, now);
        if (got == 0) throw FormatError(name + ": ends after " + std::to_string(before) + " bytes, before the model does");
        buffer->resize(before + got);
        bytes -= got;
      }
    };
    read(8);
    std::uint64_t length = 0;
    std::memcpy(&length, buffer->data(), 8);
    if (length > longest_header) throw FormatError(name + ": " + too_long(length));
    read(length);
    HeaderSax sax(name);
    const auto* const text = reinterpret_cast<const char*>(buffer->data() + 8);
    (void)nlohmann::json::sax_parse(text, text + length, &sax);
    std::uint64_t data = 0;
    for (const Tensor& tensor : sax.take().tensors) data = (std::max)(data, tensor.end);
    read(data);
    store.original_ = store.memory_ = *buffer;
    store.size_ = buffer->size();
    store.owner_ = std::move(buffer);
    return store;
  }

  static ByteStore of_mapping(const std::string& path) {
    ByteStore store(path);
    auto mapping = std::make_shared<MappedFile>(path);
    store.memory_ = mapping->bytes();
    store.original_ = mapping->original();
    store.size_ = store.memory_.size();
    store.owner_ = std::move(mapping);
    return store;
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// Copies bytes out; [offset, offset + out.size()) is within size(). From many threads.
  void read(std::uint64_t offset, std::span<std::byte> out) const {
#if KINDRED_POSIX_FILES
    while (file_ && !out.empty()) {
      const ssize_t got = ::pread(*file_, out.data(), (std::min)(out.size(), std::size_t{1} << 30), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw IoError(name_, "read", errno);
      if (got == 0) throw FormatError(name_ + ": became shorter while it was read");
      offset += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
#endif
    if (!out.empty()) std::memcpy(out.data(), original_.data() + offset, out.size());
  }

  /// The bytes in place, to be used and written to, and as they are in the file; empty where they are not in memory.
  [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }
  [[nodiscard]] std::span<const std::byte> original() const noexcept { return original_; }
  [[nodiscard]] std::shared_ptr<void> owner() const noexcept { return owner_; }

  [[nodiscard]] static std::string too_long(std::uint64_t length) {
    return "no safetensors file: its header would be " + std::to_string(length) + " bytes long";
  }

 private:
  explicit ByteStore(std::string name) : name_(std::move(name)) {}

  std::string name_;
  std::uint64_t size_ = 0;
  std::span<std::byte> memory_;
  std::span<const std::byte> original_;
  std::shared_ptr<void> owner_;
#if KINDRED_POSIX_FILES
  std::shared_ptr<const int> file_;
#endif
};

/// The tensors of a file, asked for by name; each must be of the type and shape that is expected. Sizes were checked against the file's before anything
/// is allocated.
class TensorReader {
 public:
  /// @throws IoError, FormatError.
  explicit TensorReader(ByteStore store, std::size_t threads = 0) : store_(std::move(store)), threads_(threads) {
    const std::uint64_t size = store_.size();
    if (size < 8) fail("no safetensors file: it has " + std::to_string(size) + " bytes");
    std::uint64_t length = 0;
    store_.read(0, std::as_writable_bytes(std::span(&length, 1)));
    if (length > longest_header || length > size - 8) fail(ByteStore::too_long(length));
    text_.resize(static_cast<std::size_t>(length));
    store_.read(8, std::as_writable_bytes(std::span(text_)));
    data_start_ = 8 + length;
    header_ = parse_header(text_, size - data_start_, store_.name());
  }

  [[noreturn]] void fail(const std::string& problem) const { throw FormatError(store_.name() + ": " + problem); }
  [[nodiscard]] const std::string& name() const noexcept { return store_.name(); }

  /// A metadata entry. @throws FormatError if it is missing.
  [[nodiscard]] const std::string& metadata(const std::string& key) {
    const auto found = header_.metadata.find(key);
    if (found == header_.metadata.end()) fail("it is no Kindred model: the metadata has no '" + key + "'");
    used_.insert(key);
    return found->second;
  }

  [[nodiscard]] const Tensor* find(std::string_view name) const noexcept {
    for (const Tensor& tensor : header_.tensors)
      if (tensor.name == name) return &tensor;
    return nullptr;
  }
  /// A tensor of `dimensions` sizes. @throws FormatError if there is none.
  [[nodiscard]] const Tensor& tensor(std::string_view name, std::size_t dimensions) {
    const Tensor* const found = find(name);
    if (found == nullptr) fail("tensor '" + std::string(name) + "' is missing");
    if (found->shape.size() != dimensions)
      fail("tensor '" + std::string(name) + "' has " + std::to_string(found->shape.size()) + " dimensions; it must have " +
           std::to_string(dimensions));
    used_.insert(found->name);
    return *found;
  }

  /// The values of a tensor of one dimension, `expected` of them unless that is `any`.
  static constexpr std::uint64_t any = ~std::uint64_t{0};
  template <typename T>
  [[nodiscard]] std::vector<T> values(std::string_view name, std::uint64_t expected = any) {
    const Tensor& found = tensor(name, 1);
    check_dtype<T>(found);
    if (expected != any && found.shape[0] != expected)
      fail("tensor '" + found.name + "' has " + std::to_string(found.shape[0]) + " entries; it must have " + std::to_string(expected));
    std::vector<T> out(static_cast<std::size_t>(found.shape[0]));
    store_.read(data_start_ + found.begin, std::as_writable_bytes(std::span(out)));
    return out;
  }

  template <typename T>
  void check_dtype(const Tensor& found) const {
    if (found.dtype != dtype_of<T>)
      fail("tensor '" + found.name + "' is of type " + found.dtype + "; it must be " + std::string(dtype_of<T>));
  }

  /// Whether factors that lie in memory are taken in place.
  enum class Place { copied, in_place_if_possible };

  /// n_rows x factors. @throws FormatError if they are another type's, or too many.
  template <Real Scalar>
  [[nodiscard]] FactorMatrix<Scalar> factors(std::string_view name, Place place) {
    const Tensor& found = tensor(name, 2);
    check_dtype<Scalar>(found);
    constexpr auto most = static_cast<std::uint64_t>((std::numeric_limits<Index>::max)());
    if (found.shape[0] > most || found.shape[1] > 32'768)
      fail("tensor '" + found.name + "' is " + std::to_string(found.shape[0]) + " x " + std::to_string(found.shape[1]) +
           "; at most 2147483647 x 32768 is possible");
    const auto rows = static_cast<Index>(found.shape[0]), k = static_cast<Index>(found.shape[1]);
    const std::uint64_t start = data_start_ + found.begin;
    const bool plain = static_cast<std::size_t>(k) % (row_alignment / sizeof(Scalar)) == 0;
    if (plain && place == Place::in_place_if_possible && !store_.memory().empty() &&
        reinterpret_cast<std::uintptr_t>(store_.memory().data() + start) % row_alignment == 0)
      return FactorMatrix<Scalar>::borrowed(rows, k, reinterpret_cast<Scalar*>(store_.memory().data() + start), store_.owner());
    if (!plain) {
      FactorMatrix<Scalar> out(rows, k);
      read_rows(out, start, 0, rows);
      return out;
    }
    // Not through the constructor, which would fill with zeros what is about to be read.
    const std::size_t count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(k);
    AlignedAllocator<Scalar> allocator;
    const std::shared_ptr<Scalar> block(count > 0 ? allocator.allocate(count) : nullptr, [count](Scalar* values) {
      if (values != nullptr) AlignedAllocator<Scalar>().deallocate(values, count);
    });
    constexpr std::size_t piece = std::size_t{4} << 20;  // bytes
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span<Scalar>(block.get(), count));
    parallel_for(bytes.size(), {.threads = threads_, .grain = piece},
                 [&](std::size_t first, std::size_t last, std::size_t) { store_.read(start + first, bytes.subspan(first, last - first)); });
    return FactorMatrix<Scalar>::borrowed(rows, k, block.get(), block);
  }

  /// The rows of that tensor as those of `out` from `first` on. @throws FormatError unless `out` has room for them, and as many columns.
  template <Real Scalar>
  void factors_into(std::string_view name, FactorMatrix<Scalar>& out, Index first) {
    const Tensor& found = tensor(name, 2);
    check_dtype<Scalar>(found);
    if (found.shape[0] > static_cast<std::uint64_t>(out.rows() - first) || found.shape[1] != static_cast<std::uint64_t>(out.factors()))
      fail("tensor '" + found.name + "' does not fit: it is " + std::to_string(found.shape[0]) + " x " + std::to_string(found.shape[1]));
    read_rows(out, data_start_ + found.begin, first, static_cast<Index>(found.shape[0]));
  }

  /// Every tensor, and every metadata entry that is Kindred's, must have been asked for. @throws FormatError naming what was not.
  void check_all_used() const {
    for (const Tensor& tensor : header_.tensors)
      if (!used_.contains(tensor.name)) fail("there is a tensor '" + tensor.name + "', which no model of this kind has");
    for (const auto& [key, value] : header_.metadata)
      if (key.starts_with("kindred.") && key != checksum_key && !used_.contains(key))
        fail("the metadata has an unknown entry '" + key + "'");
  }

  /// Compares the checksum with the file, which is read again. @throws FormatError if they differ, or there is none where there must be.
  void check_checksum(ChecksumRule rule) const {
    const auto found = header_.metadata.find(std::string(checksum_key));
    if (found == header_.metadata.end()) {
      if (rule == ChecksumRule::if_present) return;
      fail("the metadata has no '" + std::string(checksum_key) + "' (ChecksumRule::if_present reads files that others wrote)");
    }
    const std::string digits = "\"" + found->second + "\"";
    const std::size_t place = text_.find(digits);
    if (found->second.size() != 16 || place == std::string::npos || text_.find(digits, place + 1) != std::string::npos)
      fail("the checksum is '" + found->second + "'; it must be 16 hexadecimal digits that the header holds once");
    std::string text = text_;
    text.replace(place + 1, 16, 16, '0');
    Xxh64 hash;
    hash.update(std::as_bytes(std::span(text)));
    if (!store_.original().empty()) {
      hash.update(store_.original().subspan(static_cast<std::size_t>(data_start_)));
    } else {
      std::vector<std::byte> piece(std::size_t{1} << 18);
      for (std::uint64_t at = data_start_; at < store_.size(); at += piece.size()) {
        const auto now = std::span(piece).first(static_cast<std::size_t>((std::min)(store_.size() - at, std::uint64_t{piece.size()})));
        store_.read(at, now);
        hash.update(now);
      }
    }
    if (digest_text(hash.digest()) != found->second)
      fail("damaged: the checksum is " + digest_text(hash.digest()) + ", and the file says " + found->second);
  }

 private:
  template <Real Scalar>
  void read_rows(FactorMatrix<Scalar>& out, std::uint64_t start, Index at, Index rows) const {
    const auto k = static_cast<std::size_t>(out.factors());
    if (k == 0) return;
    const std::size_t grain = (std::max)(std::size_t{1}, (std::size_t{1} << 18) / (k * sizeof(Scalar)));
    parallel_for(static_cast<std::size_t>(rows), {.threads = threads_, .grain = grain},
                 [&](std::size_t first, std::size_t last, std::size_t) {
                   std::vector<Scalar> block((last - first) * k);
                   store_.read(start + first * k * sizeof(Scalar), std::as_writable_bytes(std::span(block)));
                   for (std::size_t r = first; r < last; ++r)
                     std::copy_n(block.data() + (r - first) * k, k, out.row(at + static_cast<Index>(r)).begin());
                 });
  }

  ByteStore store_;
  std::size_t threads_;
  std::string text_;
  std::uint64_t data_start_ = 0;
  SafetensorsHeader header_;
  std::set<std::string> used_;
};

}  // namespace detail
}  // namespace kindred::inline v0
