// SPDX-License-Identifier: MIT
// Features in model files: maps, names and tables come back, and a damaged file is refused.
#include <kindred/persistence/feature_format.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/keyed_recommender.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/temporary_file.hpp"
#include "../support/tensor_bytes.hpp"

namespace kd = kindred;

namespace {

template <typename Scalar>
std::string featured_bytes(const kd::ImplicitALS<Scalar>& model) {
  std::ostringstream stream;
  kd::save(model, stream);
  return stream.str();
}

template <typename Scalar>
kd::ImplicitALS<Scalar> model_of(const std::string& bytes) {
  std::istringstream stream(bytes);
  return kd::load<kd::ImplicitALS<Scalar>>(stream);
}

kd::FeatureTable people_of(kd::Index rows) {
  std::vector<std::string> country, words;
  std::vector<std::optional<double>> age;
  for (kd::Index r = 0; r < rows; ++r) {
    country.push_back(r % 5 == 0 ? "" : r % 2 == 0 ? "Chad" : "Peru");
    age.push_back(r % 4 == 0 ? std::nullopt : std::optional<double>(20 + r));
    words.push_back(r % 3 == 0 ? "red river" : "river dog dog");
  }
  kd::FeatureTable table(rows);
  table.add_categories("country", country);
  table.add_numbers("age", age);
  table.add_words("bio", words);
  return table;
}

template <typename Scalar>
kd::ImplicitALS<Scalar> with_features() {
  kd::ImplicitALS<Scalar> als(kindred_test::small_als());
  als.fit(kindred_test::random_matrix(30, 20, 0.3, 3),
          {.user_features = people_of(30), .item_features = kd::FeatureTable(kindred_test::random_matrix(20, 7, 0.3, 4))});
  return als;
}

template <typename Scalar>
bool same_features(const kd::ImplicitALS<Scalar>& a, const kd::ImplicitALS<Scalar>& b) {
  for (const auto side : {kd::detail::AlsSide::users, kd::detail::AlsSide::items}) {
    const auto &x = a.features().of(side), &y = b.features().of(side);
    if (!(x.table == y.table) || x.centre != y.centre || x.ridge != y.ridge || x.mean != y.mean) return false;
    for (std::size_t kind = 0; kind < 2; ++kind)
      if (!x.maps[kind].same_bytes(y.maps[kind]) || x.shifts[kind] != y.shifts[kind]) return false;
  }
  return true;
}

}  // namespace

TEST_CASE_TEMPLATE("a model with features comes back from its file", Scalar, float, double) {
  const auto als = with_features<Scalar>();
  const std::string bytes = featured_bytes(als);
  const auto back = model_of<Scalar>(bytes);
  CHECK(same_features(als, back));
  CHECK(featured_bytes(back) == bytes);
  const auto profile = back.user_features().columns().profile({{"country", "Peru"}, {"age", "33"}, {"bio", "dog"}, {"size", "9"}});
  CHECK(profile.unknown == std::vector<std::string>{"size=9"});
  const auto list = back.recommend(kd::History{.features = profile});
  CHECK(list.items == als.recommend(kd::History{.features = profile}).items);
  CHECK(list.source == kd::ListSource::features);
  const kd::test::TemporaryDirectory directory;
  kd::save(als, directory.path("model"));
  const auto mapped = kd::load_mapped<kd::ImplicitALS<Scalar>>(directory.path("model"));
  CHECK(same_features(als, mapped.model));
}

TEST_CASE("a model whose features say nothing, one that was appended to, and one without") {
  kd::ImplicitALS<float> als(kindred_test::small_als());
  const kd::CsrMatrix train = kindred_test::random_matrix(30, 20, 0.3, 3);
  std::vector<std::string> one(20);
  one[3] = "me";
  kd::FeatureTable alone(20);
  alone.add_categories("who", one);
  als.fit(train, {.item_features = alone});
  CHECK(same_features(als, model_of<float>(featured_bytes(als))));

  auto more = with_features<float>();
  more.append_items(kd::CsrMatrix({30, 1}, std::vector<kd::Offset>(31, 0), {}, {}), more.item_features().select(std::vector<kd::Index>{2}));
  const auto settled = more.settled();
  const auto back = model_of<float>(featured_bytes(more));
  CHECK(same_features(settled, back));
  CHECK(back.recommend(1, {.count = 30}) == settled.recommend(1, {.count = 30}));  // the new item is a candidate still

  als.fit(train);
  CHECK(featured_bytes(als).find("features") == std::string::npos);
}

TEST_CASE("a file with damaged features is refused") {
  const auto als = with_features<float>();
  const std::string good = featured_bytes(als);
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& what) {
    std::istringstream stream(kindred_test::with_header(good, from, to));
    CAPTURE(to);
    CHECK_THROWS_WITH_AS((void)kd::load<kd::ImplicitALS<float>>(stream), doctest::Contains(what.c_str()), kd::FormatError);
  };
  refused("\"user_features_map\"", "\"user_features_mop\"", "user_features_");
  refused("\"user_features_centre\"", "\"user_features_center\"", "'user_features_centre' is missing");
  refused("\"item_features_cold_map\"", "\"item_features_cold_mop\"", "'item_features_cold_map' is missing");
  refused("\"item_features_names.ends\"", "\"item_features_names.ende\"", "'item_features_names.ends' is missing");
}
