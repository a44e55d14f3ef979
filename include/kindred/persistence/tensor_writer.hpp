// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/persistence/safetensors.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>

namespace kindred::inline v0::detail {

/// Takes the next bytes of a file.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// Tensors on their way into a file. What it refers to must stay until it is written.
///
/// The metadata entry "kindred.xxh64" is the XXH64 of the header, with sixteen zeros for the digits of the entry itself, and all that follows it.
class TensorWriter {
 public:
  void set(std::string key, std::string value) { header_.metadata[std::move(key)] = std::move(value); }

  /// Holds a value until the file is written.
  template <typename T>
  [[nodiscard]] const T& keep(T value) {
    auto held = std::make_shared<const T>(std::move(value));
    kept_.push_back(held);
    return *held;
  }

  template <typename T>
  void add(std::string name, std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    add_part({std::move(name), std::string(dtype_of<T>), {values.size()}, 0, bytes.size()}, sizeof(T),
             [bytes](const ByteSink& sink) { sink(bytes); });
  }
  template <typename T>
  void add(std::string name, const std::vector<T>& values) {
    add(std::move(name), std::span<const T>(values));
  }

  /// n_rows x factors without padding. Rows that are as long in memory come first, so that a mapped file has them at multiples of 64 bytes.
  template <Real Scalar>
  void add(std::string name, const FactorMatrix<Scalar>& factors) {
    const auto rows = static_cast<std::size_t>(factors.rows()), k = static_cast<std::size_t>(factors.factors());
    const bool plain = factors.stride() == k;
    add_part({std::move(name), std::string(dtype_of<Scalar>), {rows, k}, 0, rows * k * sizeof(Scalar)}, plain ? 64 : sizeof(Scalar),
             [&factors, rows, k, plain](const ByteSink& sink) {
               if (plain) return sink(std::as_bytes(std::span<const Scalar>(factors.data(), rows * k)));
               constexpr std::size_t block = std::size_t{1} << 16;
               std::vector<Scalar> buffer;
               for (std::size_t r = 0; r < rows; ++r) {
                 const std::span<const Scalar> row = factors.row(static_cast<Index>(r));
                 buffer.insert(buffer.end(), row.begin(), row.end());
                 if (buffer.size() < block && r + 1 < rows) continue;
                 sink(std::as_bytes(std::span<const Scalar>(buffer)));
                 buffer.clear();
               }
             });
  }

  /// Writes the file. Nothing can be added afterwards. The tensors are read twice: the header, which comes first, has their checksum.
  void write(const ByteSink& sink) {
    finish_header();
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
  void finish_header() {
    if (!text_.empty()) return;
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
    text_.replace(text_.find(entry + zeros) + entry.size(), zeros.size(), digest_text(hash.digest()));
  }
  void add_part(Tensor tensor, std::size_t alignment, std::function<void(const ByteSink&)> write) {
    parts_.push_back({std::move(tensor), alignment, std::move(write)});
  }
  void write_parts(const ByteSink& sink) const {
    for (const Part& part : parts_) part.write(sink);
  }

  SafetensorsHeader header_;
  std::vector<Part> parts_;
  std::vector<std::shared_ptr<const void>> kept_;
  std::string text_;  // of the header, once the checksum is known
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

}  // namespace kindred::inline v0::detail
