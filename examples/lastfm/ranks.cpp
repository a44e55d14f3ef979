// SPDX-License-Identifier: MIT
#include "ranks.hpp"

#include <optional>
#include <utility>

#include <kindred/persistence/checkpoint.hpp>

#if defined(KINDRED_STUDY_MPI)
#include <kindred/distributed/checkpoint.hpp>
#include <kindred/distributed/evaluate.hpp>
#include <kindred/distributed/fit.hpp>
#include <kindred/distributed/mpi_communicator.hpp>
#include <kindred/distributed/search.hpp>
#endif

namespace kd = kindred;

namespace study {

#if defined(KINDRED_STUDY_MPI)

namespace {

std::optional<kd::MpiCommunicator> communicator;  // between MPI_Init and MPI_Finalize

template <kd::RecommenderModel Model>
kd::RankingReport measure_together(const Model& model, const kd::CsrView& train, const kd::CsrView& test, kd::EvaluateOptions options) {
  if (rank_count() == 1) return kd::evaluate(model, train, test, options);
  options.progress = {};  // no rank knows how far the others are
  return kd::evaluate_distributed(*communicator, model, train, test, options);
}

}  // namespace

Ranks::Ranks(int* argc, char*** argv) {
  MPI_Init(argc, argv);
  communicator.emplace();
}
Ranks::~Ranks() {
  communicator.reset();
  MPI_Finalize();
}
std::size_t rank_count() noexcept { return communicator ? communicator->size() : 1; }
bool is_first_rank() noexcept { return !communicator || communicator->rank() == 0; }
void wait_for_all() {
  if (rank_count() > 1) communicator->barrier();
}
void end_all(int code) {
  if (rank_count() > 1) MPI_Abort(MPI_COMM_WORLD, code);
}

kd::FitReport fit(kd::ImplicitALS<float>& model, const kd::CsrView& train, const AlsFit& options) {
  return kd::fit_distributed(*communicator, model, train, options);
}
kd::FitReport fit_with_checkpoints(kd::ImplicitALS<float>& model, const kd::CsrView& train, const std::string& path,
                                   const AlsFit& options) {
  return kd::fit_distributed_with_checkpoints(*communicator, model, train, path, {}, options);
}
kd::RankingReport measure(const kd::ImplicitALS<float>& model, const kd::CsrView& train, const kd::CsrView& test,
                          kd::EvaluateOptions options) {
  return measure_together(model, train, test, std::move(options));
}
kd::RankingReport measure(const kd::PopularityRecommender& model, const kd::CsrView& train, const kd::CsrView& test,
                          kd::EvaluateOptions options) {
  return measure_together(model, train, test, std::move(options));
}
kd::SearchResult search_settings(const kd::CsrView& train, const kd::CsrView& validation, const kd::SearchSpace& space,
                                 const kd::RandomSearchOptions& options) {
  return kd::random_search_distributed(*communicator, train, validation, space, options);
}

#else

Ranks::Ranks(int*, char***) {}
Ranks::~Ranks() = default;
std::size_t rank_count() noexcept { return 1; }
bool is_first_rank() noexcept { return true; }
void wait_for_all() {}
void end_all(int) {}

kd::FitReport fit(kd::ImplicitALS<float>& model, const kd::CsrView& train, const AlsFit& options) { return model.fit(train, options); }
kd::FitReport fit_with_checkpoints(kd::ImplicitALS<float>& model, const kd::CsrView& train, const std::string& path,
                                   const AlsFit& options) {
  return kd::fit_with_checkpoints(model, train, path, {}, options);
}
kd::RankingReport measure(const kd::ImplicitALS<float>& model, const kd::CsrView& train, const kd::CsrView& test,
                          kd::EvaluateOptions options) {
  return kd::evaluate(model, train, test, options);
}
kd::RankingReport measure(const kd::PopularityRecommender& model, const kd::CsrView& train, const kd::CsrView& test,
                          kd::EvaluateOptions options) {
  return kd::evaluate(model, train, test, options);
}
kd::SearchResult search_settings(const kd::CsrView& train, const kd::CsrView& validation, const kd::SearchSpace& space,
                                 const kd::RandomSearchOptions& options) {
  return kd::random_search(train, validation, space, options);
}

#endif

}  // namespace study
