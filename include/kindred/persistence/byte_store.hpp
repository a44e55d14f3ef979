// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/persistence/safetensors.hpp>
#include <kindred/storage/file.hpp>
#include <kindred/storage/mapped_file.hpp>

#if !KINDRED_POSIX_FILES
#include <cerrno>
#include <fstream>
#endif

namespace kindred::inline v0::detail {

/// Where the bytes of a file are: in the file system, in memory, or mapped.
class ByteStore {
 public:
  /// @throws IoError if the file cannot be read.
  static ByteStore of_file(const std::string& path) {
    ByteStore store(path);
#if KINDRED_POSIX_FILES
    // Opened once: the writer of a pipe takes its first reader for the only one.
    store.file_ = std::make_shared<const File>(File::open(path, O_RDONLY));
    if (const auto size = store.file_->regular_size()) {
      store.size_ = *size;
      return store;
    }
    return of_pieces([&](std::byte* to, std::size_t most) { return store.file_->read_some({to, most}); }, path);
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
    if (file_) {
      if (file_->read_at(offset, out) < out.size()) throw FormatError(name_ + ": became shorter while it was read");
      return;
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
  std::shared_ptr<const File> file_;
#endif
};

}  // namespace kindred::inline v0::detail
