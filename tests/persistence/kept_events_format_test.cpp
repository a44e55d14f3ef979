// SPDX-License-Identifier: MIT
// Observed and past events in the file of a KeyedRecommender.
#include <kindred/persistence/kept_events_format.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/keyed_recommender.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"
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
