// SPDX-License-Identifier: MIT
// What python_test.py compares with: reference FOLDER writes a matrix and what the library in C++ makes of it, as plain arrays of the machine.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <kindred/kindred.hpp>

#include "../support/als_instances.hpp"

namespace kd = kindred;

namespace {

template <typename T>
void write(const std::string& path, std::span<const T> values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  if (!file.flush()) throw kd::IoError(path, "writing", 0);
}

/// Ten places a list, -1 beyond its end.
void write_lists(const std::string& path, const std::vector<std::vector<kd::Scored>>& lists) {
  std::vector<std::int32_t> items;
  std::vector<double> scores;
  for (const std::vector<kd::Scored>& list : lists) {
    for (std::size_t n = 0; n < 10; ++n) {
      items.push_back(n < list.size() ? list[n].item : -1);
      scores.push_back(n < list.size() ? list[n].score : 0.0);
    }
  }
  write<std::int32_t>(path + ".items", items);
  write<double>(path + ".scores", scores);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return std::fputs("usage: reference FOLDER\n", stderr), 2;
  const std::string folder = std::string(argv[1]) + "/";
  const kd::CsrMatrix plays = kd::synthetic_listening({.users = 1'000, .items = 300, .items_per_user = 20}).matrix;
  write(folder + "indptr", plays.offsets());
  write(folder + "indices", plays.columns());
  write(folder + "values", plays.values());
  const kd::TrainTestSplit split = kd::PerUserSplitter().split(plays);
  write(folder + "train.indices", split.train.columns());

  kd::ImplicitALS<float> als({.factors = 16});
  als.fit(plays);
  std::vector<float> factors;
  for (kd::Index i = 0; i < plays.cols(); ++i)
    factors.insert(factors.end(), als.item_factors().row(i).begin(), als.item_factors().row(i).end());
  write<float>(folder + "item_factors", factors);
  std::vector<std::vector<kd::Scored>> lists, histories, similar;
  std::vector<float> folded;
  for (kd::Index u = 0; u < plays.rows(); ++u) {
    lists.push_back(als.recommend(u, {.exclude = plays.row(u)}));
    histories.push_back(als.recommend(plays.row(u), {.exclude = plays.row(u)}).items);
    const std::vector<float> own = als.fold_in(plays.row(u));
    folded.insert(folded.end(), own.begin(), own.end());
  }
  for (kd::Index i = 0; i < plays.cols(); ++i) similar.push_back(als.similar_items(i));
  write_lists(folder + "lists", lists);
  write_lists(folder + "histories", histories);
  write_lists(folder + "similar", similar);
  write<float>(folder + "folded", folded);
  kd::ImplicitALS<float> of_train({.factors = 16});
  of_train.fit(split.train);
  const std::vector<double> figures{kd::evaluate(of_train, split.train, split.test).at(10).ndcg.mean};
  write<double>(folder + "ndcg", figures);
} catch (const std::exception& error) {
  std::fprintf(stderr, "reference: %s\n", error.what());
  return 1;
}
