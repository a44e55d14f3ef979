// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/option_fields.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail {

/// Options as entries of a model file.
inline void write_options(const AlsOptions& options, FlatObject& out) {
  visit_fields(options, [&]<typename T, typename... Names>(const char* name, const T& value, const Names&... names) {
    if constexpr (std::is_enum_v<T>)
      (out.set(name, names[static_cast<std::size_t>(value)]), ...);
    else
      out.set(name, value);
  });
}

/// The options of a file. `functor`: what confidence_function is where the file says `custom`; without it, one that asks for it once it is needed.
/// A level of instructions that this processor lacks becomes `best`. @throws FormatError if an option is missing or out of range.
[[nodiscard]] inline AlsOptions read_options(FlatObject& in, const ConfidenceFunction& functor, const std::string& file) {
  AlsOptions o;
  visit_fields(o, [&]<typename T, typename... Names>(const char* name, T& value, const Names&... names) {
    if constexpr (std::is_enum_v<T>)
      ((value = in.choice_of<T>(name, names)), ...);
    else if constexpr (std::is_integral_v<T>)
      value = static_cast<T>(in.whole_of(name));
    else if constexpr (std::is_same_v<T, double>)
      value = in.number_of(name);
    else
      value = in.optional_of(name);
  });
  if (o.simd > highest_level()) o.simd = SimdLevel::best;
  if (o.background_ratio) o.unobserved_weight = AlsOptions().unobserved_weight;  // once had no effect beside the ratio, whatever it was
  if (o.confidence == Confidence::custom)
    o.confidence_function = functor ? functor : [](double, Offset, Offset) -> double {
      throw InvalidArgument("confidence_function", "not part of a model file",
                            "handed in when the model is loaded (LoadOptions::confidence_function)");
    };
  try {
    validate(o);
  } catch (const InvalidArgument& error) {
    throw FormatError(file + ": an option is out of range: " + error.what());
  }
  return o;
}

}  // namespace kindred::inline v0::detail
