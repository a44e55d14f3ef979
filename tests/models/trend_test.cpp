// SPDX-License-Identifier: MIT
#include <kindred/models/trend.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

struct TrendLog {
  std::vector<std::string> users, items, kinds;
  std::vector<std::int64_t> times;

  void add(const char* user, const char* item, std::int64_t time, const char* kind) {
    users.emplace_back(user);
    items.emplace_back(item);
    times.push_back(time);
    kinds.emplace_back(kind);
  }
  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .times = times, .kinds = kinds}; }
};

TrendLog shop() {
  TrendLog log;
  log.add("anna", "tea", 100, "buy");
  log.add("anna", "tea", 900, "view");
  log.add("ben", "tea", 1000, "buy");
  log.add("ben", "cup", 200, "buy");
  log.add("carl", "cup", 999, "buy");  // carl is no user of the model
  log.add("ben", "lamp", 998, "buy");  // lamp is no item of it
  return log;
}

/// Users anna, ben and dora; items tea, cup and rug.
kd::Dataset model_data() {
  return kd::Dataset::from_columns(std::vector<std::string>{"anna", "ben", "dora"}, std::vector<std::string>{"tea", "cup", "rug"});
}

}  // namespace

TEST_SUITE("models/trend") {
  TEST_CASE("by hand") {
    const TrendLog log = shop();
    const kd::ItemOffsets offsets = kd::trend_offsets(log.events(), model_data(), {.recent_seconds = 101, .weight = 2.5});
    // Ages count from 1001: events from 900 on are recent.
    REQUIRE(offsets.values.size() == 3);
    CHECK(offsets.values[0] == static_cast<float>(std::log(3.0) - 0.5 * std::log(4.0)));
    CHECK(offsets.values[1] == static_cast<float>(std::log(2.0) - 0.5 * std::log(3.0)));
    CHECK(offsets.values[2] == 0.0F);
    CHECK(offsets.unknown == 0.0F);
    CHECK(offsets.weight == 2.5);
    CHECK(offsets.user_weights.empty());
    CHECK(offsets.last_event == 1000);
    CHECK(kd::trend_offsets(log.events(), model_data(), {.recent_seconds = 100}).values[0] ==
          static_cast<float>(std::log(2.0) - 0.5 * std::log(4.0)));
  }

  TEST_CASE("a window, kinds, and weights that fade in") {
    const TrendLog log = shop();
    const kd::ItemOffsets before =
        kd::trend_offsets(log.events(), model_data(), {.recent_seconds = 100, .until = 1000, .kinds = {"buy"}, .fade_in_seconds = 400});
    CHECK(before.values[0] == static_cast<float>(-0.5 * std::log(2.0)));
    CHECK(before.values[1] == static_cast<float>(std::log(2.0) - 0.5 * std::log(3.0)));
    CHECK(before.last_event == 999);
    REQUIRE(before.user_weights.size() == 3);
    CHECK(before.user_weights[0] == Approx(1.0 - std::pow(2.0, -900.0 / 400.0)));
    CHECK(before.user_weights[1] == Approx(1.0 - std::pow(2.0, -2.0 / 400.0)));  // what ben did with the lamp counts
    CHECK(before.user_weights[2] == 1.0F);
  }

  TEST_CASE("the order of events does not matter") {
    TrendLog log = shop(), turned;
    for (std::size_t n = log.users.size(); n-- > 0;)
      turned.add(log.users[n].c_str(), log.items[n].c_str(), log.times[n], log.kinds[n].c_str());
    CHECK(kd::trend_offsets(log.events(), model_data(), {.fade_in_seconds = 10}) ==
          kd::trend_offsets(turned.events(), model_data(), {.fade_in_seconds = 10}));
  }

  TEST_CASE("what is refused") {
    const TrendLog log = shop();
    const kd::Dataset data = model_data();
    const auto refuses = [&](const kd::TrendOptions& options, const char* text) {
      CHECK_THROWS_WITH_AS((void)kd::trend_offsets(log.events(), data, options), Contains(text), kd::InvalidArgument);
    };
    refuses({.recent_seconds = 0}, "recent_seconds");
    refuses({.recent_seconds = 1'000'000'000'000}, "recent_seconds");
    refuses({.weight = std::numeric_limits<double>::infinity()}, "weight");
    refuses({.until = 1'700'000'000'000}, "divide milliseconds by 1000");
    refuses({.until = 100}, "number of events that count");
    refuses({.kinds = {"steal"}}, "'steal'");
    refuses({.fade_in_seconds = 0.0}, "fade_in_seconds");
    CHECK_THROWS_WITH_AS((void)kd::trend_offsets({.users = log.users, .items = log.items}, data), Contains("one for each event"),
                         kd::InvalidArgument);
    TrendLog milliseconds = log;
    milliseconds.times[2] = 1'700'000'000'000;
    CHECK_THROWS_WITH_AS((void)kd::trend_offsets(milliseconds.events(), data), Contains("times[2] is 1700000000000"), kd::InvalidArgument);
  }

  TEST_CASE("all events at one moment are all recent") {
    TrendLog log = shop();
    for (std::int64_t& time : log.times) time = 500;
    const kd::ItemOffsets offsets = kd::trend_offsets(log.events(), model_data(), {.recent_seconds = 1});
    CHECK(offsets.values[0] == static_cast<float>(std::log(4.0) - 0.5 * std::log(4.0)));
  }
}
