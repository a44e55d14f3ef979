// SPDX-License-Identifier: MIT
#pragma once

// The bodies of tuning/search_space.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>
#include <kindred/models/als/option_fields.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/settings.hpp>
#include <kindred/tuning/search_space.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws InvalidArgument unless `name` is an option to search over.
KINDRED_ONCE void require_option(std::string_view name) {
  bool found = false;
  AlsOptions options;
  visit_fields(options, [&](std::string_view field, const auto&, const auto&...) { found = found || (field == name && name != "seed"); });
  if (!found) throw InvalidArgument("option", "'" + std::string(name) + "'", "the name of a field of AlsOptions but for the seed");
}

/// `value` as text for an error.
[[nodiscard]] KINDRED_ONCE std::string text_of(const SearchValue& value) {
  return value.name.empty() ? number_text(value.number) : "'" + value.name + "'";
}

KINDRED_ONCE void set_option(AlsOptions& options, std::string_view name, const SearchValue& value) {
  require_option(name);
  visit_fields(options, [&]<typename Field>(std::string_view field, Field& place, const auto&... names_of_values) {
    if (field != name) return;
    if constexpr (sizeof...(names_of_values) > 0) {
      std::string allowed;
      bool known = false;
      const auto look = [&](const auto& names) {
        for (std::size_t n = 0; n < std::size(names); ++n) {
          allowed += (allowed.empty() ? "'" : ", '") + std::string(names[n]) + "'";
          if (names[n] != value.name) continue;
          known = true;
          if constexpr (std::is_enum_v<Field>)
            place = static_cast<Field>(n);
          else
            place = static_cast<typename Field::value_type>(n);
        }
      };
      (look(names_of_values), ...);
      if (!known) throw InvalidArgument(name, text_of(value), "one of " + allowed);
    } else {
      if (!value.name.empty()) throw InvalidArgument(name, text_of(value), "a number");
      if constexpr (std::is_same_v<Field, std::optional<std::size_t>>) {
        if (!(value.number >= 0.0 && value.number < 9e15)) throw InvalidArgument(name, value.number, "a whole number, at least 0");
        place = static_cast<std::size_t>(std::llround(value.number));
      } else if constexpr (!std::is_same_v<Field, std::uint64_t>) {
        place = value.number;
      }
    }
  });
  if (name == "background.weight") options.background.ratio = std::nullopt;
  if (name == "background.ratio") options.background.weight = std::nullopt;
}

[[nodiscard]] KINDRED_ONCE SearchValue draw(const SearchParameter& parameter, Random& random) {
  if (const auto* choices = std::get_if<SearchChoices>(&parameter.values))
    return (*choices)[random.below(static_cast<std::uint32_t>(choices->size()))];
  const SearchRange& range = std::get<SearchRange>(parameter.values);
  const double value =
      range.scale == SearchRange::Scale::linear
          ? range.low + random.uniform() * (range.high - range.low)
          : portable_exp(portable_log(range.low) + random.uniform() * (portable_log(range.high) - portable_log(range.low)));
  return (std::clamp)(value, range.low, range.high);  // a rounding may carry it over, and the bound may be all that an option allows
}

/// Whether `name` decides about anything in a fit with the other settings of `options`. `searched(other)`: whether another option is searched over too.
template <typename Searched>
[[nodiscard]] bool has_effect(std::string_view name, const AlsOptions& options, const Searched& searched) {
  const AlsSettings s = settings_of(options);
  if (name == "solver.steps" || name == "solver.tolerance") return s.solver == Solver::conjugate_gradient;
  if (name == "confidence.alpha" || name == "background.weight") return s.units == Units::paper;
  if (name == "confidence.log_scale")
    return s.curve == Confidence::log && (s.units == Units::data || s.alpha > 0.0 || searched("confidence.alpha"));
  if (name == "start.scale") return s.start != Start::uniform;
  if (name == "start.power_steps") return s.start == Start::spectral;
  if (name == "regularization_exponent") return s.regularization > 0.0 || searched("regularization");  // a factor of the penalty
  if (name == "background.item_exponent" || name == "background.user_exponent")                        // shares of the background
    return s.weight > 0.0 || s.ratio || searched("background.weight") || searched("background.ratio");
  return true;
}

KINDRED_ONCE void check_space(const SearchSpace& space, const AlsOptions& base) {
  const auto names = [&](std::string_view name) {
    return std::any_of(space.begin(), space.end(), [&](const SearchParameter& parameter) { return parameter.name == name; });
  };
  if (names("background.weight") && names("background.ratio"))
    throw InvalidArgument("search parameter", "'background.weight' beside 'background.ratio'", "one of the two, which say the same thing");
  for (const SearchParameter& parameter : space) {
    if (!has_effect(parameter.name, base, names))
      throw InvalidArgument("search parameter", "'" + parameter.name + "', without effect under the other options",
                            "one that changes the fit");
    require_option(parameter.name);
    AlsOptions probe;
    const auto same_name = [&](const SearchParameter& other) { return other.name == parameter.name; };
    if (std::count_if(space.begin(), space.end(), same_name) > 1)
      throw InvalidArgument("search parameter", "'" + parameter.name + "' twice", "named once");
    if (const auto* choices = std::get_if<SearchChoices>(&parameter.values)) {
      if (choices->empty()) throw InvalidArgument(parameter.name, "an empty list of choices", "at least one choice");
      for (const SearchValue& choice : *choices) {
        if (!is_finite(choice.number)) throw InvalidArgument(parameter.name, choice.number, "finite");
        set_option(probe, parameter.name, choice);
      }
    } else {
      const SearchRange& range = std::get<SearchRange>(parameter.values);
      const bool logarithmic = range.scale == SearchRange::Scale::logarithmic;
      if (!is_finite(range.low) || !is_finite(range.high) || !(range.low <= range.high) || (logarithmic && !(range.low >= 1e-300)))
        throw InvalidArgument(parameter.name, "a range from " + number_text(range.low) + " to " + number_text(range.high),
                              logarithmic ? "finite, rising and above 0" : "finite and rising");
      set_option(probe, parameter.name, range.low);
      set_option(probe, parameter.name, range.high);
    }
  }
}

KINDRED_ONCE std::vector<SearchSetting> draw_settings(const SearchSpace& space, std::size_t count, std::uint64_t seed) {
  // After this many draws in a row that were known already the space is taken as used up.
  constexpr std::size_t patience = 10'000;
  Random random(seed, RandomStream::search);
  std::vector<SearchSetting> settings;
  for (std::size_t misses = 0; settings.size() < count && misses < patience;) {
    SearchSetting setting;
    AlsOptions rounded;
    for (const SearchParameter& parameter : space) {
      SearchValue value = draw(parameter, random);
      set_option(rounded, parameter.name, value);
      visit_fields(rounded, [&]<typename Field>(std::string_view field, const Field& place, const auto&...) {
        if constexpr (std::is_same_v<Field, std::optional<std::size_t>>)
          if (field == parameter.name) value = static_cast<double>(*place);
      });
      setting.emplace_back(parameter.name, value);
    }
    if (std::find(settings.begin(), settings.end(), setting) != settings.end()) {
      ++misses;
      continue;
    }
    misses = 0;
    settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace detail

}  // namespace kindred::inline v0
