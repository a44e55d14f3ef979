// SPDX-License-Identifier: MIT
// Files of the first version that wrote each kind: they are read, or refused by a text that names the version. tests/persistence/formats holds them, all of
// ann Can 3, ann Neu 1, bob Can 2, cat Neu 5, cat Faust 1, bob Faust 4, with 2 factors, 3 iterations and seed 7.
#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/persistence/checkpoint.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/temporary_file.hpp"

namespace kd = kindred;

namespace {

const std::string formats = KINDRED_TEST_FORMATS "/";

kd::CsrMatrix plays_of_formats() {
  const std::vector<kd::Interaction> plays = {{0, 0, 3}, {0, 1, 1}, {1, 0, 2}, {1, 2, 4}, {2, 1, 5}, {2, 2, 1}};
  return kd::CsrMatrix::from_triplets({3, 3}, plays);
}

void check_model_of_formats(const kd::ImplicitALS<float>& model) {
  CHECK(model.shape() == kd::MatrixShape{3, 3});
  CHECK(model.options().factors == 2);
  CHECK(model.options().iterations == 3);
  CHECK(model.options().seed == 7);
  CHECK(model.options().units == kd::Units::paper);
  CHECK(model.options().background.weight.has_value());
  CHECK(model.item_factors().row(0)[0] == -0.146157295F);
  CHECK(model.item_factors().row(0)[1] == 0.0470958874F);
}

}  // namespace

TEST_SUITE("formats") {
  TEST_CASE("format 1: models, and the lists that they give") {
    const auto als = kd::load<kd::ImplicitALS<float>>(formats + "als.safetensors");
    check_model_of_formats(als);
    check_model_of_formats(kd::load_mapped<kd::ImplicitALS<float>>(formats + "als.safetensors").model);
    const auto recommender = kd::load<kd::KeyedRecommender<float>>(formats + "recommender.safetensors");
    CHECK(recommender.recommend("ann").items.at(0).key == "Faust");
    const auto popular = kd::load<kd::PopularityRecommender>(formats + "popularity.safetensors");
    CHECK(popular.recommend(1).at(0).item == 1);  // Neu, 6 plays
  }

  TEST_CASE("format 1: a checkpoint of another version is refused by that version, and can be gone on from") {
    const kd::test::TemporaryDirectory directory;
    std::ifstream stream(formats + "checkpoint.safetensors", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    const std::string path = directory.file(bytes, "checkpoint");
    kd::AlsOptions options = kd::load<kd::ImplicitALS<float>>(formats + "als.safetensors").options();
    options.iterations = 5;
    kd::ImplicitALS<float> als(options);
    CHECK_THROWS_WITH_AS(kd::fit_with_checkpoints(als, plays_of_formats().view(), path), doctest::Contains("of another build (0.1.0, "),
                         kd::FormatError);
    const kd::FitReport report = kd::fit_with_checkpoints(als, plays_of_formats().view(), path, {.other_build = kd::OtherBuild::accept});
    CHECK(report.iterations.size() == 3);  // after the two of the checkpoint
  }

  TEST_CASE("a newer format is refused by its number, in every kind of file") {
    const kd::test::TemporaryDirectory directory;
    const auto newer = [&](const std::string& name) {
      std::ifstream stream(formats + name, std::ios::binary);
      std::string bytes{std::istreambuf_iterator<char>(stream), {}};
      for (const std::string entry : {"\"kindred.format\":\"1\"", "\"kindred.format\": \"1\""})
        if (const std::size_t at = bytes.find(entry); at != std::string::npos) bytes[at + entry.size() - 2] = '2';
      return directory.file(bytes, name);
    };
    const std::string version =
        std::to_string(KINDRED_VERSION_MAJOR) + "." + std::to_string(KINDRED_VERSION_MINOR) + "." + std::to_string(KINDRED_VERSION_PATCH);
    const std::string words = "it is of format '2'; this version (" + version + ") reads format 1, and the file is newer";
    const auto says = doctest::Contains(words.c_str());
    CHECK_THROWS_WITH_AS((void)kd::load<kd::ImplicitALS<float>>(newer("als.safetensors")), says, kd::FormatError);
    CHECK_THROWS_WITH_AS((void)kd::load_mapped<kd::ImplicitALS<float>>(newer("als.safetensors")), says, kd::FormatError);
    CHECK_THROWS_WITH_AS((void)kd::load<kd::KeyedRecommender<float>>(newer("recommender.safetensors")), says, kd::FormatError);
    CHECK_THROWS_WITH_AS((void)kd::load<kd::PopularityRecommender>(newer("popularity.safetensors")), says, kd::FormatError);
    kd::ImplicitALS<float> als({.factors = 2, .units = kd::Units::paper});
    CHECK_THROWS_WITH_AS(kd::fit_with_checkpoints(als, plays_of_formats().view(), newer("checkpoint.safetensors")), says, kd::FormatError);
  }
}
