// SPDX-License-Identifier: MIT
#include "ranks.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <kindred/persistence/checkpoint.hpp>

#if defined(KINDRED_STUDY_MPI)
#include <kindred/distributed/mpi_communicator.hpp>
#include <kindred/distributed/team.hpp>
#endif

namespace kd = kindred;

namespace study {

#if defined(KINDRED_STUDY_MPI)

namespace {

std::optional<kd::MpiCommunicator> communicator;  // between MPI_Init and MPI_Finalize
std::optional<kd::CommunicatorTeam<kd::MpiCommunicator>> team;

/// The options with the team of this run, if there are several ranks.
template <typename Options>
Options by_all(Options options) {
  if (rank_count() > 1) options.team = &*team;
  return options;
}

}  // namespace

Ranks::Ranks(int* argc, char*** argv) {
  MPI_Init(argc, argv);
  team.emplace(communicator.emplace());
}
Ranks::~Ranks() {
  team.reset();
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

#else

namespace {

template <typename Options>
Options by_all(Options options) {
  return options;
}

}  // namespace

Ranks::Ranks(int*, char***) {}
Ranks::~Ranks() = default;
std::size_t rank_count() noexcept { return 1; }
bool is_first_rank() noexcept { return true; }
void wait_for_all() {}
void end_all(int) {}

#endif

kd::FitReport fit(kd::ImplicitALS<float>& model, const kd::CsrView& train, const AlsFit& options) {
  return model.fit(train, by_all(options));
}
kd::FitReport fit_with_checkpoints(kd::ImplicitALS<float>& model, const kd::CsrView& train, const std::string& path,
                                   const AlsFit& options) {
  return kd::fit_with_checkpoints(model, train, path, {}, by_all(options));
}
kd::RankingReport measure(const kd::ImplicitALS<float>& model, const kd::CsrView& train, const kd::CsrView& test,
                          kd::EvaluateOptions options) {
  if (rank_count() > 1) options.progress = {};  // no rank knows how far the others are
  return kd::evaluate(model, train, test, by_all(std::move(options)));
}
kd::RankingReport measure(const kd::PopularityRecommender& model, const kd::CsrView& train, const kd::CsrView& test,
                          kd::EvaluateOptions options) {
  if (rank_count() > 1) options.progress = {};
  return kd::evaluate(model, train, test, by_all(std::move(options)));
}
kd::SearchResult search_settings(const kd::CsrView& train, const kd::CsrView& validation, const kd::SearchSpace& space,
                                 const kd::RandomSearchOptions& options) {
  return kd::random_search(train, validation, space, by_all(options));
}

}  // namespace study
