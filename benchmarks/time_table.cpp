// SPDX-License-Identifier: MIT
// What do times bring? Repeats in baskets, a trend in ratings, and the guard that leaves both out where they do not pay. time_table DATA_FOLDER [PART]
//
// Every choice is made on earlier data than the figures: baskets on the basket before the last, ratings and plays on four windows before the cut.
//   TaFeng        last basket of every user, all items, seen ones included; recall and NDCG at 10
//   MovieLens     new pairs after 80 % of the events, and in four windows of 5 % after it; NDCG at 10
//   Last.fm 1K    the same on plays: the guard must keep the offset out
// and lists a second with offsets and with repeats, beside those without.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <kindred/kindred.hpp>

#include "../examples/reproduce/tifu_knn.hpp"
#include "../examples/reproduce/up_cf.hpp"
#include "../examples/windows.hpp"
#include "public_sets.hpp"

namespace {

namespace kd = kindred;
using Als = kd::ImplicitALS<float>;
using Repeating = kd::RepeatRecommender<Als>;

// ---- baskets

/// Baskets of each user but the last `held`, and the first of these as the target.
struct NextBasket {
  std::vector<std::int64_t> users, items, times;
  std::vector<std::pair<std::int64_t, std::int64_t>> target;
  kd::Dataset data;
  kd::CsrMatrix test;
  Baskets history;  // as indices of data

  NextBasket(const Baskets& baskets, std::size_t held) {
    for (std::size_t u = 0; u < baskets.size(); ++u)
      for (std::size_t b = 0; b + held <= baskets[u].size(); ++b)
        for (const kd::Index item : baskets[u][b]) {
          if (b + held == baskets[u].size()) {
            target.emplace_back(u, item);
            continue;
          }
          users.push_back(static_cast<std::int64_t>(u));
          items.push_back(item);
          times.push_back(static_cast<std::int64_t>(b));
        }
    data = events().dataset();
    history.resize(static_cast<std::size_t>(data.users.size()));
    for (std::size_t n = 0; n < users.size(); ++n) {
      auto& of_user = history[static_cast<std::size_t>(*data.users.find(users[n]))];
      of_user.resize(static_cast<std::size_t>(times[n]) + 1);
      of_user.back().push_back(*data.items.find(items[n]));
    }
    std::vector<kd::Interaction> cells;
    for (const auto& [user, item] : target) {
      const auto row = data.users.find(user), column = data.items.find(item);
      if (row && column) cells.push_back({*row, *column, 1.0F});
    }
    test = kd::CsrMatrix::from_triplets(data.matrix.shape(), cells);
  }
  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .times = times}; }
};

const kd::EvaluateOptions basket_options{.seen = kd::EvaluateOptions::SeenItems::allowed, .keep_per_user = true};

template <typename Model>
kd::RankingReport measured(const Model& model, const NextBasket& baskets) {
  return kd::evaluate(model, baskets.data.matrix, baskets.test, basket_options);
}

void print(const char* name, const kd::RankingReport& report) {
  std::printf("| %s | %.4f | %.4f |\n", name, report.at(10).recall.mean, report.at(10).ndcg.mean);
  std::fflush(stdout);
}

/// Gain of one report over another, with its error.
void print_gain(const char* name, const kd::RankingReport& before, const kd::RankingReport& after) {
  const kd::Comparison recall = kd::compare(before, after, {.metric = kd::Metric::recall}), ndcg = kd::compare(before, after);
  std::printf("  over %s: recall %+.1f %% (t %.1f), NDCG %+.1f %% (t %.1f)\n", name, 100.0 * (recall.second / recall.first - 1.0),
              recall.difference.mean / recall.difference.standard_error, 100.0 * (ndcg.second / ndcg.first - 1.0),
              ndcg.difference.mean / ndcg.difference.standard_error);
}

/// Settings of repeats beside a model.
struct Repeats {
  double decay = 0.9, power = 1.0, weight = 100.0, popularity = 100.0;
};

/// NDCG of the settings, and the model that has them.
kd::RankingReport with_repeats(Als& als, const NextBasket& baskets, const Repeats& settings) {
  const kd::RepeatScores scores(baskets.events(), baskets.data, {.decay = settings.decay, .power = settings.power});
  kd::ItemOffsets popularity = scores.last_baskets();
  popularity.weight = settings.popularity;
  als.set_item_offsets(popularity);
  kd::RankingReport report = measured(Repeating(als, scores, settings.weight), baskets);
  als.set_item_offsets({});
  return report;
}

/// The best of a grid, then finer steps of the weights.
Repeats best_repeats(Als& als, const NextBasket& baskets) {
  Repeats best;
  double highest = -1.0;
  const auto attempt = [&](const Repeats& settings) {
    const double ndcg = with_repeats(als, baskets, settings).at(10).ndcg.mean;
    if (ndcg > highest) highest = ndcg, best = settings;
  };
  for (const double decay : {0.9, 1.0})
    for (const double power : {0.5, 1.0})
      for (const double weight : {50.0, 100.0, 200.0, 400.0})
        for (const double popularity : {50.0, 100.0, 200.0, 400.0, 800.0}) attempt({decay, power, weight, popularity});
  for (const double factor : {1.4142135623730951, 0.7071067811865476}) {
    const Repeats from = best;
    attempt({from.decay, from.power, from.weight * factor, from.popularity});
    attempt({from.decay, from.power, from.weight, from.popularity * factor});
    attempt({from.decay, from.power, from.weight * factor, from.popularity * factor});
  }
  std::printf("chosen: decay %.1f, power %.1f, weight of repeats %.0f, of popularity %.0f\n", best.decay, best.power, best.weight,
              best.popularity);
  return best;
}

/// The settings of TIFU-KNN or UP-CF with the highest NDCG on the basket before the last, over every `step`-th user.
template <typename Model, typename Settings>
Settings tuned(const NextBasket& before, const std::vector<Settings>& grid, kd::Index step) {
  std::vector<kd::Index> some;
  for (kd::Index u = 0; u < before.data.users.size(); u += step) some.push_back(u);
  kd::EvaluateOptions options = basket_options;
  options.users = some;
  Settings best = grid.front();
  double highest = -1.0;
  for (const Settings& settings : grid) {
    const Model model(before.history, before.data.items.size(), settings);
    const double ndcg = kd::evaluate(model, before.data.matrix, before.test, options).at(10).ndcg.mean;
    if (ndcg > highest) highest = ndcg, best = settings;
  }
  return best;
}

std::vector<TifuKnn::Options> tifu_grid() {
  std::vector<TifuKnn::Options> grid;
  for (const std::size_t neighbours : {300U, 900U})
    for (const double within : {0.9, 1.0})
      for (const double between : {0.7, 0.9, 1.0})
        for (const double own : {0.05, 0.1, 0.3, 0.5, 0.7}) grid.push_back({neighbours, within, between, 7, own});
  return grid;
}

std::vector<UpCf::Options> up_cf_grid() {
  std::vector<UpCf::Options> grid;
  for (const std::size_t recent : {5U, 25U, 100U})
    for (const double locality : {2.0, 5.0, 10.0})
      for (const double asymmetry : {0.25, 0.5, 0.75, 1.0}) grid.push_back({recent, locality, asymmetry});
  return grid;
}

template <typename Call>
double lists_per_second(kd::Index users, Call&& call) {
  double best = 1e300;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    (void)call();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return static_cast<double>(users) / best;
}

void print_speed(const char* name, const Als& plain, const kd::Events& events, const kd::Dataset& data, const Repeats& settings) {
  const kd::RecommendAllOptions one_thread{.execution = {.threads = 1}};
  const kd::Index users = data.users.size();
  const kd::RepeatScores scores(events, data, {.decay = settings.decay, .power = settings.power});
  Als offset = plain, trend = plain;
  kd::ItemOffsets popularity = scores.last_baskets();
  popularity.weight = settings.popularity;
  offset.set_item_offsets(popularity);
  trend.set_item_offsets(kd::trend_offsets(events, data, {.recent_seconds = 3}));
  const Repeating repeating(plain, scores, settings.weight), both(offset, scores, settings.weight);
  const double base = lists_per_second(users, [&] { return plain.recommend_all(kd::every_user, one_thread); });
  const auto show = [&](const char* of, const auto& model) {
    const double rate = lists_per_second(users, [&] { return model.recommend_all(kd::every_user, one_thread); });
    std::printf("  %s: %.0f lists/s, %.2f of those without\n", of, rate, rate / base);
  };
  std::printf("\n%s, one thread, without: %.0f lists/s\n", name, base);
  show("popularity of last baskets", offset);
  show("trend, weight 1", trend);
  show("repeats", repeating);
  show("both", both);
}

/// 20,000 users and 50,000 items, each pair one to three times at one of ten moments.
void synthetic() {
  const kd::CsrMatrix plays = kd::synthetic_listening({.users = 20'000, .items = 50'000, .items_per_user = 50}).matrix;
  std::mt19937 random(1);
  std::vector<std::int64_t> users, items, times;
  for (kd::Index u = 0; u < plays.rows(); ++u)
    for (const kd::Index item : plays.row(u).columns)
      for (auto times_left = 1 + random() % 3; times_left > 0; --times_left) {
        users.push_back(u);
        items.push_back(item);
        times.push_back(static_cast<std::int64_t>(random() % 10));
      }
  const kd::Events events{.users = users, .items = items, .times = times};
  const kd::Dataset data = events.dataset();
  Als als;
  als.fit(data.matrix);
  print_speed("synthetic", als, events, data, {});
}

void tafeng(const std::string& folder) {
  const auto json = nlohmann::json::parse(public_sets::text_of(folder + "/tafeng/tafeng_merged.json"));
  Baskets of_users;
  for (const auto& baskets : json) of_users.push_back(baskets.get<std::vector<std::vector<kd::Index>>>());
  const NextBasket before(of_users, 2), last(of_users, 1);
  std::printf("\nTaFeng, last basket of %d users\n| model | recall@10 | NDCG@10 |\n|---|---|---|\n", last.data.users.size());
  Als earlier, als;
  earlier.fit(before.data.matrix);
  als.fit(last.data.matrix);
  print("ALS", measured(als, last));
  kd::PopularityRecommender popular({.by = kd::PopularityOptions::By::users});
  popular.fit(last.data.matrix);
  print("personal frequency, then popularity",
        measured(kd::RepeatRecommender<kd::PopularityRecommender>(
                     popular, kd::RepeatScores(last.events(), last.data, {.decay = 1.0, .power = 1.0, .rate_power = 0.0}), 1e7),
                 last));
  const kd::RankingReport tifu = measured(TifuKnn(last.history, last.data.items.size(), {}), last);
  print("TIFU-KNN, published settings", tifu);
  const auto tifu_settings = tuned<TifuKnn>(before, tifu_grid(), 1);
  const kd::RankingReport tifu_tuned = measured(TifuKnn(last.history, last.data.items.size(), tifu_settings), last);
  print("TIFU-KNN, tuned", tifu_tuned);
  std::printf("  chosen: %zu neighbours, decay %.1f and %.1f, own share %.1f\n", tifu_settings.neighbours, tifu_settings.within_group,
              tifu_settings.between_groups, tifu_settings.own_share);
  const auto up_cf_settings = tuned<UpCf>(before, up_cf_grid(), 4);
  const kd::RankingReport up_cf = measured(UpCf(last.history, last.data.items.size(), up_cf_settings), last);
  print("UP-CF, tuned", up_cf);
  std::printf("  chosen: %zu baskets, locality %.0f, asymmetry %.2f\n", up_cf_settings.recent, up_cf_settings.locality,
              up_cf_settings.asymmetry);
  const Repeats settings = best_repeats(earlier, before);
  const kd::RankingReport best = with_repeats(als, last, settings);
  print("ALS + repeats + popularity of last baskets", best);
  print_gain("TIFU-KNN, published settings", tifu, best);
  print_gain("TIFU-KNN, tuned", tifu_tuned, best);
  print_gain("UP-CF, tuned", up_cf, best);
  print_speed("TaFeng", als, last.events(), last.data, settings);
}

// ---- trends

/// Mean NDCG at 10 over windows.
double mean_of(const std::vector<kd::RankingReport>& reports) {
  double sum = 0.0;
  for (const kd::RankingReport& report : reports) sum += report.at(10).ndcg.mean / static_cast<double>(reports.size());
  return sum;
}

/// What the same users' recent favourites bring without a model of taste: the most events in the days before the cut.
double recent_popularity(const kd::Events& events, const std::vector<kd::RollingSplit>& splits, std::int64_t seconds) {
  const auto fit = [&](const kd::RollingSplit& split) {
    const kd::Dataset recent = events.dataset({.from = split.cut - seconds, .until = split.cut});
    std::vector<float> counts(static_cast<std::size_t>(split.train.items.size()), 1e-6F);
    for (kd::Index u = 0; u < recent.users.size(); ++u)
      for (std::size_t n = 0; n < recent.matrix.row(u).size(); ++n)
        counts[static_cast<std::size_t>(split.train.items.index(recent.items.key(recent.matrix.row(u).columns[n])))] +=
            recent.matrix.row(u).values[n];
    return examples::same_for_all(split, counts);
  };
  return mean_of(kd::evaluate(fit, splits));
}

void trends(const char* name, const kd::Events& events) {
  constexpr std::int64_t day = 86'400;
  using examples::windows_between;
  examples::FittedWindows earlier(windows_between(events, {0.4, 0.5, 0.6, 0.7, 0.8})), cut(windows_between(events, {0.8, 1.0})),
      rolling(windows_between(events, {0.8, 0.85, 0.9, 0.95, 1.0}));
  std::vector<kd::TrendOptions> grid;
  for (const std::int64_t days : {7, 14, 30})
    for (const double fade_days : {0.0, 1.0, 7.0})
      for (const double weight : {0.25, 0.5, 1.0, 2.0, 3.0, 5.0}) {
        kd::TrendOptions options{.recent_seconds = days * day, .weight = weight};
        if (fade_days > 0.0) options.fade_in_seconds = fade_days * static_cast<double>(day);
        grid.push_back(options);
      }
  std::vector<std::vector<kd::RankingReport>> extras;
  for (const kd::TrendOptions& options : grid) extras.push_back(earlier.with_trend(events, options));
  const kd::Choice choice = kd::choose(earlier.plain(), extras);
  const kd::TrendOptions* kept = choice.kept ? &grid[*choice.kept] : nullptr;
  double highest = -1e300;
  for (const kd::Choice::Extra& extra : choice.extras) highest = std::max(highest, extra.t);
  std::printf("\n%s, new pairs\n", name);
  if (kept != nullptr)
    std::printf("chosen on four earlier windows: %.0f days, fade-in %.0f days, weight %.2f: gain %+.1f %%, t %.2f\n",
                static_cast<double>(kept->recent_seconds) / day, kept->fade_in_seconds.value_or(0.0) / day, kept->weight,
                100.0 * choice.extras[*choice.kept].gain.mean / choice.plain, choice.extras[*choice.kept].t);
  else
    std::printf("chosen on four earlier windows: no offset; the highest t of %zu is %.2f\n", grid.size(), highest);
  std::printf("| | one cut at 80 %% | four windows of 5 %% |\n|---|---|---|\n");
  const auto plain_cut = cut.plain(), plain_rolling = rolling.plain();
  std::printf("| recent popularity, 14 days | %.4f | %.4f |\n", recent_popularity(events, cut.splits(), 14 * day),
              recent_popularity(events, rolling.splits(), 14 * day));
  std::printf("| ALS | %.4f | %.4f |\n", mean_of(plain_cut), mean_of(plain_rolling));
  const auto own_cut = kept != nullptr ? cut.with_trend(events, *kept) : plain_cut,
             own_rolling = kept != nullptr ? rolling.with_trend(events, *kept) : plain_rolling;
  std::printf("| ALS, offset as chosen | %.4f (%+.1f %%) | %.4f (%+.1f %%) |\n", mean_of(own_cut),
              100.0 * (mean_of(own_cut) / mean_of(plain_cut) - 1.0), mean_of(own_rolling),
              100.0 * (mean_of(own_rolling) / mean_of(plain_rolling) - 1.0));
  if (kept != nullptr)
    std::printf("  t over users in windows: %.1f, %.1f\n", examples::gain_of(plain_cut, own_cut).t,
                examples::gain_of(plain_rolling, own_rolling).t);
  kd::TrendOptions fixed{.weight = 3.0};
  std::printf("| ALS, fixed weight 3, no choice | %.4f | %.4f |\n", mean_of(cut.with_trend(events, fixed)),
              mean_of(rolling.with_trend(events, fixed)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: time_table DATA_FOLDER [ratings|plays|baskets|synthetic]\n", stderr), 2;
  const std::string folder = argv[1], part = argc > 2 ? argv[2] : "";
  const auto wanted = [&](const char* name) { return part.empty() || part == name; };
  if (wanted("ratings")) trends("MovieLens 100K", kd::read_events(folder + "/ml-100k/u.data", {.value = {}, .time = 3}).events());
  if (wanted("plays"))
    trends("Last.fm 1K, the first tenth",
           kd::read_events(folder + "/lastfm-1k/jodie_lastfm_first10pct.tsv", {.value = {}, .time = 2}).events());
  if (wanted("baskets")) tafeng(folder);
  if (wanted("synthetic")) synthetic();
  return 0;
}
