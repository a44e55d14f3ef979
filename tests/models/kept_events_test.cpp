// SPDX-License-Identifier: MIT
#include <kindred/models/kept_events.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/keyed_recommender.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

/// 600 events of 30 users on 15 items, at times 0, 10, 20, ...; every third is a purchase.
struct ShopLog {
  std::vector<std::string> users, items, kinds;
  std::vector<std::int64_t> times;

  explicit ShopLog(std::int64_t size = 600) {
    for (std::int64_t n = 0; n < size; ++n) {
      users.push_back("u" + std::to_string(n * 7 % 30));
      items.push_back("i" + std::to_string((n * n * 3 + n % 7 + n / 60) % 15));
      kinds.emplace_back(n % 3 == 0 ? "buy" : "view");
      times.push_back(10 * n);
    }
  }
  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .times = times, .kinds = kinds}; }
};

const std::vector<kd::EventOptions::KindWeight> weights{{"view", 1.0}, {"buy", 5.0}};

kd::Dataset data_of(const ShopLog& log) { return log.events().dataset({.weights = weights}); }

kd::ImplicitALS<float> model_of(const kd::Dataset& data) {
  kd::ImplicitALS<float> model(kindred_test::small_als());
  model.fit(data.matrix);
  return model;
}

/// A recommender over the first 500 events that has observed the last 100.
struct Shop {
  ShopLog all, past{500};
  kd::Dataset data = data_of(past);
  kd::ImplicitALS<float> model = model_of(data);
  kd::KeyedRecommender<float> recommender{model, data, {.weights = weights, .past = past.events()}};

  Shop() {
    for (std::size_t n = 500; n < all.users.size(); ++n)
      recommender.observe(all.users[n], all.items[n], {.time = all.times[n], .kind = all.kinds[n]});
  }
};

/// A row of `of` in the numbers of `data`.
kd::detail::OwnedRow row_in(const kd::Dataset& data, const kd::Dataset& of, const std::string& user) {
  std::vector<std::pair<kd::Index, float>> pairs;
  const kd::SparseRow row = of.matrix.row(of.users.index(user));
  for (std::size_t n = 0; n < row.size(); ++n) pairs.emplace_back(data.items.index(of.items.key(row.columns[n])), row.values[n]);
  std::sort(pairs.begin(), pairs.end());
  kd::detail::OwnedRow found;
  for (const auto& [column, value] : pairs) {
    found.columns.push_back(column);
    found.values.push_back(value);
  }
  return found;
}

std::vector<std::string> keys(const kd::KeyedAnswer& answer) {
  std::vector<std::string> found;
  for (const kd::NamedItem& one : answer.items) found.push_back(one.key);
  return found;
}

std::vector<kd::NamedItem> named(const kd::Dataset& data, const std::vector<kd::Scored>& list) {
  std::vector<kd::NamedItem> items;
  for (const kd::Scored& one : list)
    items.push_back({std::string(data.items.key(one.item)), std::string(data.item_name(one.item)), one.score});
  return items;
}

/// Offsets and lists of a recommender.
struct Answers {
  kd::ItemOffsets offsets;
  std::vector<kd::NamedItem> items;
  std::uint64_t version = 0;
  friend bool operator==(const Answers&, const Answers&) = default;
};

Answers answers_of(const kd::KeyedRecommender<float>& recommender) {
  Answers found{recommender.snapshot().model->item_offsets(), {}, recommender.version()};
  for (int u = 0; u < 31; ++u)
    for (const kd::NamedItem& one : recommender.recommend("u" + std::to_string(u), {.count = 3}).items) found.items.push_back(one);
  return found;
}

}  // namespace

TEST_SUITE("models/kept_events") {
  TEST_CASE("by hand: values add up by weight, and what cancels is no interaction") {
    const std::vector<std::string> users{"anna", "anna", "ben"}, items{"tea", "cup", "rug"};
    const std::vector<float> values{2.0F, 1.0F, 1.0F};
    const kd::Dataset data = kd::Dataset::from_columns(users, items, values);
    kd::detail::KeptEvents events({.weights = {{"buy", 3.0}, {"return", -2.0}, {"view", 0.0}}}, data);
    const auto see = [&](const char* user, const char* item, const kd::Observed& event) {
      REQUIRE(events.observe(user, data.items.index(item), event));
    };
    CHECK(!events.row_of(0).has_value());
    see("anna", "rug", {.value = 0.5F, .kind = "buy"});     // 1.5
    see("anna", "tea", {.kind = "return"});                 // 2 - 2
    see("anna", "cup", {.value = 2.0F, .kind = "return"});  // 1 - 4
    see("anna", "cup", {.value = 9.0F, .kind = "view"});
    see("zoe", "cup", {.kind = "buy"});
    const std::optional<kd::detail::OwnedRow> anna = events.row_of(data.users.index("anna"));
    REQUIRE(anna.has_value());
    CHECK(anna->columns == std::vector<kd::Index>{1, 2});
    CHECK(anna->values == std::vector<float>{-3.0F, 1.5F});
    REQUIRE(events.find_user("zoe") == std::optional<kd::Index>(2));
    CHECK(events.row_of(2)->values == std::vector<float>{3.0F});
    CHECK(!events.find_user("yan").has_value());
    events.close();
    CHECK(!events.observe("anna", 0, {.kind = "buy"}));
  }

  TEST_CASE("offsets are those of all events, and lists those of the full histories") {
    for (const bool fades : {false, true}) {
      Shop shop;
      const kd::TrendOptions options{
          .recent_seconds = 900, .weight = 1.5, .kinds = {"buy"}, .fade_in_seconds = fades ? std::optional<double>(400.0) : std::nullopt};
      const std::uint64_t before = shop.recommender.version();
      CHECK(shop.recommender.refresh_offsets(6'000, options) == before + 1);
      kd::TrendOptions until = options;
      until.until = 6'001;
      const kd::ItemOffsets wanted = kd::trend_offsets(shop.all.events(), shop.data, until);
      const auto held = shop.recommender.snapshot();
      CHECK(held.model->item_offsets() == wanted);
      shop.model.set_item_offsets(wanted);
      const kd::Dataset full = data_of(shop.all);
      REQUIRE(full.items.size() == shop.data.items.size());
      for (kd::Index u = 0; u < 30; ++u) {
        const std::string key = "u" + std::to_string(u);
        const kd::detail::OwnedRow row = row_in(shop.data, full, key);
        const kd::Index user = shop.data.users.index(key);
        const float weight = fades ? wanted.user_weights[static_cast<std::size_t>(user)] : 1.0F;
        const kd::Recommendation list =
            shop.model.recommend(kd::History{.items = row.row(), .offset_weight = weight}, {.count = 5, .exclude = row.columns});
        CHECK(shop.recommender.recommend(key, {.count = 5}).items == named(shop.data, list.items));
      }
    }
  }

  TEST_CASE("the order of observations changes no list") {
    const ShopLog all, past(500);
    const kd::Dataset data = data_of(past);
    const kd::ImplicitALS<float> model = model_of(data);
    kd::KeyedRecommender<float> forwards(model, data, {.weights = weights, .past = past.events()}),
        backwards(model, data, {.weights = weights, .past = past.events()});
    for (std::size_t n = 500; n < 600; ++n) {
      forwards.observe(all.users[n], all.items[n], {.time = all.times[n], .kind = all.kinds[n]});
      const std::size_t m = 1'099 - n;
      backwards.observe(all.users[m], all.items[m], {.time = all.times[m], .kind = all.kinds[m]});
    }
    (void)forwards.refresh_offsets(6'000);
    (void)backwards.refresh_offsets(6'000);
    CHECK(answers_of(forwards) == answers_of(backwards));
  }

  TEST_CASE("a new user has a list of its own history, and a weight of its own") {
    Shop shop;
    CHECK(shop.recommender.recommend("new").source == kd::ListSource::none);
    CHECK_THROWS_AS((void)shop.recommender.explain("new", "i3"), kd::InvalidArgument);
    shop.recommender.observe("new", "i7", {.time = 5'000, .kind = "buy"});
    (void)shop.recommender.refresh_offsets(6'000, {.recent_seconds = 900, .weight = 2.0, .fade_in_seconds = 1'001.0});
    const std::vector<kd::Index> items{shop.data.items.index("i7")};
    const std::vector<float> values{5.0F};
    const auto held = shop.recommender.snapshot();
    const kd::Recommendation wanted =
        held.model->recommend(kd::History{.items = {items, values}, .offset_weight = 0.5F}, {.exclude = items});
    CHECK(shop.recommender.recommend("new").items == named(shop.data, wanted.items));
    CHECK(shop.recommender.recommend("new").source == kd::ListSource::model);
    CHECK(shop.recommender.explain("new", "i3").parts.size() == 1);
    // Of dislikes alone nothing is known.
    kd::KeyedRecommender<float> other(shop.model, shop.data, {.weights = {{"hide", -1.0}}});
    other.observe("new", "i7", {.kind = "hide"});
    CHECK(other.recommend("new").source == kd::ListSource::none);
    CHECK(keys(other.recommend("new", {.count = 30, .known = kd::KeyedOptions::KnownItems::included, .fallback = kd::Fallback::popularity}))
              .size() == shop.data.items.size() - 1);
  }

  TEST_CASE("an observed value that other data carry beyond a float is an error of the next answer") {
    Shop shop;
    shop.recommender.observe("u1", "i3", {.value = 3e38F, .time = 6'000, .kind = "view"});
    std::vector<std::string> users = shop.past.users, items = shop.past.items;
    std::vector<float> values(users.size(), 1.0F);
    users.emplace_back("u1");
    items.emplace_back("i3");
    values.push_back(3e38F);
    const kd::Dataset next = kd::Events{.users = users, .items = items, .values = values}.dataset();
    shop.recommender.replace(model_of(shop.data), next, {.weights = weights, .past = shop.past.events()});
    CHECK_THROWS_WITH_AS((void)shop.recommender.recommend("u1"), Contains("within the range of a float"), kd::InvalidArgument);
    CHECK(!shop.recommender.recommend("u2").items.empty());
  }

  TEST_CASE("whatever is refused changes nothing") {
    Shop shop;
    kd::KeyedRecommender<float>& r = shop.recommender;
    (void)r.refresh_offsets(6'000, {.recent_seconds = 900, .weight = 1.5});
    const Answers before = answers_of(r);
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), most = std::numeric_limits<float>::max();
    CHECK_THROWS_WITH_AS(r.observe("u1", "i3", {.time = 1'700'000'000'000, .kind = "buy"}), Contains("divide milliseconds by 1000"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(r.observe("u1", "i3", {.value = nan, .kind = "buy"}), Contains("must be finite"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(r.observe("u1", "i3", {.value = most, .kind = "buy"}), Contains("within the range of a float"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(r.observe("u1", "i3", {.kind = "bye"}), Contains("'bye'; it must be one of the 2 kinds with a weight"),
                         kd::InvalidArgument);
    CHECK_THROWS_AS(r.observe("u1", "i3"), kd::InvalidArgument);  // no kind
    CHECK_THROWS_WITH_AS(r.observe("u1", "i99", {.kind = "buy"}), Contains("the key or name of one of the"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(r.observe("", "i3", {.kind = "buy"}), Contains("a key that is not empty"), kd::InvalidArgument);
    CHECK_THROWS_AS(r.observe("u30", "i3", {.kind = "bye"}), kd::InvalidArgument);  // and u30 is no user
    CHECK_THROWS_WITH_AS((void)r.refresh_offsets(5'000), Contains("at or before the reference, 5000"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)r.refresh_offsets(6'000'000'000'000), Contains("divide milliseconds by 1000"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)r.refresh_offsets(6'000, {.until = 6'002}), Contains("at most one second after"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)r.refresh_offsets(6'000, {.until = -5}), Contains("number of events that count"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)r.refresh_offsets(6'000, {.kinds = {"bye"}}), Contains("a kind of the events"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)r.refresh_offsets(6'000, {.weight = static_cast<double>(nan)}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)r.refresh_offsets(6'000, {.recent_seconds = 0}), kd::InvalidArgument);
    CHECK(answers_of(r) == before);
    // A clock that runs ahead: later events are left out where that is asked for.
    r.observe("u1", "i3", {.time = 4'000'000'000, .kind = "buy"});
    CHECK_THROWS_AS((void)r.refresh_offsets(6'000), kd::InvalidArgument);
    (void)r.refresh_offsets(6'000, {.recent_seconds = 900, .weight = 1.5, .until = 6'001});
    CHECK(r.snapshot().model->item_offsets() == before.offsets);

    ShopLog timeless;
    timeless.times.clear();
    CHECK_THROWS_WITH_AS((void)r.replace(shop.model, shop.data, {.weights = weights, .past = timeless.events()}),
                         Contains("number of times of past events"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::KeyedRecommender(shop.model, shop.data, {.weights = {{"buy", 1.0}, {"buy", 2.0}}}), Contains("listed once"),
                         kd::InvalidArgument);
    kd::KeyedRecommender<float> plain(shop.model, shop.data);
    CHECK_THROWS_WITH_AS(plain.observe("u1", "i3", {.kind = "buy"}), Contains("no weights of kinds"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)plain.refresh_offsets(6'000), Contains("number of events that count"), kd::InvalidArgument);
    plain.observe("u1", "i3");
    CHECK_THROWS_AS((void)plain.refresh_offsets(6'000), kd::InvalidArgument);  // without a time
    plain.observe("u1", "i3", {.time = 10});
    CHECK_NOTHROW((void)plain.refresh_offsets(6'000));
  }

  TEST_CASE("a new model keeps the events that are later than its own") {
    Shop shop;
    shop.recommender.observe("new", "i7", {.time = 5'500, .kind = "buy"});
    shop.recommender.observe("newer", "i7", {.time = 5'995, .kind = "buy"});
    shop.recommender.observe("timeless", "i7", {.kind = "buy"});
    const ShopLog until(560);  // the last at 5,590
    const kd::Dataset data = data_of(until);
    const kd::ImplicitALS<float> model = model_of(data);
    (void)shop.recommender.replace(model, data, {.weights = weights, .past = until.events()});
    (void)shop.recommender.refresh_offsets(6'000);
    kd::KeyedRecommender<float> wanted(model, data, {.weights = weights, .past = until.events()});
    for (std::size_t n = 560; n < 600; ++n)
      wanted.observe(shop.all.users[n], shop.all.items[n], {.time = shop.all.times[n], .kind = shop.all.kinds[n]});
    wanted.observe("newer", "i7", {.time = 5'995, .kind = "buy"});
    (void)wanted.refresh_offsets(6'000);
    CHECK(shop.recommender.snapshot().model->item_offsets() == wanted.snapshot().model->item_offsets());
    for (const char* user : {"u0", "u5", "u29", "newer", "new", "timeless"})
      CHECK(shop.recommender.recommend(user).items == wanted.recommend(user).items);
    CHECK(shop.recommender.recommend("new").source == kd::ListSource::none);
    // Without events in hand nothing says which are later: all go.
    (void)shop.recommender.replace(model, data);
    CHECK(shop.recommender.recommend("newer").source == kd::ListSource::none);
  }

  TEST_CASE("many threads observe, read, refresh and replace") {
    const ShopLog all, past(400);
    const kd::Dataset data = data_of(past);
    const kd::ImplicitALS<float> model = model_of(data);
    const kd::KeyedEvents events{.weights = weights, .past = past.events()};
    kd::KeyedRecommender<float> recommender(model, data, events), wanted(model, data, events);
    std::atomic<std::size_t> wrong{0};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t n = 400 + t; n < 600; n += 4) {
          recommender.observe(all.users[n], all.items[n], {.time = all.times[n], .kind = all.kinds[n]});
          const std::vector<std::string> list = keys(recommender.recommend(all.users[n], {.count = 30}));
          wrong += static_cast<std::size_t>(std::count(list.begin(), list.end(), all.items[n]));  // seen, from the next answer on
        }
      });
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n) (void)recommender.refresh_offsets(6'000);
    });
    threads.emplace_back([&] {
      for (int n = 0; n < 10; ++n) (void)recommender.replace(model, data, events);
    });
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    (void)recommender.refresh_offsets(6'000);
    for (std::size_t n = 400; n < 600; ++n) wanted.observe(all.users[n], all.items[n], {.time = all.times[n], .kind = all.kinds[n]});
    (void)wanted.refresh_offsets(6'000);
    Answers found = answers_of(recommender);
    found.version = wanted.version();
    CHECK(found == answers_of(wanted));
  }
}
