// SPDX-License-Identifier: MIT
// The C interface beside the library in C++: the same numbers, to the bit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <kindred/c/kindred.h>
#include <kindred/kindred.hpp>

#include <doctest/doctest.h>

#include "../support/als_instances.hpp"

namespace kd = kindred;

namespace {

constexpr std::size_t count = 10;

/// Frees what it holds.
template <typename T, void (*release)(T*)>
class Handle {
 public:
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { release(held_); }
  operator T*() const { return held_; }
  T** out() { return &held_; }

 private:
  T* held_ = nullptr;
};
using Matrix = Handle<kindred_matrix, kindred_matrix_free>;
using Options = Handle<kindred_options, kindred_options_free>;
using Model = Handle<kindred_model, kindred_model_free>;

/// The same data and the same fit on both sides.
struct Both {
  kd::CsrMatrix train = kd::synthetic_listening({.users = 1'000, .items = 300, .items_per_user = 20}).matrix;
  kd::ImplicitALS<float> als{{.factors = 16}};
  Matrix matrix;
  Options options;
  Model model;

  Both() {
    als.fit(train);
    REQUIRE(kindred_matrix_share(train.rows(), train.cols(), train.offsets().data(), train.columns().data(), train.values().data(),
                                 matrix.out()) == KINDRED_OK);
    REQUIRE(kindred_options_new(options.out()) == KINDRED_OK);
    REQUIRE(kindred_options_set(options, "factors", "16") == KINDRED_OK);
    REQUIRE(kindred_fit(matrix, options, nullptr, model.out()) == KINDRED_OK);
  }
};

/// `items` and `scores` hold `list`, and nothing after it.
void check_list(std::span<const kd::Scored> list, const std::int32_t* items, const double* scores, std::size_t places) {
  for (std::size_t n = 0; n < places; ++n) {
    CHECK(items[n] == (n < list.size() ? list[n].item : -1));
    CHECK(scores[n] == (n < list.size() ? list[n].score : 0.0));
  }
}

}  // namespace

TEST_SUITE("c/kindred") {
  TEST_CASE("factors, lists of 1,000 users, similarities, histories and reasons are those of C++") {
    const Both both;
    const kd::ImplicitALS<float>& als = both.als;
    std::int32_t users = 0, items = 0;
    std::size_t factors = 0;
    CHECK(kindred_model_shape(both.model, &users, &items, &factors) == KINDRED_OK);
    CHECK(users == 1'000);
    CHECK(items == 300);
    REQUIRE(factors == 16);
    std::vector<float> item_factors(300 * 16);
    CHECK(kindred_model_item_factors(both.model, item_factors.data(), item_factors.size()) == KINDRED_OK);
    for (kd::Index i = 0; i < 300; ++i)
      CHECK(std::equal(als.item_factors().row(i).begin(), als.item_factors().row(i).end(), item_factors.begin() + 16 * i));
    CHECK(kindred_model_user_factors(both.model, item_factors.data(), item_factors.size()) == KINDRED_INVALID_ARGUMENT);

    std::vector<std::int32_t> all(1'000 * count);
    std::vector<double> scores(all.size());
    std::vector<std::size_t> lengths(1'000);
    const kindred_run run{.threads = 2, .progress = nullptr, .data = nullptr};
    REQUIRE(kindred_recommend_all(both.model, nullptr, 1'000, both.matrix, nullptr, &run, all.data(), scores.data(), lengths.data()) ==
            KINDRED_OK);
    const kd::RankedLists lists = als.recommend_all(kd::every_user, {.count = count, .exclude = both.train});
    for (std::size_t u = 0; u < 1'000; ++u) {
      CHECK(lengths[u] == lists.row(u).size());
      check_list(lists.row(u), all.data() + u * count, scores.data() + u * count, count);
    }

    std::int32_t list[count];
    double of_list[count];
    for (const kd::Index user : {0, 7, 999}) {
      const kd::SparseRow row = both.train.row(user);
      std::vector<kd::Index> backwards(row.columns.rbegin(), row.columns.rend());
      REQUIRE(kindred_recommend(both.model, user, backwards.data(), backwards.size(), nullptr, list, of_list, nullptr) == KINDRED_OK);
      check_list(lists.row(static_cast<std::size_t>(user)), list, of_list, count);

      const std::vector<float> values(row.values.rbegin(), row.values.rend());
      REQUIRE(kindred_recommend_history(both.model, backwards.data(), values.data(), values.size(), nullptr, list, of_list, nullptr) ==
              KINDRED_OK);
      check_list(als.recommend(row, {.count = count, .exclude = row}).items, list, of_list, count);
      std::vector<float> folded(16);
      CHECK(kindred_fold_in(both.model, backwards.data(), values.data(), values.size(), folded.data()) == KINDRED_OK);
      CHECK(folded == als.fold_in(row));

      const kd::Explanation why = als.explain(row, 5);
      std::vector<std::int32_t> parts(values.size());
      std::vector<double> added(values.size());
      double score = 0.0;
      CHECK(kindred_explain(both.model, backwards.data(), values.data(), values.size(), 5, parts.data(), added.data(), &score) ==
            KINDRED_OK);
      check_list(why.parts, parts.data(), added.data(), parts.size());
      CHECK(score == why.score);

      CHECK(kindred_similar_items(both.model, user % 300, nullptr, list, of_list, nullptr) == KINDRED_OK);
      check_list(als.similar_items(user % 300, {.count = count}), list, of_list, count);
      CHECK(kindred_similar_users(both.model, user, nullptr, list, of_list, nullptr) == KINDRED_OK);
      check_list(als.similar_users(user, {.count = count}), list, of_list, count);
    }
  }

  TEST_CASE("options of lists: allowed items in any order, popularity, fallback") {
    const Both both;
    kindred_list_options options = KINDRED_LIST_OPTIONS_INIT;
    const std::vector<std::int32_t> allow{200, 3, 17, 3};
    options.allow = allow.data();
    options.allow_count = allow.size();
    std::int32_t list[count];
    double scores[count];
    std::size_t length = 0;
    CHECK(kindred_recommend(both.model, 4, nullptr, 0, &options, list, scores, &length) == KINDRED_OK);
    const std::vector<kd::Index> sorted{3, 17, 200};
    check_list(both.als.recommend(4, {.count = count, .filter = {.allow = sorted}}), list, scores, count);
    CHECK(length == 3);

    options = KINDRED_LIST_OPTIONS_INIT;
    options.popularity_penalty = 0.5;
    CHECK(kindred_recommend(both.model, 4, nullptr, 0, &options, list, scores, nullptr) == KINDRED_OK);
    check_list(both.als.recommend(4, {.count = count, .popularity_penalty = 0.5}), list, scores, count);

    options = KINDRED_LIST_OPTIONS_INIT;
    CHECK(kindred_recommend_history(both.model, nullptr, nullptr, 0, &options, list, scores, &length) == KINDRED_OK);
    CHECK(length == 0);
    options.by_popularity = 1;
    CHECK(kindred_recommend_history(both.model, nullptr, nullptr, 0, &options, list, scores, &length) == KINDRED_OK);
    CHECK(length == count);
    const std::vector<kd::Index> users = kd::column_counts(both.train);
    CHECK(scores[0] == *std::max_element(users.begin(), users.end()));
  }

  TEST_CASE("every setting is set, read and unset by its name") {
    const Both both;
    kd::AlsOptions all;
    std::size_t seen = 0;
    kd::detail::visit_fields(all, [&](const char* name, auto& place, const auto&... names) {
      ++seen;
      CAPTURE(name);
      std::string value = "1";
      if constexpr (sizeof...(names) > 0) ((value = names[1]), ...);
      CHECK(kindred_options_set(both.options, name, value.c_str()) == KINDRED_OK);
      char text[64];
      CHECK(kindred_options_get(both.options, name, text, sizeof text) == KINDRED_OK);
      CHECK(text == value);
      CHECK(kindred_options_get(both.options, name, text, value.size()) == KINDRED_INVALID_ARGUMENT);
      CHECK(kindred_options_set(both.options, name, "many") == KINDRED_INVALID_ARGUMENT);
      CHECK(std::string(kindred_last_error()).find(name) != std::string::npos);
      CHECK(kindred_options_get(both.options, name, text, sizeof text) == KINDRED_OK);
      CHECK(text == value);
      const bool may_be_open =
          !std::is_arithmetic_v<std::remove_cvref_t<decltype(place)>> && !std::is_enum_v<std::remove_cvref_t<decltype(place)>>;
      if (!may_be_open) return;
      CHECK(kindred_options_set(both.options, name, "") == KINDRED_OK);
      CHECK(kindred_options_get(both.options, name, text, sizeof text) == KINDRED_OK);
      CHECK(std::strlen(text) == 0);
    });
    CHECK(seen > 20);
    CHECK(kindred_options_set(both.options, "factor", "8") == KINDRED_INVALID_ARGUMENT);
  }

  TEST_CASE("tune, evaluate and files are those of C++") {
    const Both both;
    const kd::TrainTestSplit split = kd::PerUserSplitter({.seed = 3}).split(both.train);
    Matrix train, test;
    REQUIRE(kindred_matrix_split(both.matrix, 0.2, 3, train.out(), test.out()) == KINDRED_OK);
    const std::int64_t* indptr = nullptr;
    const std::int32_t* indices = nullptr;
    const float* values = nullptr;
    CHECK(kindred_matrix_arrays(test, &indptr, &indices, &values) == KINDRED_OK);
    CHECK(std::equal(split.test.offsets().begin(), split.test.offsets().end(), indptr));
    CHECK(std::equal(split.test.columns().begin(), split.test.columns().end(), indices));
    CHECK(std::equal(split.test.values().begin(), split.test.values().end(), values));

    Options tuned;
    REQUIRE(kindred_tune(train, 3, both.options, nullptr, tuned.out()) == KINDRED_OK);
    const kd::AlsOptions wanted = kd::tune(split.train, {.trials = 3, .base = {.factors = 16}}).options;
    char text[64];
    CHECK(kindred_options_get(tuned, "regularization", text, sizeof text) == KINDRED_OK);
    CHECK(text == kd::detail::value_text(*wanted.regularization));

    Model model;
    REQUIRE(kindred_fit(train, both.options, nullptr, model.out()) == KINDRED_OK);
    kd::ImplicitALS<float> als({.factors = 16});
    als.fit(split.train);
    kindred_metrics metrics{};
    metrics.struct_size = sizeof metrics;
    CHECK(kindred_evaluate(model, train, test, 10, nullptr, &metrics) == KINDRED_OK);
    const kd::CutoffReport report = kd::evaluate(als, split.train, split.test).at(10);
    CHECK(metrics.ndcg == report.ndcg.mean);
    CHECK(metrics.ndcg_error == report.ndcg.standard_error);
    CHECK(metrics.hit_rate == report.hit_rate.mean);
    metrics.struct_size = 4;
    CHECK(kindred_evaluate(model, train, test, 10, nullptr, &metrics) == KINDRED_INVALID_ARGUMENT);

    const std::string path = (std::filesystem::temp_directory_path() / "kindred_c_test.kindred").string();
    CHECK(kindred_model_save(model, path.c_str()) == KINDRED_OK);
    Model loaded;
    REQUIRE(kindred_model_load(path.c_str(), loaded.out()) == KINDRED_OK);
    std::filesystem::remove(path);
    std::int32_t list[count];
    double scores[count];
    CHECK(kindred_recommend(loaded, 9, nullptr, 0, nullptr, list, scores, nullptr) == KINDRED_OK);
    check_list(als.recommend(9), list, scores, count);
    Options options;
    CHECK(kindred_model_options(loaded, options.out()) == KINDRED_OK);
    CHECK(kindred_options_get(options, "factors", text, sizeof text) == KINDRED_OK);
    CHECK(std::string(text) == "16");
  }

  TEST_CASE("wrong arguments: a status, a text of this thread, and nothing written") {
    const Both both;
    Matrix matrix;
    const std::vector<std::int64_t> indptr{0, 2, 1};
    const std::vector<std::int32_t> indices{0, 1}, unsorted{1, 0};
    const std::vector<float> values{1.0F, std::numeric_limits<float>::quiet_NaN()}, ones{1.0F, 1.0F};
    CHECK(kindred_matrix_share(2, 2, indptr.data(), indices.data(), ones.data(), matrix.out()) != KINDRED_OK);
    const std::vector<std::int64_t> right{0, 2, 2};
    CHECK(kindred_matrix_share(2, 2, right.data(), unsorted.data(), ones.data(), matrix.out()) == KINDRED_INVALID_ARGUMENT);
    CHECK(kindred_matrix_share(2, 2, right.data(), indices.data(), values.data(), matrix.out()) == KINDRED_INVALID_ARGUMENT);
    CHECK(kindred_matrix_share(-1, 2, right.data(), indices.data(), ones.data(), matrix.out()) == KINDRED_INVALID_ARGUMENT);
    CHECK(kindred_matrix_share(2, 2, nullptr, indices.data(), ones.data(), matrix.out()) == KINDRED_INVALID_ARGUMENT);
    CHECK(kindred_matrix_share(2, 2, right.data(), indices.data(), ones.data(), nullptr) == KINDRED_INVALID_ARGUMENT);
    CHECK(std::string(kindred_last_error()).find("out") != std::string::npos);
    CHECK(kindred_matrix_from_columns(2, 2, indices.data(), nullptr, nullptr, 2, matrix.out()) == KINDRED_INVALID_ARGUMENT);
    CHECK(matrix == nullptr);

    std::int32_t list[count];
    std::fill_n(list, count, 77);
    double scores[count] = {};
    std::size_t length = 99;
    CHECK(kindred_recommend(both.model, -1, nullptr, 0, nullptr, list, scores, &length) == KINDRED_INVALID_ARGUMENT);
    const std::int32_t beyond = 300;
    CHECK(kindred_recommend(both.model, 1, &beyond, 1, nullptr, list, scores, &length) == KINDRED_INVALID_ARGUMENT);
    CHECK(std::string(kindred_last_error()).find("exclude[0]") != std::string::npos);
    CHECK(kindred_recommend(nullptr, 1, nullptr, 0, nullptr, list, scores, &length) == KINDRED_INVALID_ARGUMENT);
    CHECK(kindred_recommend(both.model, 1, nullptr, 0, nullptr, nullptr, scores, &length) == KINDRED_INVALID_ARGUMENT);
    kindred_list_options options = KINDRED_LIST_OPTIONS_INIT;
    options.popularity_penalty = 2.0;
    CHECK(kindred_recommend(both.model, 1, nullptr, 0, &options, list, scores, &length) == KINDRED_INVALID_ARGUMENT);
    options.struct_size = 0;
    CHECK(kindred_recommend(both.model, 1, nullptr, 0, &options, list, scores, &length) == KINDRED_INVALID_ARGUMENT);
    CHECK(kindred_recommend_all(both.model, nullptr, 999, nullptr, nullptr, nullptr, list, scores, nullptr) == KINDRED_INVALID_ARGUMENT);
    CHECK(kindred_recommend_history(both.model, &beyond, nullptr, 1, nullptr, list, scores, &length) == KINDRED_INVALID_ARGUMENT);
    CHECK(std::all_of(list, list + count, [](std::int32_t item) { return item == 77; }));
    CHECK(length == 99);

    Model model;
    Matrix narrow;
    REQUIRE(kindred_matrix_share(2, 2, right.data(), indices.data(), ones.data(), narrow.out()) == KINDRED_OK);
    kindred_metrics metrics{};
    metrics.struct_size = sizeof metrics;
    CHECK(kindred_evaluate(both.model, narrow, narrow, 10, nullptr, &metrics) == KINDRED_SHAPE_ERROR);
    CHECK(kindred_options_set(both.options, "units", "paper") == KINDRED_OK);
    CHECK(kindred_options_set(both.options, "background.ratio", "-1") == KINDRED_OK);
    CHECK(kindred_fit(both.matrix, both.options, nullptr, model.out()) == KINDRED_INVALID_ARGUMENT);
    CHECK(model == nullptr);
    CHECK(std::string(kindred_last_error()).find("background.ratio") != std::string::npos);
    std::string elsewhere = "not empty";
    std::thread([&] { elsewhere = kindred_last_error(); }).join();
    CHECK(elsewhere.empty());
  }
}
