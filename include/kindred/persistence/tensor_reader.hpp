// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/persistence/byte_store.hpp>
#include <kindred/persistence/load_options.hpp>
#include <kindred/persistence/safetensors.hpp>
#include <kindred/storage/checksum.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The tensors of a file, asked for by name; each must be of the type and shape that is expected. Sizes were checked against the file's before anything
/// is allocated.
class TensorReader {
 public:
  /// @throws IoError, FormatError.
  explicit TensorReader(ByteStore store, const Execution& execution = {}) : store_(std::move(store)), execution_(execution) {
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

  /// Whether what lies in memory is taken in place.
  enum class Place { copied, in_place_if_possible };

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

  /// The values of a tensor, and what keeps them in memory.
  template <typename T>
  struct Held {
    std::span<const T> values;
    std::shared_ptr<const void> owner;
  };
  /// As values(), in place where the file lies in memory and `place` allows it.
  template <typename T>
  [[nodiscard]] Held<T> held_values(std::string_view name, Place place, std::uint64_t expected = any) {
    const Tensor& found = tensor(name, 1);
    const std::uint64_t start = data_start_ + found.begin;
    if (place == Place::copied || store_.memory().empty() ||
        reinterpret_cast<std::uintptr_t>(store_.memory().data() + start) % alignof(T) != 0) {
      const auto copy = std::make_shared<const std::vector<T>>(values<T>(name, expected));
      return {*copy, copy};
    }
    check_dtype<T>(found);
    if (expected != any && found.shape[0] != expected)
      fail("tensor '" + found.name + "' has " + std::to_string(found.shape[0]) + " entries; it must have " + std::to_string(expected));
    return {{reinterpret_cast<const T*>(store_.memory().data() + start), static_cast<std::size_t>(found.shape[0])}, store_.owner()};
  }

  template <typename T>
  void check_dtype(const Tensor& found) const {
    if (found.dtype != dtype_of<T>)
      fail("tensor '" + found.name + "' is of type " + found.dtype + "; it must be " + std::string(dtype_of<T>));
  }

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
      read_rows(out, start);
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
    parallel_for(bytes.size(), loop_of(execution_, piece),
                 [&](std::size_t first, std::size_t last, std::size_t) { store_.read(start + first, bytes.subspan(first, last - first)); });
    return FactorMatrix<Scalar>::borrowed(rows, k, block.get(), block);
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
  void read_rows(FactorMatrix<Scalar>& out, std::uint64_t start) const {
    const auto k = static_cast<std::size_t>(out.factors());
    if (k == 0) return;
    const std::size_t grain = (std::max)(std::size_t{1}, (std::size_t{1} << 18) / (k * sizeof(Scalar)));
    parallel_for(static_cast<std::size_t>(out.rows()), loop_of(execution_, grain), [&](std::size_t first, std::size_t last, std::size_t) {
      std::vector<Scalar> block((last - first) * k);
      store_.read(start + first * k * sizeof(Scalar), std::as_writable_bytes(std::span(block)));
      for (std::size_t r = first; r < last; ++r) std::copy_n(block.data() + (r - first) * k, k, out.row(static_cast<Index>(r)).begin());
    });
  }

  ByteStore store_;
  Execution execution_;
  std::string text_;
  std::uint64_t data_start_ = 0;
  SafetensorsHeader header_;
  std::set<std::string> used_;
};

}  // namespace detail
}  // namespace kindred::inline v0
