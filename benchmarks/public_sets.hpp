// SPDX-License-Identifier: MIT
// The public data sets that settings are judged on, as matrices, from a folder that holds them under their usual names.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/filters.hpp>
#include <kindred/data/synthetic.hpp>
#include <kindred/io/hetrec.hpp>
#include <kindred/split/per_user_splitter.hpp>

#include "../examples/compare/movies.hpp"

namespace public_sets {

namespace kd = kindred;

/// A data set, split where its publishers split it.
struct PublicSet {
  std::string name;
  kd::CsrMatrix all;
  kd::CsrMatrix test;  // 0 x 0 where there is no published split
};

using compare::ratings_of;
using compare::text_of;

/// `matrix` with 1 for every value of at least `least`; the others are left out.
[[nodiscard]] inline kd::CsrMatrix ones_of(const kd::CsrView& matrix, float least = 0.0F) {
  std::vector<kd::Interaction> kept;
  for (kd::Index u = 0; u < matrix.rows(); ++u)
    for (std::size_t n = 0; n < matrix.row(u).size(); ++n)
      if (matrix.row(u).values[n] >= least) kept.push_back({u, matrix.row(u).columns[n], 1.0F});
  return kd::CsrMatrix::from_triplets(matrix.shape(), kept);
}

/// Lines "item item ..." of one user each; `first` words of a line are no items.
[[nodiscard]] inline kd::CsrMatrix lists_of(const std::string& text, kd::MatrixShape shape, std::size_t first, bool first_is_user) {
  std::vector<kd::Interaction> pairs;
  std::istringstream lines(text);
  std::string line;
  for (kd::Index user = 0; std::getline(lines, line); ++user) {
    std::istringstream words(line);
    kd::Index word = 0, row = user;
    for (std::size_t n = 0; words >> word; ++n) {
      if (n < first) {
        if (first_is_user) row = word;
        continue;
      }
      pairs.push_back({row, word, 1.0F});
    }
  }
  return kd::CsrMatrix::from_triplets(shape, pairs);
}

/// Rows of numbers with `separator` between them, 0 for none.
[[nodiscard]] inline kd::CsrMatrix dense_of(const std::string& text, char separator) {
  std::vector<kd::Interaction> cells;
  std::istringstream lines(text);
  std::string line, word;
  kd::MatrixShape shape{};
  for (; std::getline(lines, line); ++shape.users) {
    std::istringstream words(line);
    kd::Index item = 0;
    for (; std::getline(words, word, separator); ++item)
      if (const float value = std::stof(word); value != 0.0F) cells.push_back({shape.users, item, value});
    shape.items = std::max(shape.items, item);
  }
  return kd::CsrMatrix::from_triplets(shape, cells);
}

[[nodiscard]] inline kd::CsrMatrix tafeng_of(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  std::vector<kd::Interaction> bought;
  kd::MatrixShape shape{0, 11'997};
  for (const auto& baskets : json) {
    for (const auto& basket : baskets)
      for (const auto& item : basket) bought.push_back({shape.users, item.get<kd::Index>(), 1.0F});
    ++shape.users;
  }
  return kd::CsrMatrix::from_triplets(shape, bought);
}

/// Calls `body(set)` for each set that `folder` has, one at a time.
inline void for_each_set(const std::string& folder, const std::string& only, const std::function<void(const PublicSet&)>& body) {
  const auto show = [&](const std::string& name, const std::function<PublicSet()>& read) {
    if (!only.empty() && ("," + only + ",").find("," + name + ",") == std::string::npos) return;
    PublicSet set = read();
    set.name = name;
    body(set);
  };
  const auto hetrec = [&] {
    return kd::filter_active(kd::read_hetrec2011_lastfm(folder + "/hetrec2011-lastfm-2k/user_artists.dat")).matrix;
  };
  const auto ml_1m = [&](float least) { return ones_of(ratings_of(text_of(folder + "/ml-1m/ratings.dat.gz")), least); };
  const auto tafeng = [&] { return tafeng_of(text_of(folder + "/tafeng/tafeng_merged.json")); };
  show("hetrec-counts", [&] { return PublicSet{{}, hetrec(), {}}; });
  show("hetrec-ones", [&] { return PublicSet{{}, ones_of(hetrec()), {}}; });
  show("ml-1m-clicks", [&] { return PublicSet{{}, ml_1m(0.0F), {}}; });
  show("ml-1m-4", [&] { return PublicSet{{}, ml_1m(4.0F), {}}; });
  show("gowalla", [&] {
    const kd::MatrixShape shape{29'858, 40'981};
    return PublicSet{{},
                     lists_of(text_of(folder + "/gowalla/gowalla_train.txt.gz"), shape, 1, true),
                     lists_of(text_of(folder + "/gowalla/gowalla_test.txt.gz"), shape, 1, true)};
  });
  show("citeulike-a", [&] { return PublicSet{{}, lists_of(text_of(folder + "/citeulike-a/users.dat"), {5'551, 16'980}, 1, false), {}}; });
  show("lastfm-1k", [&] { return PublicSet{{}, dense_of(text_of(folder + "/lastfm-1k/lcvi_playcounts_dense.csv"), ','), {}}; });
  show("tafeng-counts", [&] { return PublicSet{{}, tafeng(), {}}; });
  show("tafeng-clicks", [&] { return PublicSet{{}, ones_of(tafeng()), {}}; });
  show("coat-4", [&] { return PublicSet{{}, ones_of(dense_of(text_of(folder + "/coat/train.ascii"), ' '), 4.0F), {}}; });
  show("synthetic", [&] {
    return PublicSet{{}, kd::synthetic_listening({.users = 6'000, .items = 9'000, .items_per_user = 40}).matrix, {}};
  });
}

/// Train and test of a set: the published split, or 80/20 of each user's items.
[[nodiscard]] inline kd::TrainTestSplit split_of(const PublicSet& set, std::uint64_t seed) {
  if (set.test.rows() > 0) return {set.all, set.test};
  return kd::PerUserSplitter({.test_fraction = 0.2, .seed = seed}).split(set.all);
}

}  // namespace public_sets
