// SPDX-License-Identifier: MIT
#include <kindred/data/events.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>

namespace kd = kindred;

namespace {

/// Columns that own their values.
struct EventColumns {
  std::vector<std::string> users;
  std::vector<std::int64_t> items;
  std::vector<float> values;
  std::vector<std::int64_t> times;
  std::vector<std::string> kinds;

  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .values = values, .times = times, .kinds = kinds}; }

  void add(std::string user, std::int64_t item, float value, std::int64_t time, std::string kind) {
    users.push_back(std::move(user));
    items.push_back(item);
    values.push_back(value);
    times.push_back(time);
    kinds.push_back(std::move(kind));
  }
};

EventColumns shop_events() {
  EventColumns c;
  c.add("ben", 70, 1, 500, "view");
  c.add("anna", 70, 1, 400, "view");
  c.add("ben", 70, 2, 300, "purchase");
  c.add("carl", 8, 1, 200, "purchase");
  c.add("carl", 8, 1, 250, "return");
  c.add("anna", 9, 1, 100, "return");
  c.add("ben", 70, 1, 450, "view");
  c.add("dora", 9, 0, 460, "view");
  return c;
}

const std::vector<kd::EventOptions::KindWeight> shop_weights{{"view", 1}, {"purchase", 5}, {"return", -5}};

EventColumns random_event_columns(std::uint64_t seed, std::size_t rows) {
  kd::detail::Random random(seed, kd::detail::RandomStream::synthetic);
  const std::array<const char*, 4> kinds{"view", "purchase", "return", "other"};
  EventColumns c;
  for (std::size_t n = 0; n < rows; ++n)
    c.add("u" + std::to_string(random.below(20)), static_cast<std::int64_t>(random.below(15)) - 3,
          static_cast<float>(random.below(8)) / 4.0F, static_cast<std::int64_t>(random.below(1000)), kinds[random.below(4)]);
  return c;
}

/// What Events::dataset promises for a pair, event by event with maps. Values by the keys of user and item; times and rows beside them.
struct ReferencePair {
  double value = 0.0;
  std::int64_t time = 0;
  std::uint32_t rows = 0;
};

std::map<std::pair<std::string, std::int64_t>, ReferencePair> by_maps(const EventColumns& c, const kd::EventOptions& options) {
  std::map<std::string, double> weights;
  for (const auto& one : options.weights) weights[one.kind] = one.weight;
  using Key = std::pair<std::string, std::int64_t>;
  std::map<Key, std::vector<std::size_t>> rows;
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (std::size_t n = 0; n < c.users.size(); ++n) {
    if (c.times[n] < options.from.value_or(c.times[n]) || (options.until && c.times[n] >= *options.until)) continue;
    if (!weights.contains(c.kinds[n]) || c.values[n] == 0.0F || weights[c.kinds[n]] == 0.0) continue;
    rows[{c.users[n], c.items[n]}].push_back(n);
    last = std::max(last, c.times[n]);
  }
  if (options.reference) last = *options.reference;
  std::map<Key, ReferencePair> pairs;
  double magnitude = 0.0;
  for (const auto& [key, of_pair] : rows) {
    ReferencePair pair{0.0, std::numeric_limits<std::int64_t>::max(), static_cast<std::uint32_t>(of_pair.size())};
    std::map<std::string, std::pair<std::int64_t, std::size_t>> latest;
    for (const std::size_t n : of_pair) {
      pair.time = std::min(pair.time, c.times[n]);
      latest[c.kinds[n]] = std::max(latest[c.kinds[n]], std::pair(c.times[n], n));
    }
    double plain = 0.0;
    for (const std::size_t n : of_pair) {
      if (options.repeats == kd::EventOptions::Repeats::latest && latest[c.kinds[n]].second != n) continue;
      const double counted = weights[c.kinds[n]] * static_cast<double>(c.values[n]);
      plain += counted;
      pair.value += options.half_life_seconds ? counted * std::pow(0.5, static_cast<double>(last - c.times[n]) / *options.half_life_seconds)
                                              : counted;
    }
    if (plain == 0.0) continue;  // exact: weights and values are multiples of 1/4
    magnitude += std::abs(plain);
    pairs[key] = pair;
  }
  const std::size_t count_of_mean = pairs.size();
  if (options.half_life_seconds)
    for (auto& [key, pair] : pairs) pair.value /= magnitude / static_cast<double>(count_of_mean);
  std::erase_if(pairs, [](const auto& one) { return static_cast<float>(one.second.value) == 0.0F; });  // decayed to zero
  return pairs;
}

void check_against_maps(const EventColumns& c, const kd::EventOptions& options) {
  const kd::Dataset made = c.events().dataset(options);
  CHECK_NOTHROW(made.check());
  const auto wanted = by_maps(c, options);
  REQUIRE(made.matrix.nnz() == static_cast<kd::Offset>(wanted.size()));
  std::size_t at = 0;
  for (kd::Index u = 0; u < made.matrix.rows(); ++u) {
    const kd::SparseRow row = made.matrix.row(u);
    CHECK(row.size() > 0);
    for (std::size_t n = 0; n < row.size(); ++n, ++at) {
      const auto found = wanted.find({std::string(made.users.key(u)), made.items.key_as_int64(row.columns[n])});
      REQUIRE(found != wanted.end());
      // A float, from a sum of at most 1000 terms in double: half a unit of the float, and the sums' rounding far below.
      CHECK(static_cast<double>(row.values[n]) == doctest::Approx(found->second.value).epsilon(1e-6));
      CHECK(made.times[at] == found->second.time);
      CHECK((made.raw_rows.empty() ? 1 : made.raw_rows[at]) == found->second.rows);
    }
  }
  CHECK(made.load.rows + made.load.dropped_total() == made.load.lines);
  CHECK(made.load.rows == made.load.merged + static_cast<std::uint64_t>(made.matrix.nnz()));
}

template <typename Exception, typename Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "no such error";
}

}  // namespace

TEST_SUITE("data/events") {
  TEST_CASE("weights by kind by hand") {
    const EventColumns c = shop_events();
    const kd::Dataset made = c.events().dataset({.weights = shop_weights});
    // carl bought and returned: no interaction, so neither he nor item 8 is there. dora's view has the value 0.
    REQUIRE(made.users.size() == 2);
    CHECK(made.users.key(0) == "ben");
    CHECK(made.users.key(1) == "anna");
    REQUIRE(made.items.size() == 2);
    CHECK(made.items.key_as_int64(0) == 70);
    CHECK(made.items.key_as_int64(1) == 9);
    CHECK(made.matrix == kd::CsrMatrix({2, 2}, {0, 1, 3}, {0, 0, 1}, {12, 1, -5}));
    CHECK(made.times == std::vector<std::int64_t>{300, 400, 100});
    CHECK(made.raw_rows == std::vector<std::uint32_t>{3, 1, 1});
    CHECK(made.load.source == "events in memory");
    CHECK(made.load.lines == 8);
    CHECK(made.load.rows == 5);
    CHECK(made.load.merged == 2);
    CHECK(made.load.dropped == std::map<std::string, std::uint64_t>{{"sum of zero", 2}, {"zero value", 1}});
    CHECK(made.load.noted == std::map<std::string, std::uint64_t>{{"pair with a sum of zero", 1}});
  }

  TEST_CASE("the latest event of each kind counts once") {
    EventColumns c = shop_events();
    c.add("ben", 70, 4, 450, "view");   // before the view at 500
    c.add("anna", 70, 3, 400, "view");  // as late as the other one, and given after it
    const kd::Dataset made = c.events().dataset({.weights = shop_weights, .repeats = kd::EventOptions::Repeats::latest});
    CHECK(made.matrix == kd::CsrMatrix({2, 2}, {0, 1, 3}, {0, 0, 1}, {11, 3, -5}));
    CHECK(made.raw_rows == std::vector<std::uint32_t>{4, 2, 1});
    // Without times and kinds the event given last counts.
    const kd::Events plain{.users = c.users, .items = c.items, .values = c.values};
    const kd::Dataset last = plain.dataset({.repeats = kd::EventOptions::Repeats::latest});
    CHECK(last.matrix.row(last.users.index("ben")).values[0] == 4.0F);
    CHECK(last.times.empty());
  }

  TEST_CASE("a window holds its start and not its end, and unlisted kinds may be dropped") {
    const EventColumns c = shop_events();
    const kd::Dataset made = c.events().dataset(
        {.weights = {{"view", 1}, {"purchase", 0}}, .unlisted = kd::EventOptions::Unlisted::drop, .from = 200, .until = 500});
    CHECK(made.matrix == kd::CsrMatrix({2, 1}, {0, 1, 2}, {0, 0}, {1, 1}));
    CHECK(made.users.key(0) == "anna");
    CHECK(made.load.dropped == std::map<std::string, std::uint64_t>{
                                   {"outside the window", 2}, {"kind without a weight", 1}, {"weight of zero", 2}, {"zero value", 1}});
  }

  TEST_CASE("half-life by hand: magnitudes have mean 1 without decay, then fade") {
    const std::vector<std::string> users{"a", "a", "b"}, items{"x", "x", "y"};
    const std::vector<float> values{4, 1, 3};
    const std::vector<std::int64_t> times{0, 20, 10};
    const kd::Events events{.users = users, .items = items, .values = values, .times = times};
    // Ages 20, 0, 10 in half-lives of 10: 4/4 + 1 = 2 and 3/2; the sums without decay are 5 and 3, mean 4.
    const kd::Dataset made = events.dataset({.half_life_seconds = 10});
    CHECK(made.matrix == kd::CsrMatrix({2, 2}, {0, 1, 2}, {0, 1}, {0.5F, 0.375F}));
    CHECK(made.undecayed == std::vector<float>{1.25F, 0.75F});
    CHECK(events.dataset().undecayed.empty());
    // A reference 10 later halves all.
    CHECK(events.dataset({.half_life_seconds = 10, .reference = 30}).matrix == kd::CsrMatrix({2, 2}, {0, 1, 2}, {0, 1}, {0.25F, 0.1875F}));
    // 2^-1000 is no float: b is gone, and counted; a has a part of age 0.
    const kd::Dataset faded = events.dataset({.half_life_seconds = 0.01});
    CHECK(faded.matrix == kd::CsrMatrix({1, 1}, {0, 1}, {0}, {0.25F}));
    CHECK(faded.undecayed == std::vector<float>{1.25F});
    CHECK(faded.load.dropped == std::map<std::string, std::uint64_t>{{"value decayed to zero", 1}});
    CHECK(faded.load.noted == std::map<std::string, std::uint64_t>{{"pair with a value decayed to zero", 1}});
    CHECK(faded.load.rows == 2);
  }

  TEST_CASE("kinds cancel whatever their age, and within rounding") {
    const std::vector<std::int64_t> users{1, 1, 1, 1, 2}, items{5, 5, 5, 5, 6};
    const std::vector<std::string> kinds{"view", "view", "view", "return", "view"};
    const std::vector<std::int64_t> times{0, 1, 2, 90, 95};
    const kd::Events events{.users = users, .items = items, .times = times, .kinds = kinds};
    // 0.1 + 0.1 + 0.1 - 0.3 is 5.6e-17 in double.
    for (const std::optional<double> half_life : {std::optional<double>(), std::optional<double>(10.0)}) {
      const kd::Dataset made = events.dataset({.weights = {{"view", 0.1}, {"return", -0.3}}, .half_life_seconds = half_life});
      CHECK(made.users.size() == 1);
      CHECK(made.load.noted.at("pair with a sum of zero") == 1);
      CHECK(made.load.dropped.at("sum of zero") == 4);
    }
    // A difference above rounding stays.
    CHECK(events.dataset({.weights = {{"view", 0.1}, {"return", -0.3000001}}}).users.size() == 2);
  }

  TEST_CASE("random events agree with maps") {
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
      for (const std::size_t rows : {1u, 30u, 1500u}) {
        const EventColumns c = random_event_columns(seed, rows);
        std::vector<kd::EventOptions> all(4);
        for (auto& one : all) {
          one.weights = {{"view", 1}, {"purchase", 5}, {"return", -2.5}};
          one.unlisted = kd::EventOptions::Unlisted::drop;
        }
        all[1].repeats = kd::EventOptions::Repeats::latest;
        all[2].half_life_seconds = 200.0;
        all[2].from = 100;
        all[2].until = 900;
        all[3].half_life_seconds = 50.0;
        all[3].reference = 1000;
        all[3].repeats = kd::EventOptions::Repeats::latest;
        for (const auto& one : all) check_against_maps(c, one);
      }
    }
  }

  TEST_CASE("events without kinds are what from_columns makes") {
    const EventColumns c = random_event_columns(7, 800);
    const kd::Events plain{.users = c.users, .items = c.items, .values = c.values, .times = c.times};
    const kd::Dataset made = plain.dataset();
    const kd::Dataset wanted = kd::Dataset::from_columns(c.users, c.items, c.values, c.times);
    CHECK(made.matrix == wanted.matrix);
    CHECK(made.users == wanted.users);
    CHECK(made.items == wanted.items);
    CHECK(made.times == wanted.times);
    CHECK(made.raw_rows == wanted.raw_rows);
    CHECK(made.load.rows == wanted.load.rows);
    CHECK(made.load.dropped == wanted.load.dropped);
    CHECK(c.events().dataset({.weights = {{"view", 1}, {"purchase", 1}, {"return", 1}, {"other", 1}}}).matrix == wanted.matrix);
  }

  TEST_CASE("the order of the rows changes numbers alone, where sums are exact") {
    EventColumns c = random_event_columns(8, 500);
    const kd::EventOptions options{.weights = {{"view", 1}, {"purchase", 5}, {"return", -2.5}, {"other", 2}}};
    const kd::Dataset first = c.events().dataset(options);
    std::reverse(c.users.begin(), c.users.end());
    std::reverse(c.items.begin(), c.items.end());
    std::reverse(c.values.begin(), c.values.end());
    std::reverse(c.times.begin(), c.times.end());
    std::reverse(c.kinds.begin(), c.kinds.end());
    const kd::Dataset second = c.events().dataset(options);
    REQUIRE(first.matrix.nnz() == second.matrix.nnz());
    for (kd::Index u = 0; u < first.matrix.rows(); ++u) {
      std::map<std::string, float> by_key, other;
      const kd::SparseRow row = first.matrix.row(u);
      const kd::SparseRow again = second.matrix.row(second.users.index(first.users.key(u)));
      for (std::size_t n = 0; n < row.size(); ++n) by_key[std::string(first.items.key(row.columns[n]))] = row.values[n];
      for (std::size_t n = 0; n < again.size(); ++n) other[std::string(second.items.key(again.columns[n]))] = again.values[n];
      CHECK(by_key == other);
    }
  }

  TEST_CASE("pairs of some kinds, for exclude") {
    const EventColumns c = shop_events();
    const kd::Dataset data = c.events().dataset({.weights = {{"view", 1}, {"purchase", 5}, {"return", 1}}});
    // users ben, anna, carl; items 70, 8, 9: dora's event has the value 0, so she is not there.
    REQUIRE(data.matrix.shape() == kd::MatrixShape{3, 3});
    CHECK(c.events().pairs(data, {"purchase"}) == kd::CsrMatrix({3, 3}, {0, 1, 1, 2}, {0, 1}, {1, 1}));
    CHECK(c.events().pairs(data, {"purchase"}, 300) == kd::CsrMatrix({3, 3}, {0, 0, 0, 1}, {1}, {1}));
    CHECK(c.events().pairs(data) == kd::CsrMatrix({3, 3}, {0, 1, 3, 4}, {0, 0, 2, 1}, {3, 1, 1, 2}));
    CHECK(c.events().pairs(data, {"view", "return"}) == kd::CsrMatrix({3, 3}, {0, 1, 3, 4}, {0, 0, 2, 1}, {2, 1, 1, 1}));
    CHECK(error_of<kd::InvalidArgument>([&] {
            (void)c.events().pairs(data, {"view", "purchse"});
          }) == "of_kinds[1] is 'purchse'; it must be a kind of the events");
    const kd::Events no_times{.users = c.users, .items = c.items};
    CHECK(error_of<kd::InvalidArgument>([&] { (void)no_times.pairs(data, {}, 5); }).starts_with("before is 5"));
    CHECK(error_of<kd::InvalidArgument>([&] { (void)no_times.pairs(data, {}, 1'700'000'000'000); }).starts_with("before is 17"));
  }

  TEST_CASE("no events make an empty dataset, and kinds may be numbers") {
    const std::vector<std::int64_t> none;
    const kd::Events nothing{.users = none, .items = none};
    CHECK(nothing.dataset().matrix == kd::CsrMatrix());
    CHECK(nothing.dataset({.weights = shop_weights, .from = 3, .half_life_seconds = 5}).users.empty());
    const std::vector<std::int64_t> users{1, 2}, kinds{0, -7};
    const kd::Events numbers{.users = users, .items = users, .kinds = kinds};
    const kd::Dataset made = numbers.dataset({.weights = {{"0", 2}, {"-7", 3}}});
    CHECK(made.matrix == kd::CsrMatrix({2, 2}, {0, 1, 2}, {0, 1}, {2, 3}));
    CHECK(made.raw_rows.empty());
  }

  TEST_CASE("many kinds keep their own weights") {
    // Kind n weighs n + 1; each comes twice, in two orders.
    std::vector<std::int64_t> kinds, users;
    kd::EventOptions options;
    for (std::int64_t n = 0; n < 20; ++n) {
      kinds.push_back(n);
      options.weights.push_back({std::to_string(n), static_cast<double>(n + 1)});
    }
    for (std::int64_t n = 19; n >= 0; --n) kinds.push_back(n);
    for (const std::int64_t kind : kinds) users.push_back(100 + kind);
    const kd::Events events{.users = users, .items = users, .kinds = kinds};
    const kd::Dataset made = events.dataset(options);
    REQUIRE(made.matrix.nnz() == 20);
    for (kd::Index u = 0; u < 20; ++u) CHECK(made.matrix.row(u).values[0] == static_cast<float>(2 * (u + 1)));
    CHECK(events.pairs(made, {"9", "3"}).nnz() == 2);
  }

  TEST_CASE("a column that does not belong is named") {
    const EventColumns good = shop_events();
    const auto shape = [](const EventColumns& c) { return error_of<kd::ShapeError>([&] { (void)c.events().dataset(); }); };
    const auto value = [](const EventColumns& c) {
      return error_of<kd::InvalidArgument>([&] { (void)c.events().dataset({.weights = shop_weights}); });
    };
    EventColumns c = good;
    c.items.pop_back();
    CHECK(shape(c) == "users has 8 entries and items has 7; they must be equally long");
    c = good;
    c.values.pop_back();
    CHECK(shape(c).find("values has 7") != std::string::npos);
    c = good;
    c.times.pop_back();
    CHECK(shape(c).find("times has 7") != std::string::npos);
    c = good;
    c.kinds.pop_back();
    CHECK(shape(c).find("kinds has 7; they must be equally long, or kinds empty") != std::string::npos);
    c = good;
    c.values[3] = std::numeric_limits<float>::quiet_NaN();
    CHECK(value(c).starts_with("values[3] is nan"));
    c = good;
    c.times[2] = 1'700'000'000'000;
    CHECK(value(c).starts_with("times[2] is 1700000000000; it must be seconds"));
    c = good;
    c.users[4].clear();
    CHECK(value(c) == "users[4] is ''; it must be a key that is not empty");
    c = good;
    c.kinds[5].clear();
    CHECK(value(c) == "kinds[5] is ''; it must be a key that is not empty");
    c = good;
    c.kinds[6] = "click";
    CHECK(value(c).starts_with("kinds[6] is 'click'; it must be a kind that options.weights lists"));
    c = good;
    c.values[0] = c.values[6] = std::numeric_limits<float>::max();
    CHECK(value(c).starts_with("the sum of user 'ben' and item '70' in events in memory is 6.8"));
  }

  TEST_CASE("an option that is out of range or has no effect is named") {
    const EventColumns c = shop_events();
    const auto said = [&](kd::EventOptions options) {
      if (options.weights.empty()) options.weights = shop_weights;
      return error_of<kd::InvalidArgument>([&] { (void)c.events().dataset(options); });
    };
    CHECK(said({.weights = {{"view", 1}, {"view", 2}}}) == "weights[1].kind is 'view'; it must be listed once");
    CHECK(said({.weights = {{"", 1}}}).starts_with("weights[0].kind is ''"));
    CHECK(said({.weights = {{"view", std::numeric_limits<double>::infinity()}}}).starts_with("weights[0].weight is inf"));
    CHECK(said({.from = 5, .until = 5}) == "until is 5; it must be above from, which is 5");
    CHECK(said({.from = 1'700'000'000'000}).starts_with("from is 1700000000000; it must be seconds"));
    CHECK(said({.until = 1'700'000'000'000}).starts_with("until is 1700000000000; it must be seconds"));
    CHECK(said({.half_life_seconds = 5.0, .reference = 1'700'000'000'000}).starts_with("reference is 1700000000000; it must be seconds"));
    CHECK(said({.half_life_seconds = 0.0}).starts_with("half_life_seconds is 0"));
    CHECK(said({.half_life_seconds = std::nan("")}).starts_with("half_life_seconds is nan"));
    CHECK(said({.reference = 9}).starts_with("reference is 9; it must be unset without half_life_seconds"));
    CHECK(said({.half_life_seconds = 5.0, .reference = 450}) == "times[0] is 500; it must be at or before options.reference, which is 450");
    CHECK(said({.until = 460, .half_life_seconds = 5.0, .reference = 450}) == "no such error");
    const kd::Events plain{.users = c.users, .items = c.items};
    const auto of_plain = [&](const kd::EventOptions& options) {
      return error_of<kd::InvalidArgument>([&] { (void)plain.dataset(options); });
    };
    CHECK(of_plain({.weights = shop_weights}).starts_with("weights is 3 weights; it must be empty where"));
    CHECK(of_plain({.unlisted = kd::EventOptions::Unlisted::drop}).starts_with("unlisted is drop"));
    CHECK(of_plain({.from = 1}).starts_with("from is 1; it must be unset where events have no times"));
    CHECK(of_plain({.until = 1}).starts_with("until is 1"));
    CHECK(of_plain({.half_life_seconds = 2.0}).starts_with("half_life_seconds is 2"));
  }
}
