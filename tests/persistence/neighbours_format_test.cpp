// SPDX-License-Identifier: MIT
// Neighbours and blends in files: everything comes back to the byte, mapped or read, and a damaged file is refused.
#include <kindred/persistence/neighbours_format.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/item_neighbours.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"
#include "../support/temporary_file.hpp"
#include "../support/tensor_bytes.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

template <typename Model>
std::string bytes_of_model(const Model& model) {
  std::ostringstream stream;
  kd::save(model, stream);
  return stream.str();
}

template <typename Model>
Model model_from_bytes(const std::string& bytes) {
  std::istringstream stream(bytes);
  return kd::load<Model>(stream);
}

/// 40 users, 64 items, some dislikes.
kd::CsrMatrix opinions() {
  const kd::CsrMatrix likes = kindred_test::random_matrix(40, 64, 0.1, 3);
  std::vector<float> values(likes.values().begin(), likes.values().end());
  for (std::size_t n = 0; n < values.size(); n += 9) values[n] = -values[n];
  return kd::CsrMatrix(likes.shape(), {likes.offsets().begin(), likes.offsets().end()}, {likes.columns().begin(), likes.columns().end()},
                       std::move(values));
}

template <typename Scalar>
kd::BlendedRecommender<Scalar> blend_of_opinions() {
  kd::BlendedOptions options{.weight = 0.375};
  options.factors.factors = 16;
  options.factors.iterations = 2;
  options.neighbours = {.neighbours = 9, .popularity = 0.25, .share_votes = true};
  kd::BlendedRecommender<Scalar> model(options);
  model.fit(opinions());
  return model;
}

/// The data of a tensor of the file, to be changed.
template <typename T>
void change_tensor(std::string& file, const std::string& name, std::size_t entry, T value) {
  kindred_test::Parts parts = kindred_test::parts_of(file);
  const std::size_t at = parts.header.find("\"" + name + "\"");
  REQUIRE(at != std::string::npos);
  const std::size_t offsets = parts.header.find("data_offsets\":[", at) + 15;
  const std::size_t begin = std::stoul(parts.header.substr(offsets));
  std::memcpy(parts.data.data() + begin + entry * sizeof(T), &value, sizeof(T));
  const std::size_t digits = parts.header.find("xxh64\":\"");
  parts.header.replace(digits + 8, 16, 16, '0');
  file = kindred_test::file_of(parts.header, parts.data);
}

}  // namespace

TEST_SUITE("files of neighbours") {
  TEST_CASE("a graph comes back, read and mapped") {
    kd::ItemNeighbours model(
        {.neighbours = 7, .popularity = 0.3, .user_discount = 0.5, .share_votes = true, .curve = kd::Confidence::linear});
    CHECK_FALSE(model_from_bytes<kd::ItemNeighbours>(bytes_of_model(model)).fitted());
    model.fit(opinions());
    model.refit_users(std::vector<kd::Index>{3}, opinions().rows(4, 5));
    const std::string bytes = bytes_of_model(model);
    const kd::ItemNeighbours again = model_from_bytes<kd::ItemNeighbours>(bytes);
    CHECK(bytes_of_model(again) == bytes);
    CHECK(again.options().neighbours == 7);
    CHECK(again.options().curve == kd::Confidence::linear);
    CHECK(again.popularity_scale() == model.popularity_scale());
    const kd::test::TemporaryDirectory directory;
    kd::Mapped<kd::ItemNeighbours> mapped = kd::load_mapped<kd::ItemNeighbours>(directory.file(bytes, "graph"));
    mapped.verify();
    for (const kd::ItemNeighbours* const one : {&again, &std::as_const(mapped.model)}) {
      CHECK(one->shape() == model.shape());
      CHECK(one->recommend_all(kd::every_user) == model.recommend_all(kd::every_user));
      CHECK(one->similar_items(5) == model.similar_items(5));
      CHECK(one->recommend(opinions().row(7)).items == model.recommend(opinions().row(7)).items);
    }
    mapped.model.append_users(opinions().rows(0, 2));  // stays in this process
    CHECK(mapped.model.shape().users == 42);
    CHECK(mapped.model.recommend(41) == model.recommend(1));
  }

  TEST_CASE_TEMPLATE("a blend comes back, read and mapped", Scalar, float, double) {
    const kd::BlendedRecommender<Scalar> model = blend_of_opinions<Scalar>();
    const std::string bytes = bytes_of_model(model);
    const auto again = model_from_bytes<kd::BlendedRecommender<Scalar>>(bytes);
    CHECK(bytes_of_model(again) == bytes);
    CHECK(again.weight() == 0.375);
    const kd::test::TemporaryDirectory directory;
    const auto mapped = kd::load_mapped<kd::BlendedRecommender<Scalar>>(directory.file(bytes, "blend"));
    mapped.verify();
    CHECK(mapped.model.factors().item_factors().is_borrowed());
    for (const kd::BlendedRecommender<Scalar>* const one : {&again, &std::as_const(mapped.model)}) {
      CHECK(one->recommend_all(kd::every_user) == model.recommend_all(kd::every_user));
      CHECK(one->recommend(opinions().row(7)).items == model.recommend(opinions().row(7)).items);
      CHECK(one->popularity_scale() == model.popularity_scale());
      CHECK(one->explain(opinions().row(7), 3).parts == model.explain(opinions().row(7), 3).parts);
    }
    CHECK_FALSE(model_from_bytes<kd::BlendedRecommender<Scalar>>(bytes_of_model(kd::BlendedRecommender<Scalar>())).fitted());
  }

  TEST_CASE("a blend with new items comes back") {
    kd::BlendedRecommender<float> model = blend_of_opinions<float>();
    model.append_items(kindred_test::random_matrix(40, 2, 0.3, 4));
    model.refit_users(std::vector<kd::Index>{3}, kindred_test::random_matrix(1, 66, 0.3, 5));
    const auto again = model_from_bytes<kd::BlendedRecommender<float>>(bytes_of_model(model));
    CHECK(again.shape() == kd::MatrixShape{40, 66});
    CHECK(again.neighbours().shape().items == 64);
    for (const kd::Index u : {2, 3}) {
      const auto list = again.recommend(u, {.count = 66}), wanted = model.recommend(u, {.count = 66});
      REQUIRE(list.size() == wanted.size());
      for (std::size_t n = 0; n < list.size(); ++n) CHECK(list[n].score == doctest::Approx(wanted[n].score).epsilon(1e-4));  // settled
    }
  }

  TEST_CASE("a KeyedRecommender over a blend comes back") {
    const kd::KeyedRecommender shop(blend_of_opinions<float>(), kindred_test::dataset_of(opinions()));
    using Shop = kd::KeyedRecommender<float, kd::BlendedRecommender<float>>;
    const Shop again = model_from_bytes<Shop>(bytes_of_model(shop));
    for (const char* const user : {"u3", "u30"}) {
      const auto wanted = shop.recommend(user).items, found = again.recommend(user).items;
      REQUIRE(found.size() == wanted.size());
      for (std::size_t n = 0; n < found.size(); ++n) CHECK((found[n].key == wanted[n].key && found[n].score == wanted[n].score));
    }
    const std::string bytes = bytes_of_model(shop);
    CHECK_THROWS_WITH_AS((void)model_from_bytes<kd::KeyedRecommender<float>>(bytes), Contains("BlendedKeyedRecommender"), kd::FormatError);
  }

  TEST_CASE("damaged files are refused") {
    const std::string bytes = bytes_of_model(blend_of_opinions<float>());
    const auto refused = [](const std::string& file, const char* words) {
      CHECK_THROWS_WITH_AS((void)model_from_bytes<kd::BlendedRecommender<float>>(file), Contains(words), kd::FormatError);
      const kd::test::TemporaryDirectory directory;
      CHECK_THROWS_WITH_AS((void)kd::load_mapped<kd::BlendedRecommender<float>>(directory.file(file, "blend")), Contains(words),
                           kd::FormatError);
    };
    refused(kindred_test::with_header(bytes, "neighbours.targets", "neighbours.tragets"), "neighbours.targets");
    refused(kindred_test::with_header(bytes, "\\\"blend.weight\\\":0.375", "\\\"blend.weight\\\":-0.37"), "blend.weight");
    refused(kindred_test::with_header(bytes, "\\\"neighbours.neighbours\\\":9", "\\\"neighbours.neighbours\\\":0"), "neighbours");
    const auto changed = [&](const std::string& name, std::size_t entry, auto value) {
      std::string file = bytes;
      change_tensor(file, name, entry, value);
      return file;
    };
    refused(changed("neighbours.targets", 2, kd::Index{64}), "'neighbours' is damaged");
    refused(changed("neighbours.targets", 2, kd::Index{-1}), "'neighbours' is damaged");
    refused(changed("neighbours.offsets", 3, kd::Offset{1} << 40U), "'neighbours' is damaged");
    refused(changed("neighbours.weights", 5, 0.0F), "neighbours.weights");
    refused(changed("neighbours.weights", 5, -1.0F), "neighbours.weights");
    refused(changed("histories.items", 5, kd::Index{64}), "'histories' is damaged");
    refused(changed("histories.votes", 5, 0.0F), "histories.votes");
    refused(changed("neighbours.likes", 1, kd::Index{-2}), "neighbours.likes");
    CHECK_THROWS_WITH_AS((void)model_from_bytes<kd::ItemNeighbours>(bytes), Contains("BlendedRecommender"), kd::FormatError);
    std::string flipped = bytes;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    CHECK_THROWS_AS((void)model_from_bytes<kd::BlendedRecommender<float>>(flipped), kd::FormatError);
  }
}
