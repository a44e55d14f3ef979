// SPDX-License-Identifier: MIT
// A factorization machine trained by gradient, under HybridSVD's protocols on MovieLens 1M (Frolov and Oseledets, RecSys 2019): fm_movielens [FOLDER [TRIALS]]
//
// The ids and features of hybridsvd_movielens, pairs of all of them, the loss of BPR, Adam. Settings are drawn at random and chosen by
// MRR@10 under the same protocol inside the train of the first fold (one film of every user; ten users of every hidden film), apart for known and for new
// films; frozen, they are measured on the five folds of the first split. One thread is faster than two at these sizes: set OPENBLAS_NUM_THREADS=1.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include <torch/torch.h>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "../lastfm/stopwatch.hpp"
#include "../random_numbers.hpp"
#include "cases.hpp"
#include "comparison.hpp"
#include "fm.hpp"
#include "hybridsvd.hpp"

namespace {

using namespace compare;

/// The ten highest of a row of scores, less `exclude`.
std::vector<kd::Scored> highest_ten(const torch::Tensor& scores, std::span<const kd::Index> exclude) {
  std::vector<kd::Scored> list;
  const float* const values = scores.data_ptr<float>();
  auto next = exclude.begin();
  for (kd::Index c = 0; c < static_cast<kd::Index>(scores.numel()); ++c) {
    if (next != exclude.end() && *next == c)
      ++next;
    else
      list.push_back({c, values[c]});
  }
  const auto middle = list.begin() + static_cast<std::ptrdiff_t>((std::min)(std::size_t{10}, list.size()));
  std::partial_sort(list.begin(), middle, list.end(), kd::ranks_before);
  list.erase(middle, list.end());
  return list;
}

void add_lists(TopTen& to, const FactorizationMachine& model, const WarmFold& fold) {
  std::vector<std::int64_t> users;
  for (const auto& [user, film] : fold.held) users.push_back(user);
  const torch::Tensor scores = model.scores(users).contiguous();
  for (std::size_t n = 0; n < users.size(); ++n)
    to.add(highest_ten(scores[static_cast<std::int64_t>(n)], fold.train.row(fold.held[n].first).columns), fold.held[n].second);
}

void add_lists(TopTen& to, const FactorizationMachine& model, const ColdFold& fold, const kd::FeatureTable& items) {
  std::vector<kd::Index> films;
  for (const auto& [film, user] : fold.asked) films.push_back(film);
  const torch::Tensor scores = model.scores(items.select(films)).contiguous();
  for (std::size_t n = 0; n < films.size(); ++n) to.add(highest_ten(scores[static_cast<std::int64_t>(n)], {}), fold.asked[n].second);
}

/// Of one thread: other programs take some of the time on the clock.
double processor_seconds() { return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC); }

FmOptions drawn(std::size_t trial) {
  examples::Random random(42, 11, trial);
  FmOptions options;
  options.factors = std::vector<std::int64_t>{32, 64, 128}[random.below(3)];
  options.rate = static_cast<float>(0.0005 * std::pow(6.0, random.uniform()));
  options.penalty = std::pow(10.0, -4.0 + 1.5 * random.uniform());
  options.forget = std::vector{0.0, 0.3, 0.6}[random.below(3)];
  return options;
}

std::string words(const FmOptions& o) {
  char text[200];
  std::snprintf(text, sizeof text, "%lld factors, rate %.2g, penalty %.2g, %.0f %% without ids, %zu epochs",
                static_cast<long long>(o.factors), static_cast<double>(o.rate), o.penalty, 100.0 * o.forget, o.epochs);
  return text;
}

/// The best of `trials` draws, with its epochs. `fit` trains a model with a validation by `lists`.
template <typename Fit, typename Lists>
FmOptions search(std::size_t trials, const Fit& fit, const Lists& lists) {
  FmOptions best;
  double highest = -1.0;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    const study::Stopwatch watch;
    FmOptions options = drawn(trial);
    FactorizationMachine model(options);
    double value = -1.0;
    fit(model, [&](const FactorizationMachine& at) {
      TopTen ten;
      lists(ten, at);
      value = (std::max)(value, ten.ranks.mean());
      std::fprintf(stderr, "  %.4f, %.0f s\n", ten.ranks.mean(), watch.seconds());
      return ten.ranks.mean();
    });
    options.epochs = model.epochs();
    std::fprintf(stderr, "trial %zu: %s: inner MRR@10 %.4f, %.0f s\n", trial + 1, words(options).c_str(), value, watch.seconds());
    if (value > highest) highest = value, best = options;
  }
  return best;
}

void warm(const Movies& movies, std::size_t trials) {
  const WarmFold first = warm_fold(movies.likes, 0, 0), inner = warm_fold(first.train, 100, 0, 1);
  const FmOptions options = search(
      trials, [&](auto& model, const auto& by) { model.fit(inner.train, movies.users, movies.items, by); },
      [&](TopTen& to, const auto& model) { add_lists(to, model, inner); });
  TopTen result;
  for (std::size_t fold = 0; fold < 5; ++fold) {
    const WarmFold data = warm_fold(movies.likes, 0, fold);
    FactorizationMachine model(options);
    const double before = processor_seconds();
    model.fit(data.train, movies.users, movies.items);
    result.fit_seconds.cases.push_back(processor_seconds() - before);
    add_lists(result, model, data);
  }
  print("factorization machine", result);
  std::printf("  %s\n", words(options).c_str());
}

/// Films are rows here and users are ranked.
void cold(const Movies& movies, std::size_t trials) {
  const ColdFold first = cold_fold(movies.likes, movies.items, 0, 0);
  const kd::FeatureTable known = movies.items.select(first.known);
  const ColdFold inner = cold_fold(first.train, known, 100, 0, 10);
  const kd::CsrMatrix inner_films = kd::transpose(inner.train);
  const kd::FeatureTable inner_known = known.select(inner.known);
  const FmOptions options = search(
      trials, [&](auto& model, const auto& by) { model.fit(inner_films, inner_known, movies.users, by); },
      [&](TopTen& to, const auto& model) { add_lists(to, model, inner, known); });
  TopTen result;
  for (std::size_t fold = 0; fold < 5; ++fold) {
    const ColdFold data = cold_fold(movies.likes, movies.items, 0, fold);
    FactorizationMachine model(options);
    const kd::FeatureTable items = movies.items.select(data.known);
    const double before = processor_seconds();
    model.fit(kd::transpose(data.train), items, movies.users);
    result.fit_seconds.cases.push_back(processor_seconds() - before);
    add_lists(result, model, data, movies.items);
  }
  print("factorization machine", result);
  std::printf("  %s\n", words(options).c_str());
}

int program(int argc, char** argv) {
  torch::set_num_threads(1);
  at::globalContext().setFlushDenormal(true);
  const Movies movies = movies_of(data_folder(argc, argv));
  const std::size_t trials = argc > 2 ? static_cast<std::size_t>((std::max)(1, std::atoi(argv[2]))) : 12;
  std::puts("MovieLens 1M, HybridSVD's protocol, known films");
  warm(movies, trials);
  std::puts("  published: factorization machine .1902 / .0826\nnew films");
  cold(movies, trials);
  std::puts("  published: factorization machine .0372 / .0155");
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(program, argc, argv); }
