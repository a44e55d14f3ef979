// SPDX-License-Identifier: MIT
// MovieLens 1M with what is known of people and films.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <kindred/kindred.hpp>

#include "comparison.hpp"

namespace compare {

namespace kd = kindred;
using Kind = kd::FeatureColumns::Kind;

inline constexpr const char* movielens = "Get ml-1m.zip from https://grouplens.org/datasets/movielens/1m/ and put its files into ml-1m.";

/// Lines "user::item::rating", ids from 1.
[[nodiscard]] inline kd::CsrMatrix ratings_of(const std::string& text) {
  std::vector<kd::Interaction> ratings;
  kd::MatrixShape shape{};
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    kd::Index user = 0, item = 0;
    float rating = 0.0F;
    if (std::sscanf(line.c_str(), "%d::%d::%f", &user, &item, &rating) != 3) continue;
    ratings.push_back({user - 1, item - 1, rating});
    shape = {std::max(shape.users, user), std::max(shape.items, item)};
  }
  return kd::CsrMatrix::from_triplets(shape, ratings);
}

/// MovieLens 1M as in HybridSVD: ratings of 4 and more of movies with metadata, users and items renumbered.
struct Movies {
  kd::CsrMatrix likes;
  kd::FeatureTable users, items;
};

inline kd::FeatureTable metadata_of(const std::string& folder) {
  const kd::DelimitedFormat format{.separator = ";", .header = kd::DelimitedFormat::Header::first_line, .user = "movieid"};
  return kd::read_features(file_of(folder, "ml-1m/meta_info_ml1m.csv", "Get it from https://github.com/evfro/recsys19_hybridsvd."), format,
                           {{"cast", "cast", Kind::list, ","},
                            {"director", "director", Kind::list, ","},
                            {"writer", "writer", Kind::list, ","},
                            {"genres", "genre", Kind::list, ","}});
}

inline Movies movies_of(const std::string& folder) {
  const kd::FeatureTable meta = metadata_of(folder);
  const kd::CsrMatrix ratings = ratings_of(text_of(file_of(folder, "ml-1m/ratings.dat.gz", movielens)));
  std::vector<std::string> users, items;
  for (kd::Index u = 0; u < ratings.rows(); ++u) {
    for (std::size_t n = 0; n < ratings.row(u).size(); ++n) {
      const std::string item = std::to_string(ratings.row(u).columns[n] + 1);
      if (ratings.row(u).values[n] < 4.0F || !meta.keys().find(item)) continue;
      users.push_back(std::to_string(u + 1));
      items.push_back(item);
    }
  }
  kd::Dataset data = kd::Dataset::from_columns(users, items);
  return {data.matrix, kd::read_movielens_features(file_of(folder, "ml-1m/users.dat", movielens)).join(data.users).table,
          meta.join(data.items).table};
}

/// The settings of that protocol, chosen on inner splits of train for the plain model.
inline kd::AlsOptions movie_options() {
  kd::AlsOptions o{.factors = 128, .regularization = 0.0141 * 3.6, .iterations = 8};
  o.confidence.curve = kd::Confidence::one;
  o.confidence.popularity_damping = 0.039;
  o.background.ratio = 2.6;
  o.background.item_exponent = 0.059;
  o.start.kind = kd::Start::normal;  // which the settings were chosen with
  return o;
}

}  // namespace compare
