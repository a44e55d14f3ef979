// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <kindred/data/csr_view.hpp>
#include <kindred/distributed/team.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/tuning/random_search.hpp>

namespace kindred_test {

/// als.fit(train, fit) by all ranks of `communicator`.
template <typename C, typename Scalar, typename Source>
kindred::FitReport fit_by_ranks(C& communicator, kindred::ImplicitALS<Scalar>& als, const Source& train,
                                typename kindred::ImplicitALS<Scalar>::FitOptions fit = {}) {
  const kindred::CommunicatorTeam team(communicator);
  fit.team = &team;
  return als.fit(train, fit);
}

/// evaluate(model, train, test, options) by all ranks.
template <typename C, typename Model, typename Train, typename Test>
kindred::RankingReport evaluate_by_ranks(C& communicator, const Model& model, const Train& train, const Test& test,
                                         kindred::EvaluateOptions options = {}) {
  const kindred::CommunicatorTeam team(communicator);
  options.team = &team;
  return kindred::evaluate(model, train, test, options);
}

/// random_search(train, validation, space, options) by all ranks.
template <typename C>
kindred::SearchResult search_by_ranks(C& communicator, const kindred::CsrView& train, const kindred::CsrView& validation,
                                      const kindred::SearchSpace& space, kindred::RandomSearchOptions options = {}) {
  const kindred::CommunicatorTeam team(communicator);
  options.team = &team;
  return kindred::random_search(train, validation, space, options);
}

}  // namespace kindred_test
