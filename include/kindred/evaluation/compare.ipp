// SPDX-License-Identifier: MIT
#pragma once

// The bodies of evaluation/compare.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/evaluation/compare.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's method; Press et al. 2007, section 6.4).
[[nodiscard]] inline double incomplete_beta(double a, double b, double x) {
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  if (x > (a + 1.0) / (a + b + 2.0)) return 1.0 - incomplete_beta(b, a, 1.0 - x);
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) / a;
  constexpr double tiny = 1e-300;
  double c = 1.0, d = 0.0, f = 1.0;
  for (int step = 0; step <= 400; ++step) {
    const int m = step / 2;
    const double term = step == 0       ? 1.0
                        : step % 2 == 0 ? m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
                                        : -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 + term * d;
    d = 1.0 / (std::abs(d) < tiny ? tiny : d);
    c = 1.0 + term / c;
    if (std::abs(c) < tiny) c = tiny;
    f *= c * d;
    if (std::abs(1.0 - c * d) < 1e-15) break;
  }
  return front * (f - 1.0);
}

/// P(|T| > t) for Student's t with `freedom` degrees of freedom.
[[nodiscard]] inline double two_sided_t(double t, double freedom) {
  return incomplete_beta(0.5 * freedom, 0.5, freedom / (freedom + t * t));
}

/// The t that |T| stays below with probability `confidence`, by bisection.
[[nodiscard]] inline double t_quantile(double confidence, double freedom) {
  double low = 0.0, high = 1.0;
  while (two_sided_t(high, freedom) > 1.0 - confidence && high < 1e12) high *= 2.0;
  for (int step = 0; step < 200; ++step) {
    const double middle = 0.5 * (low + high);
    (two_sided_t(middle, freedom) > 1.0 - confidence ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

[[nodiscard]] inline MeanDifference t_difference(const MeanAndError& found, double confidence) {
  MeanDifference d{found};
  const auto freedom = static_cast<double>(found.count - 1);
  const double reach = found.standard_error > 0.0 ? t_quantile(confidence, freedom) * found.standard_error : 0.0;
  d.low = found.mean - reach;
  d.high = found.mean + reach;
  d.p_value = found.standard_error > 0.0 ? two_sided_t(found.mean / found.standard_error, freedom) : found.mean == 0.0 ? 1.0 : 0.0;
  return d;
}

inline void check_confidence(double confidence) {
  if (!(confidence > 0.0 && confidence < 1.0)) throw InvalidArgument("confidence", confidence, "in (0, 1)");
}

}  // namespace detail

KINDRED_ONCE Comparison compare(const RankingReport& first, const RankingReport& second, const CompareOptions& options) {
  detail::check_confidence(options.confidence);
  const auto place_of = [&](const RankingReport& report, std::string_view name) {
    if (report.per_user.empty())
      throw InvalidArgument(std::string(name) + ".per_user", "empty", "filled: evaluate with .keep_per_user = true");
    for (std::size_t c = 0; c < report.cutoffs.size(); ++c)
      if (report.cutoffs[c].cutoff == options.cutoff) return c;
    throw InvalidArgument("cutoff", options.cutoff, "one of those that " + std::string(name) + " has");
  };
  const std::size_t in_first = place_of(first, "first"), in_second = place_of(second, "second");
  const std::size_t n = first.per_user.size();
  if (second.per_user.size() != n)
    throw ShapeError("first has " + std::to_string(n) + " users and second " + std::to_string(second.per_user.size()) +
                     "; they must have the same");
  if (n < 2) throw InvalidArgument("users", n, "at least 2");

  Comparison result;
  std::vector<double> differences(n);
  for (std::size_t u = 0; u < n; ++u) {
    if (first.per_user[u].user != second.per_user[u].user)
      throw ShapeError("user " + std::to_string(u) + " of first is " + std::to_string(first.per_user[u].user) + " and of second " +
                       std::to_string(second.per_user[u].user) + "; they must be the same");
    const double a = first.per_user[u].cutoffs[in_first].of(options.metric), b = second.per_user[u].cutoffs[in_second].of(options.metric);
    result.first += a / static_cast<double>(n);
    result.second += b / static_cast<double>(n);
    differences[u] = b - a;
    ++(b > a ? result.second_better : b < a ? result.first_better : result.ties);
  }
  result.difference = detail::t_difference(metrics::mean_and_error(differences), options.confidence);
  return result;
}

KINDRED_ONCE Comparison compare(std::span<const RankingReport> first, std::span<const RankingReport> second,
                                const CompareOptions& options) {
  const std::size_t n = first.size();
  if (second.size() != n)
    throw ShapeError("first has " + std::to_string(n) + " windows and second " + std::to_string(second.size()) +
                     "; they must have the same");
  if (n < 2) throw InvalidArgument("windows", n, "at least 2");
  Comparison result;
  std::vector<double> differences(n);
  for (std::size_t w = 0; w < n; ++w) {
    const Comparison one = compare(first[w], second[w], options);
    result.first += one.first / static_cast<double>(n);
    result.second += one.second / static_cast<double>(n);
    result.first_better += one.first_better;
    result.second_better += one.second_better;
    result.ties += one.ties;
    differences[w] = one.difference.mean;
  }
  result.difference = detail::t_difference(metrics::mean_and_error(differences), options.confidence);
  return result;
}

KINDRED_ONCE MeanDifference compare_splits(std::span<const double> differences, double test_fraction, double confidence) {
  detail::check_confidence(confidence);
  if (differences.size() < 5) throw InvalidArgument("splits", differences.size(), "at least 5");
  if (!(test_fraction > 0.0 && test_fraction < 1.0)) throw InvalidArgument("test_fraction", test_fraction, "in (0, 1)");
  for (const double value : differences)
    if (!detail::is_finite(value)) throw InvalidArgument("difference", value, "finite");
  const auto n = static_cast<double>(differences.size());
  MeanAndError found = metrics::mean_and_error(differences);
  const double deviation = found.standard_error * std::sqrt(n);
  found.standard_error = deviation * std::sqrt(1.0 / n + test_fraction / (1.0 - test_fraction));
  return detail::t_difference(found, confidence);
}

KINDRED_ONCE std::vector<double> holm(std::span<const double> p_values) {
  for (const double p : p_values)
    if (!(p >= 0.0 && p <= 1.0)) throw InvalidArgument("p value", p, "in [0, 1]");
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> corrected(p_values.size());
  double largest = 0.0;
  for (std::size_t n = 0; n < order.size(); ++n) {
    largest = (std::max)(largest, (std::min)(1.0, static_cast<double>(order.size() - n) * p_values[order[n]]));
    corrected[order[n]] = largest;
  }
  return corrected;
}

KINDRED_ONCE ListAgreement compare_lists(const RankedLists& first, const RankedLists& second, std::size_t cutoff) {
  if (first.size() != second.size())
    throw ShapeError("first has the lists of " + std::to_string(first.size()) + " users and second of " + std::to_string(second.size()) +
                     "; they must be the same users");
  if (first.size() == 0) throw InvalidArgument("users", 0, "at least 1");
  if (cutoff == 0) throw InvalidArgument("cutoff", cutoff, "at least 1");
  ListAgreement result{.worst_overlap = 1.0};
  const auto users = static_cast<double>(first.size());
  double drift = 0.0, common_items = 0.0;
  std::vector<std::pair<Index, std::size_t>> places;
  for (std::size_t u = 0; u < first.size(); ++u) {
    const auto a = first.row(u).first((std::min)(cutoff, first.row(u).size())),
               b = second.row(u).first((std::min)(cutoff, second.row(u).size()));
    places.clear();
    for (std::size_t n = 0; n < a.size(); ++n) places.emplace_back(a[n].item, n);
    std::sort(places.begin(), places.end());
    double common = 0.0;
    bool same = a.size() == b.size();
    for (std::size_t n = 0; n < b.size(); ++n) {
      same = same && a[n].item == b[n].item;
      const auto found = std::lower_bound(places.begin(), places.end(), std::pair<Index, std::size_t>(b[n].item, 0));
      if (found == places.end() || found->first != b[n].item) continue;
      common += 1.0;
      drift += std::abs(static_cast<double>(found->second) - static_cast<double>(n));
    }
    common_items += common;
    const std::size_t longer = (std::max)(a.size(), b.size());
    const double overlap = longer == 0 ? 1.0 : common / static_cast<double>(longer);
    result.overlap += overlap / users;
    result.worst_overlap = (std::min)(result.worst_overlap, overlap);
    if (same) result.same_lists += 1.0 / users;
    if (longer == 0 || (!a.empty() && !b.empty() && a[0].item == b[0].item)) result.same_first += 1.0 / users;
  }
  if (common_items > 0.0) result.rank_drift = drift / common_items;
  return result;
}

}  // namespace kindred::inline v0
