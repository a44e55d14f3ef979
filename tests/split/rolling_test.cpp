// SPDX-License-Identifier: MIT
#include <kindred/split/rolling.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>

namespace kd = kindred;
using Targets = kd::RollingSplit::Targets;

namespace {

struct RollingColumns {
  std::vector<std::int64_t> users, items, times;
  std::vector<std::string> kinds;

  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .times = times, .kinds = kinds}; }

  void add(std::int64_t user, std::int64_t item, std::int64_t time, const char* kind) {
    users.push_back(user);
    items.push_back(item);
    times.push_back(time);
    kinds.push_back(kind);
  }
};

// Cut at 100, window of 50.
RollingColumns rolling_shop() {
  RollingColumns c;
  c.add(1, 70, 10, "view");
  c.add(1, 71, 99, "purchase");
  c.add(2, 70, 50, "view");
  c.add(2, 72, 60, "view");
  c.add(1, 71, 100, "purchase");  // a repeat, at the very cut
  c.add(1, 72, 120, "view");      // new
  c.add(2, 72, 130, "purchase");  // a repeat, but a first purchase
  c.add(2, 71, 149, "dislike");
  c.add(3, 70, 110, "view");  // an unknown user
  c.add(2, 73, 110, "view");  // an unknown item
  c.add(1, 70, 150, "view");  // after the window
  c.add(2, 71, 170, "view");
  return c;
}

const std::vector<kd::EventOptions::KindWeight> rolling_weights{{"view", 1}, {"purchase", 5}, {"dislike", -1}};
const std::vector<std::int64_t> one_cut{100};

using KeyPairs = std::map<std::pair<std::int64_t, std::int64_t>, float>;

/// The entries of a matrix with the shape of `data`, by keys.
KeyPairs entries_by_key(const kd::CsrMatrix& matrix, const kd::Dataset& data) {
  KeyPairs pairs;
  for (kd::Index u = 0; u < matrix.rows(); ++u) {
    const kd::SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n)
      pairs[{data.users.key_as_int64(u), data.items.key_as_int64(row.columns[n])}] = row.values[n];
  }
  return pairs;
}

template <typename Exception = kd::InvalidArgument, typename Call>
std::string rolling_error(const Call& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "no such error";
}

}  // namespace

TEST_SUITE("split/rolling") {
  TEST_CASE("one cut by hand: new pairs, repeats, all") {
    const RollingColumns c = rolling_shop();
    for (const Targets targets : {Targets::new_pairs, Targets::repeats, Targets::all}) {
      const auto splits = kd::rolling_split(c.events(), one_cut, 50, {.events = {.weights = rolling_weights}, .targets = targets});
      REQUIRE(splits.size() == 1);
      const kd::RollingSplit& split = splits[0];
      CHECK(split.cut == 100);
      CHECK(split.until == 150);
      CHECK(split.targets == targets);
      CHECK(entries_by_key(split.train.matrix, split.train) == KeyPairs{{{1, 70}, 1}, {{1, 71}, 5}, {{2, 70}, 1}, {{2, 72}, 1}});
      CHECK(entries_by_key(split.known, split.train) == KeyPairs{{{1, 70}, 1}, {{1, 71}, 1}, {{2, 70}, 1}, {{2, 72}, 1}});
      KeyPairs wanted;
      if (targets != Targets::repeats) wanted[{1, 72}] = 1;
      if (targets != Targets::new_pairs) wanted[{1, 71}] = 5, wanted[{2, 72}] = 5;
      CHECK(entries_by_key(split.test, split.train) == wanted);
      CHECK(split.test.shape() == split.train.matrix.shape());
      CHECK(split.new_pairs == 1);
      CHECK(split.repeats == 2);
      CHECK(split.not_positive == 1);
      CHECK(split.unknown_pairs == 2);
      CHECK(split.unknown_users == 1);
      CHECK(split.unknown_items == 1);
    }
  }

  TEST_CASE("targets of one kind: a first purchase of a viewed item is new") {
    const RollingColumns c = rolling_shop();
    const auto splits = kd::rolling_split(c.events(), one_cut, 50, {.events = {.weights = rolling_weights}, .target_kinds = {"purchase"}});
    const kd::RollingSplit& split = splits.at(0);
    CHECK(entries_by_key(split.test, split.train) == KeyPairs{{{2, 72}, 5}});
    CHECK(entries_by_key(split.known, split.train) == KeyPairs{{{1, 71}, 1}});
    CHECK(split.repeats == 1);
    CHECK(split.unknown_pairs == 0);
    CHECK(split.train.matrix.nnz() == 4);
  }

  TEST_CASE("random events agree with sets, and nothing after a cut reaches its train") {
    kd::detail::Random random(5, kd::detail::RandomStream::sample);
    const std::array<const char*, 3> kinds{"view", "purchase", "dislike"};
    RollingColumns c;
    for (int n = 0; n < 3000; ++n)
      c.add(random.below(40), random.below(60), random.below(1000), kinds[random.below(16) == 0 ? 2 : random.below(2)]);
    const std::vector<std::int64_t> cuts{20, 300, 700};
    const kd::RollingSplit::Options options{.events = {.weights = rolling_weights, .from = 15, .half_life_seconds = 100.0},
                                            .targets = Targets::all};
    const auto splits = kd::rolling_split(c.events(), cuts, 150, options);
    REQUIRE(splits.size() == 3);
    for (std::size_t s = 0; s < splits.size(); ++s) {
      const kd::RollingSplit& split = splits[s];
      RollingColumns past;
      std::set<std::pair<std::int64_t, std::int64_t>> known;
      KeyPairs window;
      for (std::size_t n = 0; n < c.users.size(); ++n) {
        if (c.times[n] < cuts[s]) {
          past.add(c.users[n], c.items[n], c.times[n], c.kinds[n].c_str());
          known.insert({c.users[n], c.items[n]});
        } else if (c.times[n] < cuts[s] + 150) {
          window[{c.users[n], c.items[n]}] += c.kinds[n] == "view" ? 1.0F : c.kinds[n] == "purchase" ? 5.0F : -1.0F;
        }
      }
      // A train from the past alone is the same to the last byte.
      const kd::Dataset alone = past.events().dataset(options.events);
      CHECK(split.train.matrix == alone.matrix);
      CHECK(split.train.users == alone.users);
      CHECK(split.train.items == alone.items);
      kd::Offset new_pairs = 0, repeats = 0, not_positive = 0, unknown = 0;
      std::set<std::int64_t> unknown_users, unknown_items;
      KeyPairs test;
      for (const auto& [key, value] : window) {
        if (value < 0) ++not_positive;
        if (value <= 0) continue;
        const bool has_user = alone.users.find(key.first).has_value(), has_item = alone.items.find(key.second).has_value();
        if (!has_user) unknown_users.insert(key.first);
        if (!has_item) unknown_items.insert(key.second);
        if (!has_user || !has_item) {
          ++unknown;
          continue;
        }
        ++(known.contains(key) ? repeats : new_pairs);
        test[key] = value;
      }
      CHECK(entries_by_key(split.test, split.train) == test);
      CHECK(split.new_pairs == new_pairs);
      CHECK(split.repeats == repeats);
      CHECK(split.not_positive == not_positive);
      CHECK(split.unknown_pairs == unknown);
      CHECK(split.unknown_users == static_cast<kd::Index>(unknown_users.size()));
      CHECK(split.unknown_items == static_cast<kd::Index>(unknown_items.size()));
      const auto part = [&](Targets targets) {
        kd::RollingSplit::Options asked = options;
        asked.targets = targets;
        const std::vector<std::int64_t> cut{cuts[s]};
        return kd::rolling_split(c.events(), cut, 150, asked).at(0).test.nnz();
      };
      CHECK(part(Targets::new_pairs) == new_pairs);
      CHECK(part(Targets::repeats) == repeats);
    }
    CHECK(splits[0].unknown_pairs > 0);
  }

  TEST_CASE("cuts, windows and options out of range are named") {
    const RollingColumns c = rolling_shop();
    const auto said = [&](std::vector<std::int64_t> cuts, std::int64_t window, kd::RollingSplit::Options options = {}) {
      if (options.events.weights.empty()) options.events.weights = rolling_weights;
      return rolling_error([&] { (void)kd::rolling_split(c.events(), cuts, window, options); });
    };
    CHECK(said({100}, 50) == "no such error");
    CHECK(said({}, 50) == "number of cuts is 0; it must be at least 1");
    CHECK(said({100, 100}, 50) == "cuts[1] is 100; it must be above the cut before it");
    CHECK(said({1'700'000'000'000}, 50).starts_with("cuts[0] is 1700000000000; it must be seconds"));
    CHECK(said({100}, 0) == "window_seconds is 0; it must be above 0 and below 10^11");
    CHECK(said({100}, 200'000'000'000).starts_with("window_seconds is 2"));
    CHECK(said({100}, 50, {.events = {.until = 90}}).starts_with("options.events.until is 90"));
    CHECK(said({100}, 50, {.events = {.half_life_seconds = 9, .reference = 90}}).starts_with("options.events.reference is 90"));
    CHECK(said({100}, 50, {.events = {.from = 100}}).starts_with("options.events.from is 100"));
    CHECK(said({100}, 50, {.target_kinds = {"dislike"}}) ==
          "options.target_kinds[0] is 'dislike'; it must be a kind with a weight above 0");
    CHECK(said({100}, 50, {.target_kinds = {"view", "visit"}}).starts_with("options.target_kinds[1] is 'visit'"));
    CHECK(said({10}, 50) == "cuts[0] is 10; it must be after interactions to train on");
    CHECK(said({100, 1000}, 50).starts_with("cuts[1] is 1000; it must be before a window with targets; the window has 0 new pairs"));
    CHECK(said({100}, 50, {.events = {.weights = {{"view", 1}}}}).starts_with("kinds[1] is 'purchase'"));
    const kd::Events no_times{.users = c.users, .items = c.items};
    CHECK(rolling_error([&] { (void)kd::rolling_split(no_times, one_cut, 50); }).starts_with("number of times is 0"));
    const kd::Events short_times{.users = c.users, .items = c.items, .times = one_cut};
    CHECK(rolling_error<kd::ShapeError>([&] { (void)kd::rolling_split(short_times, one_cut, 50); }).find("times has 1") !=
          std::string::npos);
  }
}
