// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/storage/checksum.hpp>

namespace kindred::inline v0::detail {

/// Writes an array into a file from front to back, through a buffer, and computes its checksum. `Target` has write_at(place, bytes); several writers may
/// fill one file side by side.
template <typename Target>
class HashedWriter {
 public:
  /// `target` must outlive this object.
  HashedWriter(Target& target, std::uint64_t start) : target_(&target), place_{start, 0, 0} { buffer_.reserve(buffer_bytes); }

  template <typename T>
  void put(const T& value) {
    put_bytes(std::as_bytes(std::span(&value, 1)));
  }
  void put_bytes(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > buffer_bytes) flush();
    if (bytes.size() > buffer_bytes)
      write(bytes);
    else
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  /// Writes the rest of the buffer. Returns where the array is.
  [[nodiscard]] HashedBytes finish() {
    flush();
    place_.checksum = hash_.digest();
    return place_;
  }

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{1} << 17;

  void flush() {
    write(buffer_);
    buffer_.clear();
  }
  void write(std::span<const std::byte> bytes) {
    target_->write_at(place_.start + place_.bytes, bytes);
    hash_.update(bytes);
    place_.bytes += bytes.size();
  }

  Target* target_;
  HashedBytes place_;
  Xxh64 hash_;
  std::vector<std::byte> buffer_;
};

}  // namespace kindred::inline v0::detail
