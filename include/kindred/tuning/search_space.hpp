// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0 {

namespace detail {

/// A number, or the name of one of an enumeration's values as files have it: "spectral".
struct SearchValue {
  template <typename Number>
  requires std::is_arithmetic_v<Number> SearchValue(Number value) : number(static_cast<double>(value)) {}
  SearchValue(const char* value) : name(value) {}
  SearchValue(std::string value) : name(std::move(value)) {}

  double number = 0.0;
  std::string name = {};  ///< Empty for a number.

  friend bool operator==(const SearchValue&, const SearchValue&) = default;
};

}  // namespace detail

/// A few values to choose from: numbers, or names of an enumeration's values, SearchChoices{"spectral", "normal"}.
using SearchChoices = std::vector<detail::SearchValue>;

/// Any value in [low, high].
struct SearchRange {
  /// How values between the ends are drawn.
  enum class Scale { linear, logarithmic };
  double low = 0.0;
  double high = 1.0;
  Scale scale = Scale::linear;  ///< logarithmic: needs low > 0; every factor is as likely as every other.
};

namespace detail {

/// One option of ImplicitALS to search over: the name of a field of AlsOptions, and its values. Whole-number options are rounded.
struct SearchParameter {
  std::string name;
  std::variant<SearchChoices, SearchRange> values;
};

}  // namespace detail

/// The options to search over, each with its values.
using SearchSpace = std::vector<detail::SearchParameter>;

namespace detail {

/// One drawn setting, in the order of the space.
using SearchSetting = std::vector<std::pair<std::string, SearchValue>>;

/// Sets the option called `name`: "regularization", "start.kind". Of background.weight and background.ratio, which say the same thing, the one that is
/// set last counts. @throws InvalidArgument if there is none of that name, the value is not of its kind, or a whole number is needed and too large.
KINDRED_ONCE void set_option(AlsOptions& options, std::string_view name, const SearchValue& value);

/// @throws InvalidArgument naming the parameter that is wrong, or that has no effect on trials of `base`.
KINDRED_ONCE void check_space(const SearchSpace& space, const AlsOptions& base);

/// `count` different settings, fewer if the space has fewer. A function of space, count and seed.
[[nodiscard]] KINDRED_ONCE std::vector<SearchSetting> draw_settings(const SearchSpace& space, std::size_t count, std::uint64_t seed);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/tuning/search_space.ipp>  // IWYU pragma: export
#endif
