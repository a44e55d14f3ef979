// SPDX-License-Identifier: MIT
// NeuMF trained here, under its own protocol on MovieLens 1M (He et al., WWW 2017): neumf_movielens [FOLDER [SECONDS]]
//
// Parts by Adam, both together by plain gradient descent from their weights, four fresh negatives for each positive, binary cross entropy. Settings, and the
// epoch that each part ends with, are chosen by NDCG@10 on an inner split of train (ncf.hpp), never on the test films; the model is then trained on all of
// train for as many epochs. The authors took the best epoch on the test films. The search ends with the first trial after SECONDS of one processor: 7,200,
// an hour of two, if not said.
// One thread is faster than two at these sizes: set OPENBLAS_NUM_THREADS=1.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "../guarded.hpp"
#include "comparison.hpp"
#include "ncf.hpp"
#include "neumf.hpp"

namespace {

using namespace compare;

/// The paper's settings for each number of factors, then draws from its grid, as many trials in all as ALS has.
std::vector<NeumfOptions> trials_of() {
  std::vector<NeumfOptions> trials;
  for (const std::int64_t factors : {16, 8, 32, 64}) trials.push_back({.factors = factors});
  examples::Random random(42, 9);
  while (trials.size() < ncf_trials) {
    NeumfOptions drawn;
    drawn.factors = std::int64_t{8} << random.below(4);
    drawn.batch = std::size_t{128} << random.below(4);
    drawn.rate = std::vector{0.0001F, 0.0005F, 0.001F, 0.005F}[random.below(4)];
    trials.push_back(drawn);
  }
  return trials;
}

std::string words(const NeumfOptions& o) {
  char text[200];
  std::snprintf(text, sizeof text, "%lld factors, batch %zu, rate %.4g, %zu + %zu + %zu epochs", static_cast<long long>(o.factors), o.batch,
                static_cast<double>(o.rate), o.epochs[0], o.epochs[1], o.epochs[2]);
  return text;
}

/// The best setting with its epochs; how many were tried.
std::pair<NeumfOptions, std::size_t> search(const InnerSplit& inner, double limit) {
  const auto processor_seconds = [] { return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC); };
  const double start = processor_seconds();
  NeumfOptions best;
  double highest = -1.0;
  std::size_t tried = 0;
  for (const NeumfOptions& options : trials_of()) {
    if (processor_seconds() - start > limit) break;
    const double before = processor_seconds();
    Neumf model(options);
    model.fit(inner.train, [&](const Neumf& at) { return inner_ndcg(at, inner); });
    const double value = inner_ndcg(model, inner);
    NeumfOptions chosen = options;
    chosen.epochs = model.epochs();
    std::fprintf(stderr, "trial %zu: %s: inner NDCG@10 %.4f, %.0f s\n", ++tried, words(chosen).c_str(), value,
                 processor_seconds() - before);
    if (value > highest) {
      highest = value;
      best = chosen;
    }
  }
  return {best, tried};
}

int program(int argc, char** argv) {
  torch::set_num_threads(1);
  at::globalContext().setFlushDenormal(true);
  const NcfProtocol data = read_ncf(data_folder(argc, argv));
  const InnerSplit inner = inner_split(data.train, 42);
  std::printf("MovieLens 1M, NCF's protocol: %d users, %lld pairs in train, one film among 100\n\n", data.train.rows(),
              static_cast<long long>(data.train.nnz()));
  std::vector<Row> rows;
  const auto measure = [&](const auto& model) { return hits_and_ndcg(model, data.train, data.test); };
  const kd::AlsOptions chosen = tuned_als(inner);
  kd::ImplicitALS<float> als(chosen);
  rows.push_back(measured("ALS, tuned under this protocol", als, data.train, measure,
                          compare::words(chosen) + "; the best of " + std::to_string(ncf_trials)));
  const auto [options, tried] = search(inner, argc > 2 ? std::atof(argv[2]) : 7200.0);
  Neumf neumf(options);
  rows.push_back(measured("NeuMF, trained here", neumf, data.train, measure, words(options) + "; the best of " + std::to_string(tried)));
  add_published_ncf(rows);
  print({"HR@10", "NDCG@10"}, rows);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(program, argc, argv); }
