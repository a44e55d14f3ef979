// SPDX-License-Identifier: MIT
// Step 10: new listeners with a profile (gender, age, country) and few or no artists: how good their lists are, and how much the profile explains.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/data/feature_table.hpp>
#include <kindred/data/statistics.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../random_numbers.hpp"
#include "interrupt.hpp"
#include "study.hpp"

namespace kd = kindred;
using nlohmann::ordered_json;

namespace study {

namespace {

constexpr std::array<std::size_t, 6> known_counts{0, 1, 2, 3, 5, 10};
constexpr std::size_t least_artists = 20;  // of a listener who is held out: the most played ones are the answer

/// NDCG@10 of each case.
struct Cases {
  std::vector<double> popularity, history, profile, gain;
};

kd::ImplicitALS<float> fitted(const Study& s, const kd::CsrView& train, const kd::FeatureTable& people, const std::string& what) {
  kd::ImplicitALS<float> model({.seed = s.arguments.seed});
  model.fit(train, {.progress = s.console.whole(what), .execution = {.threads = s.arguments.threads}, .user_features = people});
  return model;
}

double ndcg(std::span<const kd::Scored> list, std::span<const kd::Index> relevant) {
  std::vector<kd::Index> items;
  for (const kd::Scored& one : list) items.push_back(one.item);
  return kd::metrics::ndcg(items, relevant, 10);
}

/// Some artists of a listener, and the most played of the others.
struct HeldOut {
  std::vector<kd::Index> known, wanted;
  std::vector<float> plays;
};

HeldOut held_out(const kd::SparseRow& row, std::size_t known, examples::Random random) {
  std::vector<std::size_t> order(row.size()), drawn(row.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  drawn = order;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return row.values[a] > row.values[b]; });
  random.shuffle_front(std::span(drawn), known);
  drawn.resize(known);
  std::sort(drawn.begin(), drawn.end());
  HeldOut parts;
  for (const std::size_t place : drawn) {
    parts.known.push_back(row.columns[place]);
    parts.plays.push_back(row.values[place]);
  }
  for (std::size_t n = 0; n < least_artists; ++n)
    if (!std::binary_search(drawn.begin(), drawn.end(), order[n])) parts.wanted.push_back(row.columns[order[n]]);
  std::sort(parts.wanted.begin(), parts.wanted.end());
  return parts;
}

/// Measures lists for listeners that are not in train: by popularity, by their known artists, and by these artists and the profile.
void add_cases(const Study& s, const kd::FeatureTable& people, std::span<const kd::Index> outside,
               std::array<Cases, known_counts.size()>& cases) {
  std::vector<kd::Index> inside;
  for (kd::Index u = 0; u < s.data.matrix.rows(); ++u)
    if (!std::binary_search(outside.begin(), outside.end(), u)) inside.push_back(u);
  const kd::CsrMatrix train = kd::select_rows(s.data.matrix, inside);
  const kd::ImplicitALS<float> plain = fitted(s, train, {}, "without profiles"),
                               model = fitted(s, train, people.select(inside), "with profiles");
  for (const kd::Index u : outside) {
    for (std::size_t c = 0; c < known_counts.size(); ++c) {
      const HeldOut parts =
          held_out(s.data.matrix.row(u), known_counts[c], examples::Random(s.arguments.seed, 11, static_cast<std::uint64_t>(u)));
      if (parts.wanted.empty()) continue;
      const kd::RecommendOptions options{.exclude = parts.known, .fallback = kd::Fallback::popularity};
      const kd::SparseRow history{parts.known, parts.plays};
      cases[c].popularity.push_back(ndcg(plain.recommend(kd::SparseRow{}, options).items, parts.wanted));
      cases[c].history.push_back(ndcg(plain.recommend(history, options).items, parts.wanted));
      cases[c].profile.push_back(
          ndcg(model.recommend(kd::History{.items = history, .features = people.row(u)}, options).items, parts.wanted));
      cases[c].gain.push_back(cases[c].profile.back() - cases[c].history.back());
    }
  }
}

void curve(Study& s, const kd::FeatureTable& people, ordered_json& json) {
  std::vector<kd::Index> eligible;
  for (kd::Index u = 0; u < s.data.matrix.rows(); ++u)
    if (s.data.matrix.row(u).size() >= least_artists) eligible.push_back(u);
  const std::size_t fold = (std::min)(eligible.size() / 5, std::size_t{1000});
  if (fold < 5) return s.console.line("Too few listeners with " + std::to_string(least_artists) + " artists to hold some out.");
  examples::Random(s.arguments.seed, 10).shuffle_front(std::span(eligible), eligible.size());
  const std::size_t folds = (std::min)(std::size_t{5}, (1000 + fold - 1) / fold);
  std::array<Cases, known_counts.size()> cases;
  for (std::size_t n = 0; n < folds; ++n) {
    std::vector<kd::Index> outside(eligible.begin() + static_cast<std::ptrdiff_t>(n * fold),
                                   eligible.begin() + static_cast<std::ptrdiff_t>((n + 1) * fold));
    std::sort(outside.begin(), outside.end());
    add_cases(s, people, outside, cases);
    if (interrupted()) return;
  }
  json["listeners"] = folds * fold;
  json["folds"] = folds;
  Table rows = {{"known artists",
                 {"popularity", "NDCG@10"},
                 {"+-", "standard error"},
                 {"artists", "NDCG@10"},
                 {"+-", "standard error"},
                 {"artists, profile", "NDCG@10"},
                 {"+-", "standard error"},
                 {"gain", "mean difference"},
                 {"+-", "standard error of the difference"}}};
  for (std::size_t c = 0; c < known_counts.size(); ++c) {
    std::vector<Cell> row{std::to_string(known_counts[c])};
    ordered_json point = {{"known", known_counts[c]}};
    for (const auto& [name, values] : {std::pair("popularity", &cases[c].popularity), std::pair("history", &cases[c].history),
                                       std::pair("profile", &cases[c].profile), std::pair("gain", &cases[c].gain)}) {
      const kd::MeanAndError found = kd::metrics::mean_and_error(*values);
      row.push_back(number_cell(found.mean, 4));
      row.push_back(number_cell(found.standard_error, 4));
      point[name] = {{"ndcg", found.mean}, {"standard_error", found.standard_error}};
    }
    rows.push_back(std::move(row));
    json["curve"].push_back(std::move(point));
  }
  s.console.line(grouped(static_cast<double>(folds * fold)) + " listeners of " + std::to_string(folds) + (folds == 1 ? " fold" : " folds") +
                 " that the models were not fitted on. Lists should hold their 20 most played artists, without the known ones:");
  s.console.table(rows);
  s.results.add_table("profiles", rows);
}

using Profile = std::vector<std::pair<std::string, std::string>>;

/// The values of a field, most common first.
std::vector<std::string> common(const std::vector<kd::UserProfile>& profiles, std::string kd::UserProfile::*field) {
  std::vector<std::string> values;
  for (const kd::UserProfile& profile : profiles)
    if (!(profile.*field).empty()) values.push_back(profile.*field);
  std::sort(values.begin(), values.end());
  std::vector<std::pair<std::size_t, std::string>> counted;
  for (auto first = values.begin(); first != values.end();) {
    const auto last = std::upper_bound(first, values.end(), *first);
    counted.emplace_back(static_cast<std::size_t>(last - first), *first);
    first = last;
  }
  std::stable_sort(counted.begin(), counted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> ordered;
  for (auto& [count, value] : counted) ordered.push_back(std::move(value));
  return ordered;
}

/// A younger and an older listener, of the two most common genders and countries.
std::vector<Profile> two_people(const std::vector<kd::UserProfile>& profiles) {
  const std::vector<std::string> genders = common(profiles, &kd::UserProfile::gender),
                                 countries = common(profiles, &kd::UserProfile::country);
  std::vector<double> ages;
  for (const kd::UserProfile& profile : profiles)
    if (profile.age) ages.push_back(static_cast<double>(*profile.age));
  std::vector<Profile> people(2);
  for (std::size_t n = 0; n < 2; ++n) {
    if (genders.size() > n) people[n].emplace_back("gender", genders[n]);
    if (!ages.empty()) people[n].emplace_back("age", fixed(kd::statistics::quantile(ages, n == 0 ? 0.1 : 0.9), 0));
    if (countries.size() > n) people[n].emplace_back("country", countries[n]);
  }
  std::erase_if(people, [](const Profile& one) { return one.empty(); });
  return people;
}

/// The list of somebody, with what each value of the profile adds.
ordered_json list_of(const Study& s, const kd::ImplicitALS<float>& model, const Profile& profile) {
  std::vector<kd::FeatureColumns::Value> values;
  ordered_json json = {{"profile", ordered_json::array()}, {"items", ordered_json::array()}};
  for (const auto& [group, value] : profile) {
    values.push_back({group, value});
    json["profile"].push_back({{"group", group}, {"value", value}});
  }
  const kd::FeatureColumns& columns = model.user_features().columns();
  const kd::FeatureColumns::Profile features = columns.profile(values);
  json["unknown"] = features.unknown;
  const kd::History history{.features = features};
  const kd::Recommendation list =
      model.recommend(history, {.fallback = kd::Fallback::popularity, .popularity_penalty = s.arguments.popularity_penalty});
  json["by_popularity"] = list.source == kd::ListSource::popularity;
  for (const kd::Scored& one : list.items) {
    ordered_json entry = {{"name", s.data.item_name(one.item)}, {"because", ordered_json::array()}};
    if (list.source == kd::ListSource::features) {
      const kd::Explanation why = model.explain(history, one.item, kd::FoldInBackground::by_history);
      for (const kd::Scored& part : why.features)
        if (part.score > 0.0) entry["because"].push_back({{"name", columns.name(part.item)}, {"adds", part.score}});
      entry["everybody"] = why.mean;
    }
    json["items"].push_back(std::move(entry));
  }
  return json;
}

std::string profile_text(const ordered_json& person) {
  std::string text;
  for (const ordered_json& one : person.at("profile"))
    text += (text.empty() ? "" : ", ") + one.at("group").get<std::string>() + " " + one.at("value").get<std::string>();
  return text;
}

void people_of(Study& s, const kd::FeatureTable& people, ordered_json& json) {
  const kd::ImplicitALS<float> model = fitted(s, s.split.train, people, "with profiles");
  const kd::FitReport::Explained explained = model.explained_by_user_features({.threads = s.arguments.threads});
  json["explained"] = {{"share", explained.share}, {"groups", ordered_json::array()}};
  Table rows = {
      {"what is known", "columns", {"explains", "share of the variance of listeners' factors, of listeners the map was not learned from"}}};
  rows.push_back({"all of it", count_cell(static_cast<double>(people.columns().size())), share_cell(explained.share)});
  for (const kd::FitReport::Explained::Group& group : explained.groups) {
    json["explained"]["groups"].push_back({{"name", group.name}, {"columns", group.columns}, {"share", group.share}});
    rows.push_back({group.name, count_cell(static_cast<double>(group.columns)), share_cell(group.share)});
  }
  s.console.line();
  s.console.table(rows);
  s.results.add_table("profiles_explained", rows);

  json["asked"] = !s.arguments.profile.empty();
  for (const Profile& one : s.arguments.profile.empty() ? two_people(s.data.profiles) : std::vector<Profile>{s.arguments.profile}) {
    json["people"].push_back(list_of(s, model, one));
    const ordered_json& person = json["people"].back();
    std::string names;
    for (const ordered_json& item : person.at("items")) names += (names.empty() ? "" : ", ") + item.at("name").get<std::string>();
    s.console.line("\nA new listener with this profile: " + profile_text(person) + ".\n  " + names);
    for (const ordered_json& unknown : person.at("unknown"))
      s.console.line("  No listener has " + unknown.get<std::string>() + ": left out.");
  }
}

}  // namespace

void profiles(Study& s) {
  const bool known = std::any_of(s.data.profiles.begin(), s.data.profiles.end(), [](const kd::UserProfile& profile) {
    return !profile.gender.empty() || profile.age || !profile.country.empty();
  });
  if (!known) {
    if (!s.arguments.profile.empty())
      throw kd::InvalidArgument("--profile", "of data without profiles", "left out, or used with --profiles");
    return;
  }
  s.console.section("Somebody new: gender, age and country");
  const kd::FeatureTable people = kd::FeatureTable::of_profiles(s.data);
  ordered_json json;
  curve(s, people, json);
  if (interrupted()) return;
  people_of(s, people, json);
  s.results.json["profiles"] = std::move(json);
}

}  // namespace study
