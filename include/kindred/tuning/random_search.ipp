// SPDX-License-Identifier: MIT
#pragma once

// The bodies of tuning/random_search.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/team.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/evaluation/list_measurement.hpp>
#include <kindred/evaluation/measured_lists.hpp>
#include <kindred/evaluation/protocol.hpp>
#include <kindred/models/als/option_fields.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/tuning/paired_scores.hpp>
#include <kindred/tuning/random_search.hpp>
#include <kindred/tuning/search_space.hpp>

namespace kindred::inline v0 {

namespace detail {

/// `count` of the users with a positive test value (all for 0), rising. A function of test and seed.
[[nodiscard]] inline std::vector<Index> sample_test_users(const CsrView& test, std::size_t count, std::uint64_t seed) {
  std::vector<Index> users;
  std::vector<Index> relevant;
  for (Index u = 0; u < test.rows(); ++u) {
    relevant_items(test.row(u), relevant);
    if (!relevant.empty()) users.push_back(u);
  }
  if (count == 0 || count >= users.size()) return users;
  Random random(seed, RandomStream::sample);
  shuffle_front(std::span<Index>(users), count, random);
  users.resize(count);
  std::sort(users.begin(), users.end());
  return users;
}

/// What a team that searches must have in common.
[[nodiscard]] inline Digest digest_of(const CsrView& train, const CsrView& validation, const SearchSpace& space,
                                      const RandomSearchOptions& options) {
  Digest digest;
  digest.add("users", train.rows());
  digest.add("items", train.cols());
  digest.add("interactions of train", train.nnz());
  digest.add("interactions of validation", validation.nnz());
  visit_fields(options.base, [&](std::string_view name, const auto& field, const auto&...) { digest.add(name, field); });
  digest.add("trials", options.trials);
  digest.add("seed of the search", options.seed);
  digest.add("metric", options.metric);
  digest.add("cutoff", options.cutoff);
  digest.add("users to measure", options.users);
  std::string names;
  std::vector<double> values;
  for (const SearchParameter& parameter : space) {
    names += parameter.name + '\0';
    if (const auto* choices = std::get_if<SearchChoices>(&parameter.values)) {
      values.push_back(static_cast<double>(choices->size()));
      for (const SearchValue& choice : *choices) {
        values.push_back(choice.number);
        names += choice.name + '\0';
      }
    } else {
      const SearchRange& range = std::get<SearchRange>(parameter.values);
      values.insert(values.end(), {-1.0, range.low, range.high, static_cast<double>(range.scale)});
    }
  }
  digest.add("space", std::span<const char>(names));
  digest.add("space", std::span<const double>(values));
  return digest;
}

/// One search: its trials, and what is known of each so far.
template <Real Scalar>
class SearchRun {
 public:
  /// All trials are drawn; nothing is fitted yet. The arguments must outlive the run.
  SearchRun(const Team& team, const CsrView& train, const SearchObjective<Scalar>& objective, const SearchSpace& space,
            const RandomSearchOptions& options)
      : team_(team), train_(train), objective_(objective), options_(options) {
    for (SearchSetting& setting : draw_settings(space, options.trials, options.seed)) {
      SearchTrial& trial = result_.trials.emplace_back();
      trial.options = options.base;
      for (const auto& parameter : setting) set_option(trial.options, parameter.first, parameter.second);
      trial.setting = std::move(setting);
    }
    values_.resize(result_.trials.size());
    finished_.resize(result_.trials.size(), 0);
  }

  /// Fits and measures all trials, or as many as the progress callback wants. @throws Cancelled; what the callback throws.
  [[nodiscard]] SearchResult run() {
    try {
      for (std::size_t first = 0; first < result_.trials.size(); ++first)
        if (!finished_[first]) run_group(first);
    } catch (const Stop&) {
      if (abort_) std::rethrow_exception(abort_);
    }
    keep_finished();
    compare_with_best();
    return std::move(result_);
  }

 private:
  [[nodiscard]] static std::size_t iterations_of(const AlsOptions& options) { return settings_of(options).iterations; }

  struct Stop {};  // no std::exception, so that it is no trial's failure

  [[nodiscard]] static bool same_but_iterations(const SearchSetting& a, const SearchSetting& b) {
    for (std::size_t n = 0; n < a.size(); ++n)
      if (a[n].first != "iterations" && a[n].second != b[n].second) return false;
    return true;
  }

  /// The trials that one fit can serve, `first` and later ones; those whose options are not valid fail here.
  [[nodiscard]] std::vector<std::size_t> group_of(std::size_t first) {
    std::vector<std::size_t> group;
    for (std::size_t t = first; t < result_.trials.size(); ++t) {
      if (!same_but_iterations(result_.trials[first].setting, result_.trials[t].setting)) continue;
      try {
        validate(result_.trials[t].options);
        group.push_back(t);
      } catch (const InvalidArgument& error) {
        fail(t, error);
      }
    }
    return group;
  }

  void run_group(std::size_t first) {
    const std::vector<std::size_t> group = group_of(first);
    if (group.empty()) return;
    AlsOptions longest = result_.trials[group.front()].options;
    for (const std::size_t t : group) longest.iterations = (std::max)(iterations_of(longest), iterations_of(result_.trials[t].options));

    double fit_seconds = 0.0;
    typename ImplicitALS<Scalar>::FitOptions fit_options;
    fit_options.record_loss = true;
    fit_options.execution = options_.execution;
    fit_options.team = options_.team;
    if (options_.fit_progress)
      fit_options.progress = [&](const Progress& progress) {
        try {
          const ProgressAnswer answer = options_.fit_progress(progress);
          if (answer == ProgressAnswer::keep_going) return answer;
          if (answer == ProgressAnswer::cancel) abort_ = std::make_exception_ptr(Cancelled("random_search"));
        } catch (...) {
          abort_ = std::current_exception();
        }
        return ProgressAnswer::cancel;  // this fit, kept or not
      };
    fit_options.after_iteration = [&](const ImplicitALS<Scalar>& model, const FitReport::Iteration& iteration) {
      fit_seconds += iteration.seconds;
      for (const std::size_t t : group)
        if (iterations_of(result_.trials[t].options) == iteration.iteration) measure(t, model, *iteration.loss, fit_seconds);
    };
    try {
      ImplicitALS<Scalar> model(longest);
      const FitReport fit = model.fit(train_, fit_options);
      // A tolerance has ended the fit: the longer trials, fitted alone, would have ended there too.
      for (const std::size_t t : group)
        if (!finished_[t]) measure(t, model, *fit.iterations.back().loss, fit_seconds);
    } catch (const Cancelled&) {
      team_.agree(abort_);
      throw Stop{};
    } catch (const std::exception& error) {
      for (const std::size_t t : group)
        if (!finished_[t]) fail(t, error);
    }
  }

  void measure(std::size_t t, const ImplicitALS<Scalar>& model, const FitReport::Loss& loss, double fit_seconds) {
    values_[t] = objective_(model);
    check_values(values_[t]);
    SearchTrial& trial = result_.trials[t];
    trial.metric = metrics::mean_and_error(values_[t]);
    trial.final_loss = loss.loss_per_total_weight;
    trial.fit_seconds = fit_seconds;
    finish(t);
  }

  /// All trials have as many values as the first one, or they could not be paired.
  void check_values(const std::vector<double>& values) {
    if (values.empty()) throw InvalidArgument("objective", "no values", "at least one");
    for (const double value : values)
      if (!is_finite(value)) throw InvalidArgument("objective", value, "finite");
    const auto count = static_cast<Index>(values.size());
    if (result_.users == 0) result_.users = count;
    if (count != result_.users)
      throw InvalidArgument("objective", std::to_string(count) + " values", std::to_string(result_.users) + ", as of the first trial");
  }

  void fail(std::size_t t, const std::exception& error) {
    result_.trials[t].error = error.what();
    finish(t);
  }

  /// @throws Stop unless the progress callback wants more.
  void finish(std::size_t t) {
    finished_[t] = 1;
    ++done_;
    if (options_.progress)
      ask(options_.progress, {.what = "random search", .done = done_, .total = result_.trials.size(), .elapsed_seconds = watch_.seconds()});
  }

  /// @throws Stop unless `callback` wants more.
  void ask(const ProgressCallback& callback, const Progress& progress) {
    auto answer = ProgressAnswer::cancel;
    try {
      answer = team_.answer_of_first<ProgressAnswer>([&] { return callback(progress); });
      if (answer == ProgressAnswer::cancel) throw Cancelled("random_search");
    } catch (...) {
      abort_ = std::current_exception();
    }
    if (answer != ProgressAnswer::keep_going) throw Stop{};
  }

  /// Leaves out the trials that a stopped search has not come to.
  void keep_finished() {
    std::size_t kept = 0;
    for (std::size_t t = 0; t < result_.trials.size(); ++t) {
      if (!finished_[t]) continue;
      if (kept != t) {
        result_.trials[kept] = std::move(result_.trials[t]);
        values_[kept] = std::move(values_[t]);
      }
      ++kept;
    }
    result_.trials.resize(kept);
    values_.resize(kept);
  }

  void compare_with_best() {
    std::vector<SearchTrial>& trials = result_.trials;
    for (std::size_t t = 0; t < trials.size(); ++t)
      if (!trials[t].failed() && (!result_.best || trials[t].metric.mean > trials[*result_.best].metric.mean)) result_.best = t;
    if (!result_.best) return;
    std::size_t tied = 0, measured = 0;
    const std::vector<double>& best = values_[*result_.best];
    for (std::size_t t = 0; t < trials.size(); ++t) {
      if (trials[t].failed()) continue;
      trials[t].behind_best = behind(best, values_[t]);
      trials[t].tied = is_tied(trials[t].behind_best);
      ++measured;
      tied += trials[t].tied ? 1 : 0;
    }
    result_.all_tied = measured > 1 && tied == measured;
  }

  const Team& team_;
  const CsrView& train_;
  const SearchObjective<Scalar>& objective_;
  const RandomSearchOptions& options_;
  Stopwatch watch_;
  SearchResult result_;
  std::vector<std::vector<double>> values_;  // of each trial: the metric, per user
  std::vector<char> finished_;
  std::size_t done_ = 0;
  std::exception_ptr abort_;  // why a stopped search has no result
};

/// @throws InvalidArgument as random_search does, for what does not depend on the objective.
inline void check_search(const CsrView& train, const SearchSpace& space, const RandomSearchOptions& options) {
  if (options.trials < 1) throw InvalidArgument("trials", options.trials, "at least 1");
  if (options.cutoff < 1) throw InvalidArgument("cutoff", options.cutoff, "at least 1");
  validate(options.base);
  check_space(space, options.base);
  if (train.nnz() == 0) throw InvalidArgument("train", shape_text(train.shape()) + " without interactions", "a matrix with at least one");
}

/// Checks, draws and runs.
template <Real Scalar>
[[nodiscard]] SearchResult search_with(const Team& team, const CsrView& train, const CsrView& validation, const SearchSpace& space,
                                       const RandomSearchOptions& options) {
  check_search(train, space, options);
  check_shape("validation", validation.shape(), "train", train.shape());
  const std::vector<Index> users = sample_test_users(validation, options.users, options.seed);
  if (users.empty()) throw InvalidArgument("validation", "without a positive interaction", "a matrix with something to predict");
  Offset to_predict = 0, in_train = 0;
  std::vector<Index> relevant;
  for (const Index user : users) {
    relevant_items(validation.row(user), relevant);
    to_predict += static_cast<Offset>(relevant.size());
    in_train += count_common(relevant, train.row(user).columns);
  }
  check_overlap(to_predict, in_train);
  const EvaluateOptions how{
      .cutoffs = {options.cutoff}, .users = users, .keep_per_user = true, .execution = options.execution, .team = options.team};
  const SearchObjective<Scalar> metric = [&](const ImplicitALS<Scalar>& model) {
    return scores_of_users(evaluate(model, train, validation, how), options.metric);
  };
  return SearchRun<Scalar>(team, train, metric, space, options).run();
}

}  // namespace detail

template <Real Scalar>
SearchResult random_search(const CsrView& train, const CsrView& validation, const SearchSpace& space, const RandomSearchOptions& options) {
  if (options.team == nullptr) return detail::search_with<Scalar>(detail::Team(), train, validation, space, options);
  SearchResult result;
  options.team->together([&] {
    options.team->agree(detail::digest_of(train, validation, space, options));
    result = detail::search_with<Scalar>(*options.team, train, validation, space, options);
  });
  return result;
}

template <Real Scalar>
SearchResult random_search(const CsrView& train, const std::type_identity_t<detail::SearchObjective<Scalar>>& objective,
                           const SearchSpace& space, const RandomSearchOptions& options) {
  if (!objective) throw InvalidArgument("objective", "empty", "a function of a model");
  if (options.users != 0) throw InvalidArgument("users", options.users, "0: the objective says what is measured");
  if (options.team != nullptr) throw InvalidArgument("team", "set", "null: only a search of metrics is shared");
  detail::check_search(train, space, options);
  return detail::SearchRun<Scalar>(detail::Team(), train, objective, space, options).run();
}

}  // namespace kindred::inline v0
