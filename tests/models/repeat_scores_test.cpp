// SPDX-License-Identifier: MIT
#include <kindred/models/repeat_scores.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

struct BasketLog {
  std::vector<std::int64_t> users, items, times;

  void add(std::int64_t user, std::int64_t item, std::int64_t time) {
    users.push_back(user);
    items.push_back(item);
    times.push_back(time);
  }
  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .times = times}; }
};

/// Baskets of user 1: {10, 11}, {10}, {12}; of user 2: {11}, {11, 12}.
BasketLog two_users() {
  BasketLog log;
  log.add(1, 10, 0);
  log.add(1, 11, 0);
  log.add(1, 10, 5);
  log.add(1, 12, 9);
  log.add(2, 11, 3);
  log.add(2, 12, 4);
  log.add(2, 11, 4);
  return log;
}

double score_of(const kd::RepeatScores& scores, kd::Index user, kd::Index item) {
  const kd::SparseRow row = scores.matrix().row(user);
  for (std::size_t n = 0; n < row.size(); ++n)
    if (row.columns[n] == item) return static_cast<double>(row.values[n]);
  return 0.0;
}

/// The formula once more, in maps and long double.
long double by_formula(const BasketLog& log, std::int64_t user, std::int64_t item, const kd::RepeatOptions& options) {
  std::map<std::int64_t, std::map<std::int64_t, std::set<std::int64_t>>> baskets;
  for (std::size_t n = 0; n < log.users.size(); ++n) baskets[log.users[n]][log.times[n]].insert(log.items[n]);
  long double held = 0, repeated = 0, all_held = 0, all_repeated = 0;
  for (const auto& [who, own] : baskets)
    for (auto at = own.begin(); at != own.end() && std::next(at) != own.end(); ++at)
      for (const std::int64_t one : at->second) {
        const long double again = std::next(at)->second.contains(one) ? 1 : 0;
        all_held += 1;
        all_repeated += again;
        if (one != item) continue;
        held += 1;
        repeated += again;
      }
  const long double prior = options.rate_prior, mean = all_held > 0 ? all_repeated / all_held : 0;
  const long double rate = (repeated + prior * mean) / (held + prior);
  long double sum = 0, all = 0;
  int age = static_cast<int>(baskets[user].size());
  for (const auto& [time, basket] : baskets[user]) {
    const long double weight = std::pow(static_cast<long double>(options.decay), --age);
    all += weight;
    if (basket.contains(item)) sum += weight;
  }
  return std::pow(sum / all, static_cast<long double>(options.power)) * std::pow(rate, static_cast<long double>(options.rate_power));
}

}  // namespace

TEST_SUITE("models/repeat_scores") {
  TEST_CASE("by hand") {
    const BasketLog log = two_users();
    const kd::Dataset data = log.events().dataset();
    const kd::RepeatScores scores(log.events(), data, {.decay = 0.5, .power = 1.0, .rate_prior = 2.0, .rate_power = 1.0});
    // Held with a next basket: 10 twice (once repeated), 11 twice (once repeated): q = 2 / 4.
    CHECK(scores.rates() == std::vector<float>{0.5F, 0.5F, 0.5F});
    // User 1: weights .25, .5, 1 of three baskets.
    CHECK(score_of(scores, 0, 0) == Approx(0.75 / 1.75 * 0.5).epsilon(1e-6));
    CHECK(score_of(scores, 0, 1) == Approx(0.25 / 1.75 * 0.5).epsilon(1e-6));
    CHECK(score_of(scores, 0, 2) == Approx(1.0 / 1.75 * 0.5).epsilon(1e-6));
    CHECK(score_of(scores, 1, 1) == Approx(0.5).epsilon(1e-6));
    CHECK(score_of(scores, 1, 0) == 0.0);
    CHECK(scores.last_baskets().values == std::vector<float>{0.0F, 0.5F, 1.0F});
    CHECK(scores.last_baskets().last_event == 9);
    const kd::RepeatScores early(log.events(), data, {.until = 4});
    CHECK(early.last_baskets().values == std::vector<float>{0.5F, 1.0F, 0.0F});
    CHECK(early.last_baskets().last_event == 3);
    CHECK(early.matrix().nnz() == 0);  // no basket has a next one yet: nothing is known to repeat
  }

  TEST_CASE("drawn events against the formula, whatever their order") {
    kd::detail::Random random(3, kd::detail::RandomStream::sample);
    BasketLog log, turned;
    for (int n = 0; n < 600; ++n)
      log.add(static_cast<std::int64_t>(random.below(12)), static_cast<std::int64_t>(random.below(15)),
              static_cast<std::int64_t>(random.below(9)));
    for (std::size_t n = log.users.size(); n-- > 0;) turned.add(log.users[n], log.items[n], log.times[n]);
    const kd::Dataset data = log.events().dataset();
    for (const kd::RepeatOptions& options :
         {kd::RepeatOptions{}, kd::RepeatOptions{.decay = 1.0, .power = 2.0, .rate_prior = 0.0, .rate_power = 0.7},
          kd::RepeatOptions{.rate_power = 0.0}}) {
      const kd::RepeatScores scores(log.events(), data, options), again(turned.events(), data, options);
      std::size_t pairs = 0;
      for (kd::Index u = 0; u < data.users.size(); ++u) {
        const kd::SparseRow row = scores.matrix().row(u);
        pairs += row.size();
        for (std::size_t n = 0; n < row.size(); ++n) {
          const long double wanted = by_formula(log, data.users.key_as_int64(u), data.items.key_as_int64(row.columns[n]), options);
          CHECK(static_cast<double>(row.values[n]) == Approx(static_cast<double>(wanted)).epsilon(1e-6));
          CHECK(row.values[n] <= 1.0F);
          CHECK(again.matrix().row(u).values[n] == row.values[n]);
        }
      }
      CHECK(pairs > 100);
      CHECK(again.rates() == scores.rates());
    }
  }

  TEST_CASE("users and items that the model lacks") {
    BasketLog log = two_users();
    const kd::Dataset data = kd::Dataset::from_columns(std::vector<std::int64_t>{1, 7}, std::vector<std::int64_t>{12, 11});
    const kd::RepeatScores scores(log.events(), data, {.decay = 1.0, .power = 1.0, .rate_power = 0.0});
    CHECK(score_of(scores, 0, 0) == Approx(1.0 / 3.0));  // the basket of item 10 alone counts as one
    CHECK(scores.matrix().row(1).empty());
    CHECK(scores.last_baskets().values == std::vector<float>{1.0F, 0.0F});
    const kd::Dataset strangers = kd::Dataset::from_columns(std::vector<std::int64_t>{7}, std::vector<std::int64_t>{12});
    CHECK(kd::RepeatScores(log.events(), strangers).last_baskets().values == std::vector<float>{0.0F});
  }

  TEST_CASE("what is refused") {
    const BasketLog log = two_users();
    const kd::Dataset data = log.events().dataset();
    const auto refuses = [&](const kd::RepeatOptions& options, const char* text) {
      CHECK_THROWS_WITH_AS(kd::RepeatScores(log.events(), data, options), Contains(text), kd::InvalidArgument);
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    refuses({.decay = 0.0}, "decay");
    refuses({.decay = 1.1}, "decay");
    refuses({.power = 0.0}, "power");
    refuses({.rate_prior = -1.0}, "rate_prior");
    refuses({.rate_power = nan}, "rate_power");
    refuses({.until = 0}, "number of events that count");
    refuses({.until = 1'700'000'000'000}, "divide milliseconds by 1000");
    refuses({.kinds = {"buy"}}, "'buy'");
    CHECK_THROWS_WITH_AS(kd::RepeatScores({.users = log.users, .items = log.items}, data), Contains("one for each event"),
                         kd::InvalidArgument);
  }
}
