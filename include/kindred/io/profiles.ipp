// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/profiles.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/dates.hpp>
#include <kindred/io/numbers.hpp>
#include <kindred/io/profiles.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE Dataset join_profiles(Dataset data, const ProfileTable& table) {
  if (table.profiles.size() != static_cast<std::size_t>(table.users.size()))
    throw ShapeError("the profile table has " + std::to_string(table.users.size()) + " users and " + std::to_string(table.profiles.size()) +
                     " profiles");
  data.profiles.assign(static_cast<std::size_t>(data.users.size()), UserProfile{});
  std::uint64_t without = 0;
  for (Index u = 0; u < data.users.size(); ++u) {
    if (const std::optional<Index> known = table.users.find(data.users.key(u)))
      data.profiles[static_cast<std::size_t>(u)] = table.profiles[static_cast<std::size_t>(*known)];
    else
      ++without;
  }
  if (without > 0) data.load.noted["user without a profile"] = without;
  data.load.companions.push_back(table.load);
  return data;
}

namespace detail {

struct ParsedProfile {
  UserProfile profile;
  bool implausible_age = false;
};

/// One line of a Last.fm profile file (user, gender, age, country, signup date), or why it is bad.
[[nodiscard]] inline std::variant<ParsedProfile, LineProblem> parse_profile(std::span<const std::string_view> fields) {
  if (fields[0].empty()) return LineProblem{1, "an empty user id", "a user id"};
  if (fields[1] != "m" && fields[1] != "f" && !fields[1].empty()) return LineProblem{2, printable(fields[1]), "a gender: m, f or nothing"};
  ParsedProfile parsed;
  parsed.profile.gender = fields[1];
  if (!fields[2].empty()) {
    const std::optional<int> age = parse_integer<int>(fields[2]);
    if (!age) return LineProblem{3, printable(fields[2]), "an age in whole years, or nothing"};
    parsed.implausible_age = *age < 1 || *age > 120;
    if (!parsed.implausible_age) parsed.profile.age = age;
  }
  parsed.profile.country = fields[3];
  if (!fields[4].empty()) {
    parsed.profile.signup = parse_month_day_year(fields[4]);
    if (!parsed.profile.signup) return LineProblem{5, printable(fields[4]), "a date such as Sep 30, 2005, or nothing"};
  }
  return parsed;
}

KINDRED_ONCE ProfileTable read_lastfm_profiles(const std::string& path, Header header, const ReadOptions& options) {
  TableReader table(path, {.header = header, .field_count = 5}, options);
  ProfileTable result;
  while (table.next()) {
    const std::string_view user = table.fields()[0];
    const std::variant<ParsedProfile, LineProblem> line = parse_profile(table.fields());
    if (const auto* problem = std::get_if<LineProblem>(&line)) {
      table.bad(*problem);
      continue;
    }
    if (result.users.find(user)) {
      table.bad({1, "the user " + printable(user) + " again", "one line for each user"});
      continue;
    }
    const ParsedProfile& parsed = std::get<ParsedProfile>(line);
    if (parsed.implausible_age) table.noted("implausible age");
    result.users.intern(user);
    result.profiles.push_back(parsed.profile);
  }
  result.load = table.finish();
  return result;
}

}  // namespace detail

}  // namespace kindred::inline v0
