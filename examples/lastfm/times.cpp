// SPDX-License-Identifier: MIT
// Step 11, for files of events with times: what repeats, what rises and for how long, and whether lists should know either. Extras are chosen on earlier
// windows than they are measured on, and left out where the choice is not sure.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <kindred/models/factor_model.hpp>
#include <kindred/models/repeat_recommender.hpp>

#include "../windows.hpp"
#include "interrupt.hpp"
#include "study.hpp"

namespace kd = kindred;
using nlohmann::ordered_json;

namespace study {

namespace {

constexpr std::int64_t day = 86'400;
constexpr std::size_t shown_artists = 10;
const std::vector<double> earlier_shares{0.4, 0.5, 0.6, 0.7, 0.8}, later_shares{0.8, 0.85, 0.9, 0.95, 1.0};

/// The plays of the listeners and artists that the filters left, in the order of time.
struct Plays {
  Plays(const kd::Events& all, const kd::Dataset& data) {
    std::vector<std::size_t> order;
    kd::KeyColumn::Buffer buffer;
    std::vector<kd::Index> user_of(all.users.size()), item_of(all.users.size());
    for (std::size_t n = 0; n < all.users.size(); ++n) {
      user_of[n] = data.users.find(all.users.text(n, buffer)).value_or(-1);
      item_of[n] = data.items.find(all.items.text(n, buffer)).value_or(-1);
      if (user_of[n] >= 0 && item_of[n] >= 0) order.push_back(n);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return all.times[a] < all.times[b]; });
    for (const std::size_t n : order) {
      users.push_back(user_of[n]);
      items.push_back(item_of[n]);
      user_keys.push_back(data.users.key(user_of[n]));
      item_keys.push_back(data.items.key(item_of[n]));
      times.push_back(all.times[n]);
      days.push_back(all.times[n] - ((all.times[n] % day) + day) % day);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return times.size(); }
  [[nodiscard]] kd::Events events() const { return {.users = user_keys, .items = item_keys, .times = times}; }
  /// A basket a day: the plays before a time.
  [[nodiscard]] kd::Events days_before(std::int64_t until) const {
    const auto count = static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), until) - times.begin());
    return {.users = std::span(user_keys).first(count), .items = std::span(item_keys).first(count), .times = std::span(days).first(count)};
  }
  [[nodiscard]] std::uint64_t pair(std::size_t n) const {
    return static_cast<std::uint64_t>(users[n]) << 32 | static_cast<std::uint64_t>(items[n]);
  }
  [[nodiscard]] double days_since_first(std::int64_t time) const {
    return static_cast<double>(time - times.front()) / static_cast<double>(day);
  }

  std::vector<kd::Index> users, items;
  std::vector<std::string_view> user_keys, item_keys;  // into the dataset
  std::vector<std::int64_t> times, days;
};

/// The share of plays of an artist that the listener had played before, in ten parts of as many plays each.
void repeated_plays(Study& s, const Plays& plays, ordered_json& json) {
  Table rows = {{{"from", "from day"}, {"to", "to day"}, "plays", "listeners", "artists", {"repeated", "share of plays that repeat"}}};
  std::unordered_set<std::uint64_t> seen;
  constexpr std::size_t parts = 10;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = plays.size() * part / parts, last = plays.size() * (part + 1) / parts;
    std::unordered_set<kd::Index> users, items;
    double repeated = 0.0;
    for (std::size_t n = first; n < last; ++n) {
      if (!seen.insert(plays.pair(n)).second) ++repeated;
      users.insert(plays.users[n]);
      items.insert(plays.items[n]);
    }
    const auto count = static_cast<double>(last - first);
    const double from = plays.days_since_first(plays.times[first]), to = plays.days_since_first(plays.times[last - 1]);
    rows.push_back({number_cell(from, 0), number_cell(to, 0), count_cell(count), count_cell(static_cast<double>(users.size())),
                    count_cell(static_cast<double>(items.size())), share_cell(repeated / count)});
    json["windows"].push_back({{"from_day", from}, {"to_day", to}, {"plays", count}, {"repeated", repeated / count}});
  }
  json["repeated"] = 1.0 - static_cast<double>(seen.size()) / static_cast<double>(plays.size());
  s.console.line("Of all plays " + fixed(100.0 * json.at("repeated").get<double>(), 1) +
                 " % are of an artist that the listener had played before. In ten parts of as many plays each:");
  s.console.table(rows);
  s.results.add_table("times_windows", rows);
}

/// Artists that are played again on the listener's next day of music, and those that are not.
void repeat_rates(Study& s, const Plays& plays, ordered_json& json) {
  std::vector<std::tuple<kd::Index, kd::Index, std::int64_t>> baskets;
  for (std::size_t n = 0; n < plays.size(); ++n) baskets.emplace_back(plays.items[n], plays.users[n], plays.days[n]);
  std::sort(baskets.begin(), baskets.end());
  baskets.erase(std::unique(baskets.begin(), baskets.end()), baskets.end());
  std::vector<double> days_of(static_cast<std::size_t>(s.data.items.size()), 0.0);
  for (const auto& one : baskets) ++days_of[static_cast<std::size_t>(std::get<0>(one))];
  const std::vector<float> rates = kd::RepeatScores(plays.days_before(plays.times.back() + 1), s.data).rates();
  // A rate of few days is mostly that of all artists: the half with more days is compared.
  std::vector<double> sorted = days_of;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < days_of.size(); ++i)
    if (days_of[i] > 0.0 && days_of[i] >= sorted[sorted.size() / 2]) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rates[a] > rates[b]; });
  Table rows = {{"artist", "days", {"repeated", "share of days with the artist whose next day has it too"}}};
  const std::size_t ends = (std::min)(shown_artists, order.size() / 2);
  for (std::size_t n = 0; n < 2 * ends; ++n) {
    const std::size_t item = n < ends ? order[n] : order[order.size() - 2 * ends + n];
    const std::string name(s.data.item_name(static_cast<kd::Index>(item)));
    rows.push_back({name, count_cell(days_of[item]), share_cell(static_cast<double>(rates[item]))});
    json["rates"][n < ends ? "most" : "least"].push_back({{"name", name}, {"days", days_of[item]}, {"rate", rates[item]}});
  }
  s.console.line("\nArtists that are played again on the listener's next day of music, most and least often:");
  s.console.table(rows);
  s.results.add_table("times_rates", rows);
}

/// Artists with more listeners in the last days than their share of all listeners says.
void rising_artists(Study& s, const Plays& plays, ordered_json& json) {
  const double span = plays.days_since_first(plays.times.back());
  const double recent_days = (std::min)(30.0, span / 4.0);
  const std::int64_t from = plays.times.back() - static_cast<std::int64_t>(recent_days * static_cast<double>(day));
  const auto n_items = static_cast<std::size_t>(s.data.items.size());
  std::vector<double> recent(n_items, 0.0), all(n_items, 0.0);
  std::unordered_set<std::uint64_t> seen, seen_recently;
  for (std::size_t n = 0; n < plays.size(); ++n) {
    const auto item = static_cast<std::size_t>(plays.items[n]);
    if (seen.insert(plays.pair(n)).second) ++all[item];
    if (plays.times[n] > from && seen_recently.insert(plays.pair(n)).second) ++recent[item];
  }
  const double share = static_cast<double>(seen_recently.size()) / static_cast<double>(seen.size());
  const auto deviations = [&](std::size_t item) {
    const double expected = share * all[item];
    return expected > 0.0 ? (recent[item] - expected) / std::sqrt(expected) : 0.0;
  };
  std::vector<std::size_t> order(n_items);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return deviations(a) > deviations(b); });
  order.resize((std::min)(shown_artists, n_items));
  Table rows = {{"artist",
                 {"listeners", "listeners in the last days"},
                 {"expected", "listeners expected by the share of all"},
                 {"deviations", "difference in standard deviations"}}};
  json["rising"] = {{"days", recent_days}, {"artists", ordered_json::array()}};
  for (const std::size_t item : order) {
    const std::string name(s.data.item_name(static_cast<kd::Index>(item)));
    rows.push_back({name, count_cell(recent[item]), number_cell(share * all[item], 1), number_cell(deviations(item), 1)});
    json["rising"]["artists"].push_back(
        {{"name", name}, {"listeners", recent[item]}, {"expected", share * all[item]}, {"deviations", deviations(item)}});
  }
  s.console.line("\nArtists that rise: more listeners in the last " + about(recent_days) + " days than their share of all says:");
  s.console.table(rows);
  s.results.add_table("times_rising", rows);
}

/// Each artist's listeners before a cut, where a listener counts half for each half-life since the last play; 0 days: all alike.
std::vector<float> listeners_before(const Plays& plays, const kd::RollingSplit& split, double half_life_days) {
  std::unordered_map<std::uint64_t, std::size_t> last;
  for (std::size_t n = 0; n < plays.size() && plays.times[n] < split.cut; ++n) last[plays.pair(n)] = n;
  std::vector<double> sums(static_cast<std::size_t>(split.train.items.size()), 0.0);
  std::vector<std::size_t> places;
  for (const auto& [pair, place] : last) places.push_back(place);
  std::sort(places.begin(), places.end());  // a sum in the order of time, whatever the order of the map
  for (const std::size_t n : places) {
    const double age = static_cast<double>(split.cut - plays.times[n]) / static_cast<double>(day);
    sums[static_cast<std::size_t>(split.train.items.index(plays.item_keys[n]))] +=
        half_life_days > 0.0 ? std::exp2(-age / half_life_days) : 1.0;
  }
  std::vector<float> scores;
  for (const double sum : sums) scores.push_back((std::max)(static_cast<float>(sum), 1e-30F));
  return scores;
}

/// For how long popularity lasts: with which half-life yesterday's listeners say best what is played for the first time in the next window.
void half_life(Study& s, const Plays& plays, std::span<const kd::RollingSplit> windows, ordered_json& json) {
  Table rows = {{{"days", "half-life in days; 0: none"},
                 "NDCG@10",
                 {"+-", "standard error"},
                 {"gain", "mean difference from none"},
                 {"+-", "standard error of the difference"}}};
  std::vector<double> without;
  const double span = plays.days_since_first(plays.times.back());
  for (const double days : {0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0}) {
    if (days > span) continue;
    std::vector<double> values;
    const auto popular = [&](const kd::RollingSplit& split) { return examples::same_for_all(split, listeners_before(plays, split, days)); };
    for (const kd::RankingReport& report :
         kd::evaluate(popular, windows, {.cutoffs = {10}, .keep_per_user = true, .execution = {.threads = s.arguments.threads}}))
      for (const kd::RankingReport::UserScores& user : report.per_user) values.push_back(user.cutoffs.front().ndcg);
    if (interrupted()) return;
    const kd::MeanAndError found = kd::metrics::mean_and_error(values);
    if (without.empty()) without = values;
    for (std::size_t n = 0; n < values.size(); ++n) values[n] -= without[n];
    const kd::MeanAndError gain = kd::metrics::mean_and_error(values);
    rows.push_back({shortest(days), number_cell(found.mean, 4), number_cell(found.standard_error, 4), number_cell(gain.mean, 4),
                    number_cell(gain.standard_error, 4)});
    json["half_life"].push_back({{"days", days},
                                 {"ndcg", found.mean},
                                 {"standard_error", found.standard_error},
                                 {"gain", gain.mean},
                                 {"gain_error", gain.standard_error}});
  }
  s.console.line("\nPopularity with a half-life, the same list for everybody (new pairs in four windows up to 80 % of the plays):");
  s.console.table(rows);
  s.results.add_table("times_half_life", rows);
}

/// An extra that was tried: what it is called, and how it is measured over windows.
struct Candidate {
  std::string name;
  ordered_json settings;
};

/// Chooses among candidates on the earlier windows, and measures the choice, or the best of those that were not sure enough, on the later ones.
template <typename Measure>
void choose_extra(Study& s, const std::vector<Candidate>& candidates, examples::FittedWindows& earlier, examples::FittedWindows& later,
                  const Measure& measure, const kd::EvaluateOptions& options, ordered_json& json) {
  std::vector<std::vector<kd::RankingReport>> extras;
  for (std::size_t n = 0; n < candidates.size() && !interrupted(); ++n) extras.push_back(measure(earlier, n));
  if (interrupted()) return;
  const kd::Choice choice = kd::choose(earlier.plain(options), extras);
  std::size_t best = 0;
  for (std::size_t n = 1; n < candidates.size(); ++n)
    if (choice.extras[n].t > choice.extras[best].t) best = n;
  if (choice.kept) best = *choice.kept;
  const std::vector<kd::RankingReport> plain = later.plain(options), with = measure(later, best);
  if (interrupted()) return;
  const kd::Choice after = kd::choose(plain, std::vector<std::vector<kd::RankingReport>>{with});
  const kd::Choice::Extra& found = after.extras.front();
  json = {{"candidates", candidates.size()},
          {"kept", choice.kept.has_value()},
          {"name", candidates[best].name},
          {"settings", candidates[best].settings},
          {"earlier", {{"plain", choice.plain}, {"ndcg", choice.extras[best].mean}, {"t", choice.extras[best].t}}},
          {"later",
           {{"plain", after.plain},
            {"ndcg", found.mean},
            {"gain", found.gain.mean},
            {"standard_error", found.gain.standard_error},
            {"t", found.t}}},
          {"protocol", with.front().protocol}};
  s.console.line((choice.kept ? "Kept: " : "Nothing is kept; the best of " + std::to_string(candidates.size()) + " would be: ") +
                 candidates[best].name + " (t " + fixed(choice.extras[best].t, 1) + " on earlier windows). On later windows NDCG@10 " +
                 fixed(after.plain, 4) + " without and " + fixed(found.mean, 4) + " with it, a difference of " + fixed(found.gain.mean, 4) +
                 " +- " + fixed(found.gain.standard_error, 4) + ".");
}

/// Whether lists should know what rises.
void offset(Study& s, const Plays& plays, examples::FittedWindows& earlier, examples::FittedWindows& later, ordered_json& json) {
  std::vector<Candidate> candidates;
  std::vector<kd::TrendOptions> trends;
  for (const std::int64_t days : {7, 30})
    for (const bool fades : {false, true})
      for (const double weight : {0.5, 1.0, 2.0, 4.0}) {
        trends.push_back({.recent_seconds = days * day, .weight = weight});
        if (fades) trends.back().fade_in_seconds = static_cast<double>(day);
        candidates.push_back(
            {"offset of " + std::to_string(days) + " days" + (fades ? ", fading in over a day" : "") + ", weight " + shortest(weight),
             {{"recent_days", days}, {"fade_in_days", fades ? 1 : 0}, {"weight", weight}}});
      }
  const kd::EvaluateOptions options{.cutoffs = {10}, .execution = {.threads = s.arguments.threads}};
  s.console.line("\nDoes it pay to lift what rises? " + std::to_string(candidates.size()) +
                 " offsets beside “defaults”, new pairs, chosen on four windows up to 80 % of the plays:");
  const auto measure = [&](examples::FittedWindows& windows, std::size_t n) {
    return windows.with_trend(plays.events(), trends[n], options);
  };
  choose_extra(s, candidates, earlier, later, measure, options, json["offset"]);
}

/// What each listener has played most: the baseline for repeats.
struct Favourites {
  const kd::RollingSplit& split;

  [[nodiscard]] kd::MatrixShape shape() const { return split.train.matrix.shape(); }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    const kd::SparseRow row = split.train.matrix.row(user);
    std::vector<kd::Scored> list;
    for (std::size_t n = 0; n < row.size(); ++n) list.push_back({row.columns[n], static_cast<double>(row.values[n])});
    std::sort(list.begin(), list.end(), kd::ranks_before);
    list.resize((std::min)(list.size(), options.count));
    return list;
  }
};

/// Whether lists should hold what the listener plays anyway, most likely first.
void repeats(Study& s, const Plays& plays, examples::FittedWindows& earlier, examples::FittedWindows& later, ordered_json& json) {
  const kd::RollingSplit::Options all{.targets = kd::RollingSplit::Targets::all};
  earlier.set_splits(examples::windows_between(plays.events(), earlier_shares, all));
  later.set_splits(examples::windows_between(plays.events(), later_shares, all));
  std::vector<Candidate> candidates;
  std::vector<std::pair<kd::RepeatOptions, double>> settings;
  for (const double decay : {0.9, 1.0})
    for (const double power : {0.5, 1.0})
      for (const double weight : {1.0, 10.0, 100.0}) {
        settings.push_back({{.decay = decay, .power = power}, weight});
        candidates.push_back({"repeats with decay " + shortest(decay) + ", power " + shortest(power) + ", weight " + shortest(weight),
                              {{"decay", decay}, {"power", power}, {"weight", weight}}});
      }
  const kd::EvaluateOptions options{
      .cutoffs = {10}, .seen = kd::EvaluateOptions::SeenItems::allowed, .execution = {.threads = s.arguments.threads}};
  s.console.line("\nDo repeats pay, where lists may hold what the listener knows? " + std::to_string(candidates.size()) +
                 " settings, known and new artists, chosen in the same way:");
  const kd::RollingSplit* first_window = nullptr;  // of the scores below
  std::size_t group = 0;
  std::vector<kd::RepeatScores> scores;  // of windows: settings that differ in their weight alone, three at a time, share them
  const auto measure = [&](examples::FittedWindows& windows, std::size_t n) {
    if (first_window != windows.splits().data() || group != n / 3) {
      scores.clear();
      for (const kd::RollingSplit& split : windows.splits())
        scores.emplace_back(plays.days_before(split.cut), split.train, settings[n].first);
      first_window = windows.splits().data();
      group = n / 3;
    }
    std::size_t window = 0;
    const auto extra = [&](const kd::ImplicitALS<float>& model, const kd::RollingSplit&) {
      return kd::RepeatRecommender<kd::ImplicitALS<float>>(model, scores[window++], settings[n].second);
    };
    return windows.measured(extra, options);
  };
  choose_extra(s, candidates, earlier, later, measure, options, json["repeats"]);
  if (interrupted()) return;
  const auto favourites = later.measured([](const auto&, const kd::RollingSplit& split) { return Favourites{split}; }, options);
  const kd::Choice::Extra found = examples::gain_of(later.plain(options), favourites);
  json["repeats"]["favourites"] = {{"ndcg", found.mean}, {"gain", found.gain.mean}, {"standard_error", found.gain.standard_error}};
  s.console.line("The listener's most played artists alone: " + fixed(found.mean, 4) + ".");
}

/// One row for each way to make lists, on the later windows.
Table extras_table(const ordered_json& json) {
  Table rows = {
      {"model", "NDCG@10", {"gain", "mean difference"}, {"+-", "standard error of the difference"}, {"t", "t on earlier windows"}}};
  for (const char* const extra : {"offset", "repeats"}) {
    if (!json.contains(extra)) continue;
    const ordered_json& found = json.at(extra);
    const ordered_json& later = found.at("later");
    const bool is_offset = extra == std::string_view("offset");
    rows.push_back({is_offset ? "defaults, new pairs" : "defaults, all pairs", number_cell(later.at("plain"), 4), number_cell(0.0, 4),
                    number_cell(0.0, 4), number_cell(0.0, 1)});
    rows.push_back({found.at("name").get<std::string>() + (found.at("kept").get<bool>() ? "" : " (not kept)"),
                    number_cell(later.at("ndcg"), 4), number_cell(later.at("gain"), 4), number_cell(later.at("standard_error"), 4),
                    number_cell(found.at("earlier").at("t"), 1)});
    if (is_offset) continue;
    const ordered_json& favourites = found.at("favourites");
    rows.push_back({"most played, all pairs", number_cell(favourites.at("ndcg"), 4), number_cell(favourites.at("gain"), 4),
                    number_cell(favourites.at("standard_error"), 4), number_cell(0.0, 1)});
  }
  return rows;
}

void windows_of(Study& s, const Plays& plays, ordered_json& json) {
  std::vector<kd::RollingSplit> before, after;
  try {
    before = examples::windows_between(plays.events(), earlier_shares);
    after = examples::windows_between(plays.events(), later_shares);
  } catch (const kd::InvalidArgument& error) {
    json["no_windows"] = error.what();
    return s.console.line("\nToo little happens for windows in time: " + std::string(error.what()) + ".");
  }
  half_life(s, plays, before, json);
  if (interrupted()) return;
  const kd::ImplicitALS<float>::FitOptions fit{.progress = s.console.whole("windows in time"),
                                               .execution = {.threads = s.arguments.threads}};
  examples::FittedWindows earlier(std::move(before), {.seed = s.arguments.seed}, fit),
      later(std::move(after), {.seed = s.arguments.seed}, fit);
  offset(s, plays, earlier, later, json);
  if (!interrupted() && json.contains("rates")) repeats(s, plays, earlier, later, json);
  if (!interrupted()) s.results.add_table("times_extras", extras_table(json));
}

}  // namespace

void times(Study& s) {
  std::optional<kd::EventLog> log = read_events(s);
  if (!log) return s.console.line("\n(No chapter on time: that needs a file of plays with times.)");
  const Plays plays(log->events(), s.data);
  log.reset();  // a large file's events take as much memory again
  if (plays.size() < 1'000 || plays.times.front() == plays.times.back())
    return s.console.line("\n(No chapter on time: it needs 1,000 events at different times.)");
  s.console.section("Times: what repeats, what rises, and what lists should know of it");
  ordered_json json = {{"plays", plays.size()}, {"days", plays.days_since_first(plays.times.back())}};
  repeated_plays(s, plays, json);
  if (json.at("repeated").get<double>() > 0.0) repeat_rates(s, plays, json);
  rising_artists(s, plays, json);
  windows_of(s, plays, json);
  if (!interrupted()) s.results.json["times"] = std::move(json);
}

}  // namespace study
