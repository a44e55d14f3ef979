// SPDX-License-Identifier: MIT
// The benchmark of the cmfrec project on Last.fm 360K: lastfm_360k [FILE]
//
// Raw play counts as weights, factors 50, lambda 5, 15 iterations; 10,000 random users with 30 % of their artists held out. Published there (P@10 / MAP): implicit
// 0.1701 / 0.1210 with conjugate gradients, 0.1703 / 0.1212 exact; cmfrec 0.1697 / 0.1214 and 0.1701 / 0.1218.
#include <cstdio>
#include <string>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "table.hpp"

namespace kd = kindred;

namespace {

int run(int argc, char** argv) {
  const std::string file = argc > 1 ? argv[1] : "usersha1-artmbid-artname-plays.tsv";
  if (!reproduce::have(
          file,
          "Get lastfm-dataset-360K.tar.gz from http://ocelma.net/MusicRecommendationDataset/lastfm-360K.html and name its plays file."))
    return 2;
  const kd::Dataset plays = kd::read_lastfm_360k(file);
  std::printf("%lld interactions of %d users and %d artists (the full file has 17,309,518 of 358,858 and 160,112)\n",
              static_cast<long long>(plays.matrix.nnz()), plays.matrix.rows(), plays.matrix.cols());
  const kd::TrainTestSplit split =
      kd::PerUserSplitter({.test_fraction = 0.3, .test_users = (std::min)(kd::Index{10'000}, plays.matrix.rows()), .seed = 1})
          .split(plays.matrix);

  reproduce::print_header("10");
  for (const kd::Solver solver : {kd::Solver::conjugate_gradient, kd::Solver::cholesky}) {
    kd::AlsOptions options{.factors = 50, .regularization = 5.0, .iterations = 15, .units = kd::Units::paper, .confidence = {.alpha = 1.0}};
    options.confidence.base = 0.0;  // the count itself is the weight
    options.start.kind = kd::Start::uniform;
    options.solver.kind = solver;
    kd::ImplicitALS<float> als(options);
    const double seconds = als.fit(split.train).seconds;
    reproduce::Row row{.name = solver == kd::Solver::cholesky ? "ImplicitALS, exact" : "ImplicitALS, 3 conjugate-gradient steps"};
    row.add(kd::evaluate(als, split.train, split.test, {.cutoffs = {10}}).at(10));
    reproduce::print(row);
    std::fprintf(stderr, "fitted in %.1f s\n", seconds);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(run, argc, argv); }
