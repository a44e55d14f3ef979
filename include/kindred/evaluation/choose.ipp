// SPDX-License-Identifier: MIT
#pragma once

// The bodies of evaluation/choose.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/evaluation/choose.hpp>
#include <kindred/evaluation/compare.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The metric of each user of each window. The reports were compared with others, so that they have the cutoff.
[[nodiscard]] inline std::vector<double> scores_in_windows(std::span<const RankingReport> reports, const ChooseOptions& options) {
  std::vector<double> scores;
  for (const RankingReport& report : reports) {
    std::size_t place = 0;
    while (report.cutoffs[place].cutoff != options.cutoff) ++place;
    for (const RankingReport::UserScores& user : report.per_user) scores.push_back(user.cutoffs[place].of(options.metric));
  }
  return scores;
}

[[nodiscard]] inline double t_of(const MeanAndError& gain) noexcept {
  if (gain.standard_error > 0.0) return gain.mean / gain.standard_error;
  return gain.mean > 0.0 ? (std::numeric_limits<double>::infinity)() : gain.mean < 0.0 ? -(std::numeric_limits<double>::infinity)() : 0.0;
}

}  // namespace detail

KINDRED_ONCE Choice choose(std::span<const RankingReport> plain, std::span<const std::vector<RankingReport>> extras,
                           const ChooseOptions& options) {
  if (plain.empty()) throw InvalidArgument("number of windows", 0, "at least 1");
  if (extras.empty()) throw InvalidArgument("number of extras", 0, "at least 1");
  if (!(detail::is_finite(options.least_t) && options.least_t >= 0.0))
    throw InvalidArgument("least_t", options.least_t, "finite and at least 0");
  Choice choice;
  for (std::size_t e = 0; e < extras.size(); ++e) {
    if (extras[e].size() != plain.size())
      throw ShapeError("extras[" + std::to_string(e) + "] has " + std::to_string(extras[e].size()) + " windows and plain " +
                       std::to_string(plain.size()) + "; they must have the same");
    for (std::size_t w = 0; w < plain.size(); ++w)  // for its checks
      (void)compare(plain[w], extras[e][w], {.metric = options.metric, .cutoff = options.cutoff});
    const std::vector<double> before = detail::scores_in_windows(plain, options), after = detail::scores_in_windows(extras[e], options);
    std::vector<double> gains(before.size());
    for (std::size_t n = 0; n < gains.size(); ++n) gains[n] = after[n] - before[n];
    Choice::Extra extra{metrics::mean_and_error(after).mean, metrics::mean_and_error(gains), 0.0};
    extra.t = detail::t_of(extra.gain);
    choice.plain = metrics::mean_and_error(before).mean;
    choice.extras.push_back(extra);
    const bool is_sure = extra.t >= options.least_t && extra.gain.mean > 0.0;
    if (is_sure && (!choice.kept || extra.gain.mean > choice.extras[*choice.kept].gain.mean)) choice.kept = e;
  }
  return choice;
}

}  // namespace kindred::inline v0
