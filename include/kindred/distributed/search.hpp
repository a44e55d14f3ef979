// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <span>

#include <kindred/core/error.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/distributed/agreement.hpp>
#include <kindred/distributed/communicator.hpp>
#include <kindred/distributed/evaluate.hpp>
#include <kindred/distributed/fit.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/tuning/random_search.hpp>

namespace kindred::inline v0 {

namespace detail {

/// How a search fits, measures and asks: with all ranks.
template <Communicator C>
struct SearchTogether {
  C& communicator;

  template <Real Scalar>
  FitReport fit(ImplicitALS<Scalar>& model, const CsrView& train, const typename ImplicitALS<Scalar>::FitOptions& options) {
    return fit_distributed(communicator, model, train, options);
  }
  template <Real Scalar>
  RankingReport measure(const ImplicitALS<Scalar>& model, const CsrView& train, const CsrView& validation, const EvaluateOptions& options) {
    return evaluate_distributed(communicator, model, train, validation, options);
  }
  /// Rank 0 answers for all.
  ProgressAnswer ask(const ProgressCallback& callback, const Progress& progress) {
    auto answer = static_cast<std::uint8_t>(ProgressAnswer::keep_going);
    Agreement<C>(communicator).on([&] {
      if (communicator.rank() == 0) answer = static_cast<std::uint8_t>(callback(progress));
    });
    communicator.broadcast(std::as_writable_bytes(std::span(&answer, 1)), 0);
    return static_cast<ProgressAnswer>(answer);
  }
  void agree(const std::exception_ptr& error) { Agreement<C>{communicator}(error); }
};

/// Names and values of a space, for a comparison.
[[nodiscard]] inline std::string bytes_of(const SearchSpace& space) {
  std::string bytes;
  const auto add = [&](double value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  for (const SearchParameter& parameter : space) {
    bytes += parameter.name + '\0';
    if (const auto* choices = std::get_if<SearchChoices>(&parameter.values)) {
      add(static_cast<double>(choices->size()));
      for (const double choice : *choices) add(choice);
    } else {
      const SearchRange& range = std::get<SearchRange>(parameter.values);
      for (const double value : {-1.0, range.low, range.high, static_cast<double>(range.scale)}) add(value);
    }
  }
  return bytes;
}

}  // namespace detail

/// random_search by all ranks of `communicator` together, each with the same matrices, space and options: every fit and every measurement is shared among them,
/// and every rank has the result of one process, but for seconds. Callbacks have to be there on all ranks or on none; rank 0 alone is asked.
/// @throws as random_search does, on all ranks.
template <Real Scalar = float, Communicator C>
[[nodiscard]] SearchResult random_search_distributed(C& communicator, const CsrView& train, const CsrView& validation,
                                                     const SearchSpace& space, const RandomSearchOptions& options = {}) {
  detail::Agreement<C> agree(communicator);
  agree.together([&] {
    detail::CommonValues common;
    common.add(train.shape());
    common.add("interactions of train", train.nnz());
    common.add("interactions of validation", validation.nnz());
    common.add(options.base);
    common.add("trials", options.trials);
    common.add("seed of the search", options.seed);
    common.add("metric", options.metric);
    common.add("cutoff", options.cutoff);
    common.add("users to measure", options.users);
    const std::string bytes = detail::bytes_of(space);
    common.add("space", std::span<const char>(bytes));
    agree(nullptr);
    common.check(communicator);
  });
  detail::SearchTogether<C> engine{communicator};
  return detail::search_with<Scalar>(engine, train, validation, space, options);
}

}  // namespace kindred::inline v0
