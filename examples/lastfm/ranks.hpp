// SPDX-License-Identifier: MIT
// The processes that share the study's fits, measurements and search: one, or those of `mpirun -np P lastfm_study ...` where the program was built with MPI
// (-D KINDRED_MPI=ON). All of them go through all steps with the same data; the first one alone prints and writes.
#pragma once

#include <cstddef>
#include <string>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/tuning/random_search.hpp>

namespace study {

/// Exists once, from before anything else until after it.
class Ranks {
 public:
  Ranks(int* argc, char*** argv);
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  ~Ranks();
};

[[nodiscard]] std::size_t rank_count() noexcept;
[[nodiscard]] bool is_first_rank() noexcept;
/// Until all ranks are here.
void wait_for_all();
/// An error that ends this rank ends the others, which may be waiting for it. Returns where there are none.
void end_all(int code);

using AlsFit = kindred::ImplicitALS<float>::FitOptions;

kindred::FitReport fit(kindred::ImplicitALS<float>& model, const kindred::CsrView& train, const AlsFit& options);
kindred::FitReport fit_with_checkpoints(kindred::ImplicitALS<float>& model, const kindred::CsrView& train, const std::string& path,
                                        const AlsFit& options);
[[nodiscard]] kindred::RankingReport measure(const kindred::ImplicitALS<float>& model, const kindred::CsrView& train,
                                             const kindred::CsrView& test, kindred::EvaluateOptions options);
[[nodiscard]] kindred::RankingReport measure(const kindred::PopularityRecommender& model, const kindred::CsrView& train,
                                             const kindred::CsrView& test, kindred::EvaluateOptions options);
[[nodiscard]] kindred::SearchResult search_settings(const kindred::CsrView& train, const kindred::CsrView& validation,
                                                    const kindred::SearchSpace& space, const kindred::RandomSearchOptions& options);

}  // namespace study
