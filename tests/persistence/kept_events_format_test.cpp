// SPDX-License-Identifier: MIT
// Observed and past events in the file of a KeyedRecommender.
#include <kindred/persistence/kept_events_format.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/keyed_recommender.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/storage/posix_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"
#include "../support/temporary_file.hpp"
#include "../support/tensor_bytes.hpp"

namespace kd = kindred;
using doctest::Contains;
using kindred_test::with_header;
using kindred_test::with_value;
using Shop = kd::KeyedRecommender<float>;

namespace {

std::string bytes_of(const Shop& shop) {
  std::ostringstream stream;
  kd::save(shop, stream);
  return stream.str();
}

Shop shop_of(const std::string& bytes) {
  std::istringstream stream(bytes);
  return kd::load<Shop>(stream);
}

/// Past events of kinds "buy" and "view" (which has no weight), observed ones of "buy" and "hide".
struct Kept {
  std::vector<std::string> users{"u3", "u3", "somebody", "u4"}, items{"i1", "i2", "i2", "something"}, kinds{"buy", "view", "buy", "buy"};
  std::vector<std::int64_t> times{100, 200, 300, 400};
  kd::Dataset data = kindred_test::dataset_of(kindred_test::random_matrix(20, 12, 0.3, 3));
  kd::ImplicitALS<float> model{kindred_test::small_als()};

  Kept() { model.fit(data.matrix); }

  [[nodiscard]] std::string file() const {
    Shop shop(
        model, data,
        {.weights = {{"buy", 3.0}, {"hide", -2.0}}, .past = kd::Events{.users = users, .items = items, .times = times, .kinds = kinds}});
    shop.observe("u3", "i7", {.value = 2.0F, .time = 500, .kind = "buy"});
    shop.observe("new", "i8", {.time = 600, .kind = "buy"});
    shop.observe("u5", "i9", {.kind = "hide"});
    (void)shop.refresh_offsets(700, {.recent_seconds = 350, .weight = 2.0, .fade_in_seconds = 200.0});
    return bytes_of(shop);
  }
};

void same_answers(const Shop& a, const Shop& b) {
  for (const char* user : {"u2", "u3", "u5", "new", "somebody"}) {
    const kd::KeyedAnswer left = a.recommend(user), right = b.recommend(user);
    CHECK(left.source == right.source);
    CHECK(left.items == right.items);
  }
}

}  // namespace

TEST_SUITE("persistence/kept_events_format") {
  TEST_CASE("events come back, and go on") {
    const Kept kept;
    const std::string file = kept.file();
    Shop shop = shop_of(file), again = shop_of(bytes_of(shop));
    CHECK(bytes_of(shop) == file);
    CHECK(shop.recommend("new").source == kd::ListSource::model);
    same_answers(shop, again);
    for (Shop* one : {&shop, &again}) {
      one->observe("newer", "i3", {.time = 800, .kind = "buy"});
      (void)one->refresh_offsets(900, {.recent_seconds = 650, .kinds = {"view", "buy"}});
    }
    same_answers(shop, again);
    CHECK(shop.snapshot().model->item_offsets() == again.snapshot().model->item_offsets());
    CHECK(shop.snapshot().model->item_offsets().values[1] == doctest::Approx(-0.5 * std::log(2.0)));                 // of 100: not recent
    CHECK(shop.snapshot().model->item_offsets().values[2] == doctest::Approx(std::log(2.0) - 0.5 * std::log(3.0)));  // of 200 and 300
    CHECK_THROWS_AS(shop.observe("u3", "i1", {.kind = "view"}), kd::InvalidArgument);
  }

  TEST_CASE("a file without events is as before") {
    const Kept kept;
    const std::string file = bytes_of(Shop(kept.model, kept.data));
    CHECK(file.find("event") == std::string::npos);
    Shop shop = shop_of(file);
    CHECK_NOTHROW(shop.observe("u3", "i1"));
  }

#if KINDRED_POSIX_FILES
  TEST_CASE("a journal: what was observed is there after a start from the file before") {
    const kd::test::TemporaryDirectory directory;
    const std::string file = directory.path("shop.kindred"), journal = directory.path("shop.journal");
    const Kept kept;
    kd::save(shop_of(kept.file()), file);
    const auto start = [&](Shop& shop) { return shop.start_journal({.path = journal}); };
    const auto times = [](const Shop& shop) {
      std::vector<std::int64_t> found;
      for (const kd::detail::KeptEvent& event : shop.snapshot().events->state().observed) found.push_back(event.time);
      return found;
    };
    const std::int64_t none = kd::detail::KeptEvent::no_time;
    {
      Shop shop = kd::load<Shop>(file);
      CHECK(start(shop).events == 0);
      CHECK_THROWS_WITH_AS((void)start(shop), Contains("started once"), kd::InvalidArgument);
      CHECK_THROWS_AS(shop.observe("u3", "i1", {.kind = "view"}), kd::InvalidArgument);  // and not journaled
      shop.observe("u3", "item 4", {.value = 2.0F, .time = 900, .kind = "buy"});
      shop.observe("brand new", "i4", {.time = 50, .kind = "buy"});
    }
    {
      Shop shop = kd::load<Shop>(file), all = kd::load<Shop>(file);
      const kd::KeyedEvents::Replayed found = start(shop);
      CHECK(found.events == 2);
      CHECK(found.held + found.refused + found.torn_bytes == 0);
      all.observe("u3", "i4", {.value = 2.0F, .time = 900, .kind = "buy"});
      all.observe("brand new", "i4", {.time = 50, .kind = "buy"});
      same_answers(shop, all);
      CHECK(shop.recommend("brand new").items == all.recommend("brand new").items);
      // Saved to a stream: the journal stays. Saved to the path: it holds only what comes after.
      const std::string copy = bytes_of(shop);
      kd::save(shop, file);
      shop.observe("u5", "i4", {.time = 1'000, .kind = "buy"});
      Shop from_copy = shop_of(copy);
      CHECK_THROWS_WITH_AS((void)start(from_copy), Contains("lock"), kd::IoError);
    }
    {
      Shop shop = kd::load<Shop>(file);
      CHECK(times(shop) == std::vector<std::int64_t>{500, 600, none, 900, 50});
      const kd::KeyedEvents::Replayed found = start(shop);
      CHECK(found.events == 1);
      CHECK(found.held == 0);
      CHECK(times(shop) == std::vector<std::int64_t>{500, 600, none, 900, 50, 1'000});
      // The same file again, as a reload has it: by their numbers, late events stay too.
      shop.observe("u6", "i4", {.time = 10, .kind = "buy"});
      CHECK(shop.replace(kd::load<Shop>(file)) == 2);
      CHECK(times(shop) == std::vector<std::int64_t>{500, 600, none, 900, 50, 1'000, 10});
      shop.observe("u7", "i4", {.time = 20, .kind = "buy"});
    }
    {
      Shop shop = shop_of(kept.file());  // of before the journal: it does not hold the events that a later file does
      const kd::KeyedEvents::Replayed found = shop.start_journal({.path = journal, .only_later_than_past = true});
      CHECK(found.events == 1);
      CHECK(found.held == 2);
      CHECK(times(shop) == std::vector<std::int64_t>{500, 600, none, 1'000});
    }
    const Shop saved = kd::load<Shop>(file);
    CHECK(bytes_of(saved) == bytes_of(shop_of(bytes_of(saved))));
    std::string damaged = bytes_of(saved);
    const auto refused = [](const std::string& bytes, const char* words) {
      CHECK_THROWS_WITH_AS((void)shop_of(bytes), Contains(words), kd::FormatError);
    };
    refused(with_value(damaged, "events_journal", 0, std::int64_t{0}), "'events_journal' holds no id");
    refused(with_value(damaged, "events_journal", 1, std::int64_t{-1}), "'events_journal' holds no id");
    refused(with_value(damaged, "observed_events.numbers", 0, std::int64_t{3}), "'observed_events.numbers' holds 3; it must be at most 2");
  }

  TEST_CASE("a journal whose beginning is in a later file is refused by an earlier one") {
    const kd::test::TemporaryDirectory directory;
    const std::string file = directory.path("shop.kindred"), journal = directory.path("shop.journal");
    const Kept kept;
    Shop shop(kept.model, kept.data);
    (void)shop.start_journal({.path = journal, .sync_milliseconds = 0});
    shop.observe("u1", "i1");
    const std::string earlier = bytes_of(shop);
    shop.observe("u1", "i2");
    kd::save(shop, file);
    shop = shop_of(earlier);
    CHECK_THROWS_WITH_AS((void)shop.start_journal({.path = journal}), Contains("in a model file that was saved later"), kd::FormatError);
    CHECK_THROWS_AS((void)shop.replace(kd::ImplicitALS<float>(), kept.data), kd::NotFitted);
    // Of another data set: what it does not know is counted.
    shop = kd::load<Shop>(file);
    CHECK(shop.start_journal({.path = journal}).events == 0);
    shop.observe("u1", "i11");
    shop.observe("u2", "i3");
    Shop other(kept.model, kept.data);
    CHECK_THROWS_AS((void)shop.replace([&] {
      (void)other.start_journal({.path = directory.path("other.journal")});
      return std::move(other);
    }()),
                    kd::InvalidArgument);
    shop = Shop(kept.model, kept.data);
    kd::Dataset renamed;
    renamed.matrix = kept.data.matrix;
    for (kd::Index u = 0; u < renamed.matrix.rows(); ++u) (void)renamed.users.intern(kept.data.users.key(u));
    for (kd::Index i = 0; i < renamed.matrix.cols(); ++i) (void)renamed.items.intern(i == 11 ? "gone" : kept.data.items.key(i));
    Shop fewer(kept.model, renamed);
    const kd::KeyedEvents::Replayed found = fewer.start_journal({.path = journal});
    CHECK(found.events == 1);
    CHECK(found.refused == 1);
  }
#endif

  TEST_CASE("damaged events are refused") {
    const Kept kept;
    const std::string file = kept.file();
    const auto refused = [](const std::string& damaged, const char* words) {
      CHECK_THROWS_WITH_AS((void)shop_of(damaged), Contains(words), kd::FormatError);
    };
    refused(with_value(file, "past_events.users", 0, std::int32_t{20}), "'past_events.users' holds 20; it must be below 20");
    refused(with_value(file, "past_events.items", 0, std::int32_t{-2}), "'past_events.items' holds -2");
    refused(with_value(file, "past_events.kinds", 0, std::int32_t{3}), "'past_events.kinds' holds 3; it must be below 3");
    refused(with_value(file, "past_events.times", 0, std::numeric_limits<std::int64_t>::min()), "below 10^11");
    refused(with_value(file, "observed_events.users", 0, std::int32_t{21}), "'observed_events.users' holds 21; it must be below 21");
    refused(with_value(file, "observed_events.items", 0, std::int32_t{-1}), "'observed_events.items' holds -1");
    refused(with_value(file, "observed_events.kinds", 0, std::int32_t{2}), "'observed_events.kinds' holds 2; it must be below 2");
    refused(with_value(file, "observed_events.times", 0, std::int64_t{100'000'000'000}), "below 10^11");
    refused(with_value(file, "observed_events.values", 0, std::numeric_limits<float>::infinity()), "not finite");
    refused(with_value(file, "event_kinds.weights", 0, std::numeric_limits<double>::quiet_NaN()), "not finite");
    refused(with_value(file, "new_user_weights", 0, 2.0F), "not in [0, 1]");
    refused(with_header(file, "\"new_user_weights\"", "\"old_user_weights\""), "'new_user_weights' is missing");
  }
}
