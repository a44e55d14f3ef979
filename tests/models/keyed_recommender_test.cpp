// SPDX-License-Identifier: MIT
#include <kindred/models/keyed_recommender.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/rerank.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

kd::Dataset small_data() { return kindred_test::dataset_of(kindred_test::random_matrix(40, 30, 0.2, 3)); }

kd::ImplicitALS<float> fitted(const kd::Dataset& data, std::uint64_t seed = 11) {
  kd::AlsOptions options = kindred_test::small_als();
  options.seed = seed;
  kd::ImplicitALS<float> model(options);
  model.fit(data.matrix);
  return model;
}

std::vector<kd::NamedItem> named(const std::vector<kd::Scored>& list) {
  std::vector<kd::NamedItem> items;
  for (const kd::Scored& one : list) items.push_back({"i" + std::to_string(one.item), "item " + std::to_string(one.item), one.score});
  return items;
}

}  // namespace

TEST_SUITE("models/keyed_recommender") {
  TEST_CASE("answers are the model's, by key and by name") {
    const kd::Dataset data = small_data();
    const kd::ImplicitALS<float> model = fitted(data);
    const kd::KeyedRecommender<float> recommender(model, data);
    CHECK(recommender.version() == 1);
    const kd::KeyedAnswer answer = recommender.recommend("u7", {.count = 4});
    CHECK(answer.version == 1);
    CHECK(answer.source == kd::ListSource::model);
    CHECK(answer.items == named(model.recommend(7, {.count = 4, .exclude = data.matrix.row(7)})));
    CHECK(recommender.recommend("u7", {.count = 4, .known = kd::KeyedOptions::KnownItems::included}).items ==
          named(model.recommend(7, {.count = 4})));
    CHECK(recommender.similar("i5", 3).items == named(model.similar_items(5, {.count = 3})));
    CHECK(recommender.similar("item 5", 3).items == named(model.similar_items(5, {.count = 3})));

    const std::vector<kd::KeyedInteraction> history{{"item 9", 3.0F}, {"i2"}};
    const std::vector<kd::Index> columns{2, 9};
    const std::vector<float> values{1.0F, 3.0F};
    CHECK(recommender.recommend(history, {.count = 4}).items ==
          named(model.recommend({columns, values}, {.count = 4, .exclude = columns}).items));
    const kd::NamedExplanation why = recommender.explain(history, "item 4");
    const kd::Explanation wanted = model.explain({columns, values}, 4, kd::FoldInBackground::by_history);
    CHECK(why.score == wanted.score);
    CHECK(why.parts == named(wanted.parts));
    CHECK(recommender.explain("u7", "i4").parts == named(model.explain(data.matrix.row(7), 4).parts));
  }

  TEST_CASE("disliked items come back only where they are asked for") {
    kd::Dataset data = small_data();
    const kd::CsrView known = data.matrix;
    std::vector<float> values(known.values().begin(), known.values().end());
    const auto disliked = static_cast<std::size_t>(known.offsets()[7]);
    values[disliked] = -values[disliked];
    data.matrix = kd::CsrMatrix(known.shape(), {known.offsets().begin(), known.offsets().end()},
                                {known.columns().begin(), known.columns().end()}, std::move(values));
    const kd::ImplicitALS<float> model = fitted(data);
    const kd::KeyedRecommender<float> recommender(model, data);
    const std::vector<kd::Index> dislikes{data.matrix.row(7).columns[0]};
    using Known = kd::KeyedOptions::KnownItems;
    CHECK(recommender.recommend("u7", {.count = 30, .known = Known::included}).items ==
          named(model.recommend(7, {.count = 30, .exclude = dislikes})));
    CHECK(recommender.recommend("u7", {.count = 30, .known = Known::all}).items == named(model.recommend(7, {.count = 30})));
    const std::vector<kd::KeyedInteraction> history{{"i2"}, {"i9", -3.0F}};
    for (const kd::NamedItem& one : recommender.recommend(history, {.count = 30, .known = Known::included}).items) CHECK(one.key != "i9");
    CHECK(recommender.recommend(history, {.count = 30, .known = Known::all}).items.size() ==
          recommender.recommend(history, {.count = 30, .known = Known::included}).items.size() + 1);
    // A reranking that is handed the user: as the model has it, and no obstacle for somebody unknown.
    const kd::Rerank rerank = kd::calibrated(data.matrix, std::vector<kd::Index>(30, 0), 0.5);
    CHECK(recommender.recommend("u7", {.count = 4, .rerank = rerank}).items ==
          named(model.recommend(7, {.count = 4, .exclude = data.matrix.row(7), .rerank = rerank})));
    CHECK(recommender.recommend("a stranger", {.fallback = kd::Fallback::popularity, .rerank = rerank}).source ==
          kd::ListSource::popularity);
  }

  TEST_CASE("a snapshot stays as it is when the model is replaced") {
    const kd::Dataset data = small_data();
    const kd::ImplicitALS<float> first = fitted(data), second = fitted(data, 12);
    kd::KeyedRecommender<float> recommender(first, data);
    const kd::KeyedRecommender<float>::Snapshot before = recommender.snapshot();
    (void)recommender.replace(second, data);
    CHECK(before.model->recommend(7) == first.recommend(7));
    CHECK(recommender.snapshot().model->recommend(7) == second.recommend(7));
    CHECK(first.recommend(7) != second.recommend(7));
    CHECK(before.data->matrix == data.matrix);
  }

  TEST_CASE("who and what is not known") {
    kd::Dataset data = small_data();
    data.item_names[8] = data.item_names[3];
    data.item_names[4].clear();
    const kd::KeyedRecommender<float> recommender(fitted(data), data);
    const kd::KeyedAnswer empty = recommender.recommend("nobody");
    CHECK(empty.source == kd::ListSource::none);
    CHECK(empty.items.empty());
    const kd::KeyedAnswer popular = recommender.recommend("nobody", {.count = 3, .fallback = kd::Fallback::popularity});
    CHECK(popular.source == kd::ListSource::popularity);
    CHECK(popular.items.size() == 3);
    CHECK_THROWS_WITH_AS((void)recommender.similar("item 99"), Contains("the key or name of one of the 30 items"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)recommender.similar(""), Contains("item is ''"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)recommender.similar("item 3"), "item is 'item 3'; it must be a key: 2 items have that name",
                         kd::InvalidArgument);
    CHECK_NOTHROW((void)recommender.similar("i3"));
    CHECK_THROWS_WITH_AS((void)recommender.explain("nobody", "i3"), Contains("one of the 40 users"), kd::InvalidArgument);
    const std::vector<kd::KeyedInteraction> twice{{"item 9", 3.0F}, {"i9"}}, none;
    const std::vector<kd::KeyedInteraction> once{{"i9", 4.0F}};
    CHECK(recommender.recommend(twice).items == recommender.recommend(once).items);
    CHECK(recommender.recommend(none).source == kd::ListSource::none);
    CHECK(recommender.recommend(none, {.fallback = kd::Fallback::popularity}).source == kd::ListSource::popularity);
    CHECK_THROWS_AS(kd::KeyedRecommender<float>(kd::ImplicitALS<float>(), data), kd::NotFitted);
    CHECK_THROWS_AS(kd::KeyedRecommender<float>(fitted(data), kindred_test::dataset_of(kindred_test::random_matrix(41, 30, 0.2, 3))),
                    kd::ShapeError);
  }

  TEST_CASE("unknown items of a request are left out and reported, repeats added up") {
    kd::Dataset data = small_data();
    data.item_names[8] = data.item_names[3];
    const kd::KeyedRecommender<float> recommender(fitted(data), data);
    const std::vector<kd::KeyedInteraction> odd{{"item 9", 3.0F}, {"no such"}, {"i2", 1.5F}, {"i9", -1.0F},
                                                {"no such"},      {""},        {"i5", 2.0F}, {"i5", -2.0F}};
    const std::vector<kd::KeyedInteraction> plain{{"i2", 1.5F}, {"i9", 2.0F}};
    const kd::KeyedAnswer answer = recommender.recommend(odd, {.count = 30});
    CHECK(answer.items == recommender.recommend(plain, {.count = 30}).items);
    CHECK(answer.unknown_items == std::vector<std::string>{"no such", ""});
    const kd::NamedExplanation why = recommender.explain(odd, "i7");
    CHECK(why.parts == recommender.explain(plain, "i7").parts);
    CHECK(why.unknown_items == answer.unknown_items);
    const std::vector<kd::KeyedInteraction> two_names{{"i1"}, {"item 3"}};
    CHECK_THROWS_WITH_AS((void)recommender.recommend(two_names), "history[1] is 'item 3'; it must be a key: 2 items have that name",
                         kd::InvalidArgument);
    const std::vector<kd::KeyedInteraction> none{{"no such"}};
    CHECK(recommender.recommend(none).source == kd::ListSource::none);
    const std::string known = "i1";
    const std::vector<kd::KeyedInteraction> huge{{known, 3e38F}, {known, 3e38F}};
    CHECK_THROWS_WITH_AS((void)recommender.recommend(huge), doctest::Contains("within the range of a float"), kd::InvalidArgument);
  }

  TEST_CASE("more plays for a known user count for one list") {
    const kd::Dataset data = small_data();
    const kd::ImplicitALS<float> model = fitted(data);
    kd::KeyedRecommender<float> recommender(model, data);
    const std::vector<kd::KeyedInteraction> plays{{"i3", 2.0F}, {"i17"}, {"unheard"}};
    const kd::KeyedAnswer before = recommender.recommend("u7"), more = recommender.recommend("u7", plays, {.count = 30});
    CHECK(more.unknown_items == std::vector<std::string>{"unheard"});
    CHECK(recommender.recommend("u7").items == before.items);
    const kd::KeyedAnswer stranger = recommender.recommend("nobody", plays);
    CHECK(stranger.items == recommender.recommend(plays).items);
    CHECK(stranger.unknown_items == more.unknown_items);
    // As if they had been observed.
    recommender.observe("u7", "i3", {.value = 2.0F});
    CHECK(recommender.recommend("u7", std::vector<kd::KeyedInteraction>{{"i17"}}, {.count = 30}).items == more.items);
    recommender.observe("u7", "i17");
    CHECK(recommender.recommend("u7", {.count = 30}).items == more.items);
  }

  TEST_CASE("lists by keys: only, and without") {
    const kd::Dataset data = small_data();
    const kd::ImplicitALS<float> model = fitted(data);
    const kd::KeyedRecommender<float> recommender(model, data);
    const std::vector<kd::Index> allowed{1, 4, 12, 20};
    const kd::KeyedOptions some{.count = 30,
                                .known = kd::KeyedOptions::KnownItems::included,
                                .only = std::vector<std::string>{"i20", "item 4", "i1", "i12", "i4", "what"}};
    CHECK(recommender.recommend("u7", some).items == named(model.recommend(7, {.count = 30, .filter = {.allow = allowed}})));
    CHECK(recommender.recommend("u7", some).unknown_items == std::vector<std::string>{"what"});
    CHECK(recommender.similar("i5", some).items == named(model.similar_items(5, {.count = 30, .filter = {.allow = allowed}})));
    const std::vector<kd::Index> also{0, 4, 20, 21}, both{4, 20};
    kd::KeyedOptions fewer = some;
    fewer.filter.allow = also;
    CHECK(recommender.recommend("u7", fewer).items == named(model.recommend(7, {.count = 30, .filter = {.allow = both}})));
    CHECK(recommender.recommend("u7", {.only = std::vector<std::string>{}}).items.empty());

    std::vector<kd::Index> excluded(data.matrix.row(7).columns.begin(), data.matrix.row(7).columns.end());
    for (const kd::Index item : {2, 9})
      if (std::find(excluded.begin(), excluded.end(), item) == excluded.end()) excluded.push_back(item);
    std::sort(excluded.begin(), excluded.end());
    CHECK(recommender.recommend("u7", {.count = 30, .exclude = {"i9", "item 2", "i9"}}).items ==
          named(model.recommend(7, {.count = 30, .exclude = excluded})));
    const std::vector<kd::Index> two{2, 9};
    CHECK(recommender.similar("i5", {.count = 30, .exclude = {"i9", "i2"}}).items ==
          named(model.similar_items(5, {.count = 30, .exclude = two})));
  }

  TEST_CASE("whole numbers are keys") {
    kd::Dataset data;
    data.matrix = kindred_test::random_matrix(30, 20, 0.3, 5);
    for (kd::Index u = 0; u < 30; ++u) (void)data.users.intern(std::to_string(u - 3));
    for (kd::Index i = 0; i < 20; ++i) (void)data.items.intern(std::to_string(9'000'000'000 + i));
    kd::KeyedRecommender<float> recommender(fitted(data), data);
    CHECK(recommender.recommend(-3).items == recommender.recommend("-3").items);
    CHECK(recommender.recommend(std::int64_t{20}).items == recommender.recommend(std::string("20")).items);
    CHECK(recommender.similar(9'000'000'004).items == recommender.similar("9000000004").items);
    const std::vector<kd::KeyedInteraction> numbers{{9'000'000'002, 2.0F}, {9'000'000'007}, {7}},
        texts{{"9000000002", 2.0F}, {"9000000007"}};
    CHECK(recommender.recommend(numbers).items == recommender.recommend(texts).items);
    CHECK(recommender.recommend(numbers).unknown_items == std::vector<std::string>{"7"});
    recommender.observe(std::int64_t{-9'223'372'036'854'775'807 - 1}, 9'000'000'002);
    CHECK(recommender.recommend("-9223372036854775808").source == kd::ListSource::model);
    recommender.observe(18'446'744'073'709'551'615U, 9'000'000'003);
    CHECK(recommender.recommend("18446744073709551615").source == kd::ListSource::model);
    CHECK(recommender.explain(5, 9'000'000'004).parts == recommender.explain("5", "9000000004").parts);
  }

  TEST_CASE("a batch has the answers of single requests, by any number of threads") {
    const kd::Dataset data = small_data();
    kd::KeyedRecommender<float> recommender(fitted(data), data);
    recommender.observe("u3", "i7");
    const std::vector<kd::KeyedInteraction> plays{{"i3", 2.0F}, {"i17"}, {"unheard"}};
    std::vector<kd::KeyedRequest> requests;
    for (int u = 0; u < 40; ++u) requests.push_back({.user = u % 2 == 0 ? kd::detail::KeyText("u3") : kd::detail::KeyText("u8")});
    requests.push_back({.history = plays});
    requests.push_back({.user = "u5", .history = plays});
    requests.push_back({.user = "nobody"});
    requests.push_back({});
    const kd::KeyedOptions options{.count = 7, .fallback = kd::Fallback::popularity, .exclude = {"i4", "gone"}};
    for (const std::size_t threads : {1U, 3U}) {
      const std::vector<kd::KeyedAnswer> answers = recommender.recommend_all(requests, options, {.threads = threads});
      REQUIRE(answers.size() == requests.size());
      for (std::size_t n = 0; n < 40; ++n) CHECK(answers[n].items == recommender.recommend(n % 2 == 0 ? "u3" : "u8", options).items);
      CHECK(answers[40].items == recommender.recommend(plays, options).items);
      CHECK(answers[40].unknown_items == std::vector<std::string>{"unheard", "gone"});
      CHECK(answers[41].items == recommender.recommend("u5", plays, options).items);
      CHECK(answers[42].source == kd::ListSource::popularity);
      CHECK(answers[43].items == answers[42].items);
    }
    const kd::FeatureColumns::Value profile[] = {{"camp", "odd"}};
    requests.push_back({.user = "u5", .profile = profile});
    CHECK_THROWS_WITH_AS((void)recommender.recommend_all(requests), Contains("requests[44].profile is 1 values"), kd::InvalidArgument);
    CHECK(recommender.recommend_all({}).empty());
  }

  TEST_CASE("moved, it goes on; another one replaces it with its events") {
    const kd::Dataset data = small_data();
    kd::KeyedRecommender<float> first(fitted(data), data);
    const kd::KeyedAnswer answer = first.recommend("u7");
    kd::KeyedRecommender<float> moved(std::move(first)), other(fitted(data, 12), data);
    CHECK(moved.recommend("u7").items == answer.items);
    other.observe("new", "i4", {.time = 100});
    const kd::KeyedAnswer others = other.recommend("u7"), of_new = other.recommend("new");
    moved.observe("earlier", "i5", {.time = 99});
    moved.observe("later", "i5", {.time = 101});
    CHECK(moved.replace(std::move(other)) == 2);
    CHECK(moved.recommend("u7").items == others.items);
    CHECK(moved.recommend("new").items == of_new.items);
    CHECK(moved.recommend("earlier").source == kd::ListSource::none);
    CHECK(moved.recommend("later").source == kd::ListSource::model);
    first = std::move(moved);
    CHECK(first.version() == 2);
    // Of a model that knows no event nothing says which it holds: all stay.
    first.observe("timeless", "i5");
    CHECK(first.replace(kd::KeyedRecommender<float>(fitted(data, 13), data)) == 3);
    CHECK(first.recommend("timeless").source == kd::ListSource::model);
    CHECK(first.recommend("later").source == kd::ListSource::model);
  }

  // The same interactions with users, with items, and with both in another order: shapes agree, counts do not.
  TEST_CASE("data of other users or items is refused, the data of an updated model is not") {
    const kd::Dataset data = small_data();
    const kd::ImplicitALS<float> model = fitted(data);
    std::vector<kd::Index> backwards;
    for (kd::Index u = 40; u-- > 0;) backwards.push_back(u);
    const kd::CsrMatrix other_users = kd::select_rows(data.matrix, backwards);
    std::vector<kd::Interaction> moved;
    for (kd::Index u = 0; u < 40; ++u)
      for (std::size_t n = 0; n < data.matrix.row(u).size(); ++n)
        moved.push_back({u, 29 - data.matrix.row(u).columns[n], data.matrix.row(u).values[n]});
    const kd::CsrMatrix other_items = kd::CsrMatrix::from_triplets(data.matrix.shape(), moved);
    CHECK_THROWS_WITH_AS(kd::KeyedRecommender<float>(model, kindred_test::dataset_of(other_users)), Contains("data is user "),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::KeyedRecommender<float>(model, kindred_test::dataset_of(other_items)), Contains("data is item "),
                         kd::InvalidArgument);

    kd::KeyedRecommender<float> recommender(model, data);
    CHECK_THROWS_AS((void)recommender.replace(model, kindred_test::dataset_of(other_users)), kd::InvalidArgument);
    CHECK(recommender.version() == 1);

    // Appended users: their rows at the end, which the items' counts of the fit do not know.
    kd::ImplicitALS<float> grown = model;
    std::vector<kd::Index> all(40), again{3, 7};
    for (kd::Index u = 0; u < 40; ++u) all[static_cast<std::size_t>(u)] = u;
    all.insert(all.end(), again.begin(), again.end());
    grown.append_users(kd::select_rows(data.matrix, again));
    CHECK_NOTHROW(kd::KeyedRecommender<float>(grown, kindred_test::dataset_of(kd::select_rows(data.matrix, all))));
    std::swap(all[0], all[1]);
    REQUIRE(data.matrix.row(0).size() != data.matrix.row(1).size());
    CHECK_THROWS_AS(kd::KeyedRecommender<float>(grown, kindred_test::dataset_of(kd::select_rows(data.matrix, all))), kd::InvalidArgument);
  }

  TEST_CASE("replaced under load, every answer is all of one model's") {
    const kd::Dataset data = small_data();
    std::vector<kd::ImplicitALS<float>> models;
    std::vector<std::vector<kd::NamedItem>> wanted;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      models.push_back(fitted(data, seed));
      wanted.push_back(named(models.back().recommend(7, {.count = 20, .exclude = data.matrix.row(7)})));
    }
    REQUIRE(wanted[0] != wanted[1]);
    kd::KeyedRecommender<float> recommender(models[0], data);
    std::atomic<bool> done{false};
    std::atomic<std::size_t> answers{0}, wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        std::uint64_t last = 0;
        while (!done.load()) {
          const kd::KeyedAnswer answer = recommender.recommend("u7", {.count = 20});
          if (answer.items != wanted[(answer.version - 1) % 4] || answer.version < last) ++wrong;
          last = answer.version;
          ++answers;
        }
      });
    for (std::uint64_t n = 1; n < 200; ++n) CHECK(recommender.replace(models[n % 4], data) == n + 1);
    while (answers.load() < 100) std::this_thread::yield();
    done = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong.load() == 0);
    CHECK_THROWS_AS((void)recommender.replace(kd::ImplicitALS<float>(), data), kd::NotFitted);
    CHECK(recommender.version() == 200);
  }
}

TEST_CASE("a recommender with features answers profiles by names") {
  std::vector<std::string> users, items, camps;
  for (int u = 0; u < 40; ++u) {
    for (int i = 0; i < 20; ++i) {
      if ((u * 7 + i * 3) % 5 > (u % 2 == i % 2 ? 2 : 0)) continue;
      users.push_back("user" + std::to_string(u));
      items.push_back((i % 2 == 0 ? "even" : "odd") + std::to_string(i));
    }
  }
  const kd::Dataset data = kd::Dataset::from_columns(users, items);
  for (kd::Index u = 0; u < data.users.size(); ++u) camps.push_back(std::string(data.users.key(u)).back() % 2 == 0 ? "even" : "odd");
  kd::FeatureTable people(data.users);
  people.add_categories("camp", camps);
  kd::ImplicitALS<float> als({.factors = 6, .regularization = 0.1, .iterations = 3});
  als.fit(data.matrix, {.user_features = people});
  const kd::KeyedRecommender<float> shop(std::move(als), data);

  const kd::FeatureColumns::Value profile[] = {{"camp", "odd"}, {"shoes", "42"}};
  const kd::KeyedAnswer answer = shop.recommend({}, profile, {.count = 5});
  CHECK(answer.source == kd::ListSource::features);
  CHECK(answer.unknown == std::vector<std::string>{"shoes=42"});
  REQUIRE(answer.items.size() == 5);
  CHECK(answer.items.front().key.starts_with("odd"));
  const kd::KeyedInteraction liked[] = {{"odd3"}};
  const kd::KeyedAnswer with_history = shop.recommend(liked, profile, {.count = 20});
  CHECK(with_history.source == kd::ListSource::model);
  CHECK(std::none_of(with_history.items.begin(), with_history.items.end(), [](const kd::NamedItem& one) { return one.key == "odd3"; }));

  const kd::NamedExplanation why = shop.explain("user1", "odd5");
  REQUIRE(why.features.size() == 1);
  CHECK(why.features[0].name == "camp=odd");
  double sum = why.mean + why.features[0].score;
  for (const kd::NamedItem& part : why.parts) sum += part.score;
  CHECK(sum == doctest::Approx(why.score).epsilon(1e-3).scale(1));
}
