// SPDX-License-Identifier: MIT
#pragma once

// The safetensors format, https://github.com/huggingface/safetensors (README, "Format"): eight bytes with the length of the header, the header (JSON), raw
// little-endian tensors. Any Python program opens such a file with one call. Nothing here trusts what it reads.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>

namespace kindred::inline v0::detail {

/// A block of numbers in a file.
struct Tensor {
  std::string name;
  std::string dtype;                 ///< "F32", "I64", ...
  std::vector<std::uint64_t> shape;  ///< Sizes, row-major.
  std::uint64_t begin = 0;           ///< In bytes from the start of the data.
  std::uint64_t end = 0;
};

/// What a file says about itself.
struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<Tensor> tensors;  ///< In the order of the data.
};

inline constexpr std::uint64_t longest_header = 100'000'000;  ///< The limit of the format.
inline constexpr std::size_t most_names =
    10'000;  ///< Of tensors and metadata in a header. A limit of Kindred's, whose models have some twenty.
inline constexpr std::size_t longest_name = 1'000;  ///< In bytes; the same.
inline constexpr std::size_t most_dimensions = 16;  ///< The same.

/// Bytes of one number, or 0 for a type that the format does not have.
[[nodiscard]] inline std::uint64_t bytes_of_dtype(std::string_view dtype) noexcept {
  for (const std::string_view one : {"F64", "I64", "U64"})
    if (dtype == one) return 8;
  for (const std::string_view one : {"F32", "I32", "U32"})
    if (dtype == one) return 4;
  for (const std::string_view one : {"F16", "BF16", "I16", "U16"})
    if (dtype == one) return 2;
  for (const std::string_view one : {"I8", "U8", "BOOL"})
    if (dtype == one) return 1;
  return 0;
}

/// The name of a type of numbers.
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

/// The metadata entry with the checksum of a file.
inline constexpr std::string_view checksum_key = "kindred.xxh64";

/// Reads a header as it streams by: three levels deep and no further, every key once, every value of the type that its place has.
class HeaderSax {
 public:
  explicit HeaderSax(std::string_view file) : file_(file) {}

  [[nodiscard]] SafetensorsHeader take() { return std::move(header_); }

  // What nlohmann::json::sax_parse calls.
  bool null() { refuse("null"); }
  bool boolean(bool) { refuse("true or false"); }
  bool number_integer(std::int64_t) { refuse("a negative number"); }
  bool number_float(double, const std::string&) { refuse("a fraction"); }
  bool binary(nlohmann::json::binary_t&) { refuse("binary data"); }
  bool number_unsigned(std::uint64_t number) {
    if (place_ == Place::shape && tensor_.shape.size() < most_dimensions)
      tensor_.shape.push_back(number);
    else if (place_ == Place::offsets && offsets_ < 2)
      (offsets_++ == 0 ? tensor_.begin : tensor_.end) = number;
    else
      refuse("a number");
    return true;
  }
  bool string(std::string& text) {
    if (place_ == Place::metadata)
      header_.metadata[key_] = text;
    else if (place_ == Place::tensor && key_ == "dtype")
      tensor_.dtype = text;
    else
      refuse("a text");
    return true;
  }
  bool start_object(std::size_t) {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == "__metadata__") {
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      place_ = Place::tensor;
      tensor_ = {};
      tensor_.name = key_;
    } else {
      refuse("an object");
    }
    inner_keys_.clear();
    return true;
  }
  bool key(std::string& key) {
    if (key.size() > longest_name) fail("a name of " + std::to_string(key.size()) + " bytes");
    if (++names_ > most_names) fail("more than " + std::to_string(most_names) + " names");
    if (!(place_ == Place::top ? keys_ : inner_keys_).insert(key).second) fail("the name '" + key + "' twice");
    if (place_ == Place::tensor && key != "dtype" && key != "shape" && key != "data_offsets")
      fail("the unknown entry '" + key + "' in tensor '" + tensor_.name + "'");
    key_ = key;
    return true;
  }
  bool end_object() {
    if (place_ == Place::tensor) {
      if (inner_keys_.size() != 3 || offsets_ != 2) fail("tensor '" + tensor_.name + "' without dtype, shape or two data_offsets");
      header_.tensors.push_back(std::move(tensor_));
      offsets_ = 0;
    }
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }
  bool start_array(std::size_t) {
    if (place_ == Place::tensor && key_ == "shape")
      place_ = Place::shape;
    else if (place_ == Place::tensor && key_ == "data_offsets")
      place_ = Place::offsets;
    else
      refuse("an array");
    return true;
  }
  bool end_array() {
    place_ = Place::tensor;
    return true;
  }
  template <typename Exception>
  bool parse_error(std::size_t position, const std::string&, const Exception& error) {
    fail("no JSON at byte " + std::to_string(position) + " (" + error.what() + ")");
    return false;
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets, end };

  [[noreturn]] void fail(const std::string& found) const { throw FormatError(std::string(file_) + ": the header holds " + found); }
  [[noreturn]] void refuse(const std::string& found) const {
    fail(found + " where none belongs" + (key_.empty() ? "" : ", after '" + key_ + "'"));
  }

  std::string_view file_;
  SafetensorsHeader header_;
  Tensor tensor_;
  Place place_ = Place::start;
  int offsets_ = 0;
  std::string key_;
  std::size_t names_ = 0;
  std::set<std::string> keys_;
  std::set<std::string> inner_keys_;
};

/// The header in `text`, of a file with `data_bytes` bytes after it. `file` names it in errors. O(length of the text).
/// @throws FormatError unless tensors fill the data without gap or overlap, each with the size of its shape.
[[nodiscard]] inline SafetensorsHeader parse_header(std::string_view text, std::uint64_t data_bytes, std::string_view file) {
  const auto fail = [&](const std::string& problem) { throw FormatError(std::string(file) + ": " + problem); };
  if (text.empty() || text.front() != '{') fail("the header does not start with {");
  HeaderSax sax(file);
  (void)nlohmann::json::sax_parse(text.begin(), text.end(), &sax);
  SafetensorsHeader header = sax.take();

  for (const Tensor& tensor : header.tensors) {
    std::uint64_t bytes = bytes_of_dtype(tensor.dtype);
    if (bytes == 0) fail("tensor '" + tensor.name + "' is of the unknown type '" + tensor.dtype + "'");
    bool overflows = false;
    for (const std::uint64_t size : tensor.shape) {
      overflows = overflows || (size != 0 && bytes > (std::numeric_limits<std::uint64_t>::max)() / size);
      if (!overflows) bytes *= size;
    }
    if (overflows || tensor.begin > tensor.end || tensor.end - tensor.begin != bytes)
      fail("tensor '" + tensor.name + "' has offsets " + std::to_string(tensor.begin) + " to " + std::to_string(tensor.end) +
           ", which is not the size of its shape");
  }
  std::sort(header.tensors.begin(), header.tensors.end(), [](const Tensor& a, const Tensor& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end) || (a.begin == b.begin && a.end == b.end && a.name < b.name);
  });
  std::uint64_t place = 0;
  for (const Tensor& tensor : header.tensors) {
    if (tensor.begin != place) fail("there is a gap or an overlap before tensor '" + tensor.name + "'");
    place = tensor.end;
  }
  if (place != data_bytes) fail("tensors take " + std::to_string(place) + " bytes of data, and there are " + std::to_string(data_bytes));
  return header;
}

/// The header as text, padded with spaces so that the data starts at a multiple of 64 bytes of the file.
[[nodiscard]] inline std::string header_text(const SafetensorsHeader& header) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) json["__metadata__"] = header.metadata;
  for (const Tensor& tensor : header.tensors)
    json[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {tensor.begin, tensor.end}}};
  std::string text = json.dump();
  text.append((64 - (8 + text.size()) % 64) % 64, ' ');
  return text;
}

}  // namespace kindred::inline v0::detail
