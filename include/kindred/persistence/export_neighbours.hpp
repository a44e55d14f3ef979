// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/model_state.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/persistence/tensor_file.hpp>

namespace kindred::inline v0 {

/// How numbers of an export are stored.
enum class ExportType {
  float32,
  float16,   ///< IEEE half precision: 11 bits.
  bfloat16,  ///< The upper half of a float: 8 bits.
};

namespace detail {

/// The nearest half-precision number, ties to even; beyond its range infinity.
[[nodiscard]] inline std::uint16_t to_float16(float number) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  const std::uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude >= 0x47800000u) return static_cast<std::uint16_t>(sign | (magnitude > 0x7F800000u ? 0x7E00u : 0x7C00u));
  std::uint32_t value = 0, rest = 0, half = 0;
  if (magnitude >= 0x38800000u) {  // normal
    value = (magnitude - 0x38000000u) >> 13;
    rest = magnitude & 0x1FFFu;
    half = 0x1000u;
  } else if (magnitude >= 0x33000000u) {  // a multiple of 2^-24
    const std::uint32_t shift = 126 - (magnitude >> 23), mantissa = (magnitude & 0x7FFFFFu) | 0x800000u;
    value = mantissa >> shift;
    rest = mantissa & ((1u << shift) - 1);
    half = 1u << (shift - 1);
  }
  if (half != 0 && (rest > half || (rest == half && (value & 1) != 0))) ++value;
  return static_cast<std::uint16_t>(sign | value);
}

/// The nearest bfloat16, ties to even.
[[nodiscard]] inline std::uint16_t to_bfloat16(float number) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1)) >> 16);
}

}  // namespace detail
}  // namespace kindred::inline v0

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Writes items and users for tools that find nearest neighbours by cosine or Euclidean distance: their neighbours of a user are the items of the
/// highest scores, in that order, but for the rounding of `type`.
///
/// Each item y becomes (y, sqrt(m^2 - |y|^2)) / m with m the longest item, each user x (x, 0) / |x|: all have length 1, and their inner product is the score
/// over m |x|. Tensors of the safetensors file: items (n x factors + 1), item_index (I32: which item each row is; items without an interaction in
/// train are not among them), users (n_users x factors + 1; a user without interactions is all zeros).
/// O(size of the model). @throws NotFitted; NumericalError if a factor is not finite; IoError as save does.
/// Source: Bachrach et al., "Speeding up the Xbox recommender system using a Euclidean transformation for inner-product spaces", RecSys 2014, section 3.
template <Real Scalar>
void export_neighbours(const ImplicitALS<Scalar>& model, const std::string& path, ExportType type = ExportType::float32) {
  const detail::RoundToNearest rounding;
  if (!model.fitted()) throw NotFitted("ImplicitALS");
  detail::require_finite(model.item_factors(), "item");
  detail::require_finite(model.user_factors(), "user");
  const auto state = detail::AlsAccess::state_of(model);
  const auto k = static_cast<std::size_t>(model.item_factors().factors());
  const auto squares = [](std::span<const Scalar> row) {
    double sum = 0.0;
    for (const Scalar value : row) sum += static_cast<double>(value) * static_cast<double>(value);
    return sum;
  };
  std::vector<Index> item_index;
  double longest = 0.0;  // squared
  for (Index i = 0; i < model.shape().items; ++i) {
    if (state.weights.item_counts[static_cast<std::size_t>(i)] == 0) continue;
    item_index.push_back(i);
    longest = (std::max)(longest, squares(model.item_factors().row(i)));
  }
  std::vector<float> items, users;
  const auto add = [&](std::vector<float>& out, std::span<const Scalar> row, double length, double last) {
    for (const Scalar value : row) out.push_back(length > 0.0 ? static_cast<float>(static_cast<double>(value) / length) : 0.0F);
    out.push_back(static_cast<float>(last));
  };
  for (const Index i : item_index) {
    const std::span<const Scalar> y = model.item_factors().row(i);
    add(items, y, std::sqrt(longest), longest > 0.0 ? std::sqrt((std::max)(0.0, 1.0 - squares(y) / longest)) : 1.0);
  }
  for (Index u = 0; u < model.shape().users; ++u) {
    const std::span<const Scalar> x = model.user_factors().row(u);
    add(users, x, std::sqrt(squares(x)), 0.0);
  }

  detail::TensorWriter writer;
  writer.set("kindred.kind", "neighbours");
  writer.set("kindred.version", detail::version_text());
  std::vector<std::uint16_t> short_items, short_users;
  const auto put = [&](const char* name, const std::vector<float>& rows, std::vector<std::uint16_t>& narrow) {
    const std::vector<std::uint64_t> shape = {rows.size() / (k + 1), k + 1};
    if (type == ExportType::float32) return writer.add(name, std::span<const float>(rows), shape);
    for (const float value : rows) narrow.push_back(type == ExportType::float16 ? detail::to_float16(value) : detail::to_bfloat16(value));
    writer.add(name, std::span<const std::uint16_t>(narrow), shape, type == ExportType::float16 ? "F16" : "BF16");
  };
  put("items", items, short_items);
  put("users", users, short_users);
  writer.add("item_index", item_index);
  detail::write_file(writer, path);
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
